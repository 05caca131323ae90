"""The assembly plant's MES: JSON over HTTP, German field names in places, local times.

A message is one object with a header (``ts``, ``auftrag``, ``arbeitsplatz``) and a list of positions. Quantities are
JSON numbers or decimal strings in the MES's own unit codes.
"""
