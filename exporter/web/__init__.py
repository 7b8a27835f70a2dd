"""Hands out what is ready; nothing in here speaks to WeChat."""
