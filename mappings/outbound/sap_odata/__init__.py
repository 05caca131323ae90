"""SAP S/4HANA by its OData services (version 2): bodies for ``http_json`` targets.

A document has a part ``post`` and, where it can be undone, a part ``reversal``; the target's calls name them.
"""
