"""Pure functions between a system's own payload and the canonical events, and nothing else."""
