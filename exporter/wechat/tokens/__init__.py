"""Access tokens: their sources, caches, and sharing between exporters."""
