"""Append-only trail of what people and programs did to the installation."""
