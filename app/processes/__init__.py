"""Process calls: what a caller wants done now, checked against the picture, kept in the inbox, and promised once."""
