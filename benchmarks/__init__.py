"""Benchmarks: ratios against a peer in the same run; see docs/performance.md."""
