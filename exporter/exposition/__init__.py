"""Makes the bytes of /metrics: rendered when something changes, not when it is scraped."""
