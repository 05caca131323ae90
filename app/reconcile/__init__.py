"""Hold what another system says it has against what was reported, and say by which messages the two differ."""
