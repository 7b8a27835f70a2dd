"""Third-party platforms: their own token, verify tickets, and their accounts' tokens."""
