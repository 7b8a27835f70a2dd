"""The bytes of /metrics, rendered when something changes, not when Prometheus scrapes."""
