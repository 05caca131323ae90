"""Rules that look for business exceptions in what Lineside knows: one file each, judged in rounds."""
