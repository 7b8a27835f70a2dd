"""Recording and alerting rules, their source and their tests."""
