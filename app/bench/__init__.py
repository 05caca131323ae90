"""The bench: runs that prove the promises under fire, counted from the targets' own books."""
