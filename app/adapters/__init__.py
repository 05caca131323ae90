"""Adapters: one file a vendor, plain values in and out."""
