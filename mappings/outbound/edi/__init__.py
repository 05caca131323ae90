"""What is told to partners by EDI: the whole text of an interchange, for a file target with ``format: text``."""
