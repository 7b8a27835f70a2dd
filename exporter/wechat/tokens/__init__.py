"""Access tokens: cached, shared between exporters, obtained."""
