"""Connections: addresses, TLS, proxies, deadlines, and what goes wrong with them."""
