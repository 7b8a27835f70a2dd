"""Failures of calls to WeChat, and advice for the operator."""
