"""What can go wrong, and what the operator should do about it."""
