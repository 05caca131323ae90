"""The paint shop's legacy system: rows of files that it drops. All values are text with its own habits: a comma before
the decimals, numbers padded with zeros, local times without an offset.
"""
