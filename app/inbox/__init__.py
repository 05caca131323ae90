"""Accepting messages, claiming those that are due, and moving them from state to state."""
