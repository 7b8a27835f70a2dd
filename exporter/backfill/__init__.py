"""Backfill: fetches past dates once and writes them as if the exporter had been running then."""
