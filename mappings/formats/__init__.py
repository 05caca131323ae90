"""Readers from bytes to plain values: bounded, pure, and wrong input is named by its place."""
