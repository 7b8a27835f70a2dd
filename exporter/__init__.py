"""Prometheus exporter for WeChat mini programs' daily visit figures."""

__version__ = "0.1.0"
