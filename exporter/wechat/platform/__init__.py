"""Third-party platforms: their tokens, verify tickets, and their accounts' tokens."""
