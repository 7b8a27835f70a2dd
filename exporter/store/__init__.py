"""What the exporter knows of its apps, in memory (`Ledger`) and over restarts (`Store`)."""
