"""Accounts of third-party platforms that become apps."""
