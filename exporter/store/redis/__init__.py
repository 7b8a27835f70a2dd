"""redis://: rows, states, tokens and credentials that several exporters share."""
