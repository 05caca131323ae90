"""The planning platform: what supply there is more or less of, as it happens."""
