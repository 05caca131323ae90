"""Value tables between a system and the canonical events: read by mappings, changed by people."""
