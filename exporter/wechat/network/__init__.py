"""Connections: addresses, TLS, proxies, deadlines, and their failures."""
