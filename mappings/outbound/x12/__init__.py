"""ANSI ASC X12 004010 for partners. X12 has no release character, so a code that holds a separator is refused."""
