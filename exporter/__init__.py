"""Prometheus exporter for WeChat mini programs' daily visit figures."""

__version__ = "1.0.0"
