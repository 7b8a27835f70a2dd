"""The state of the apps: in memory (`Ledger`), and across restarts (`Store`)."""
