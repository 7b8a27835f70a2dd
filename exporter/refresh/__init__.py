"""Rounds: what is asked for, in which order, by which workers, and what follows from each answer."""
