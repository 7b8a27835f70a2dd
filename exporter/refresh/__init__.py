"""Asks WeChat for rows, on time and at a bearable pace."""
