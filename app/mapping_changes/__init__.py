"""What a mapping makes of a message, before it is sent and after it was changed: shown, compared, kept as a test.

Nothing here stores or posts anything.
"""
