"""Read models built only from canonical events and snapshots."""
