"""Rounds of calls: their plan, order and workers, and the consequences of each answer."""
