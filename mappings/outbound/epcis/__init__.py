"""Documents for an EPCIS 2.0 repository: canonical events as EPCIS events in JSON-LD.

Each document is ``{"capture": ..., "error_declaration": ...}``: the EPCISDocument that is captured, and the one that
declares its events wrong, which is how EPCIS takes something back. An ``http_json`` target sends one part a call.

- An event's id is the option ``event_id`` with the posting key behind it, so that a look-up by the key finds it, and a
  repeat is the same event. Further events of one document have a number behind that.
- An item is its GTIN, by the option ``items`` where its code is none; a lot and each serial number make it a class and
  an instance of that GTIN, as GS1 Digital Link URIs.
- Amounts are in the item's base unit, by the code that the option ``units`` gives for it; what is counted in
  ``count_uom`` has no unit.
- Segments, sub-lots, lines of orders, carriers and reasons in words have no place in EPCIS and are left out.
"""
