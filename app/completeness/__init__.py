"""Whether all that a source sent has come: its numbers, the totals of its files, its sign of life."""
