"""Dropped files: when one is whole, it is taken once, and its rows are kept like any other message."""
