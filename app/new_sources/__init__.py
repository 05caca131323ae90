"""A new source from a sample of what it sends: its mapping, registry line, golden pair and topology block."""
