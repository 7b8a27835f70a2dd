"""Rounds: what is asked for, in which order, by which workers, and what becomes of it."""
