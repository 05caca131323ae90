"""UN/EDIFACT D.96A for partners, in UNOC: the target's files need ``encoding: latin-1`` for more than ASCII."""
