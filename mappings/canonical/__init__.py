"""The canonical events: one versioned schema a type. ``contract`` is the way in."""
