"""The processes of one installation: what they are, and how they are started, watched and ended together."""
