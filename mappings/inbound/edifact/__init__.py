"""UN/EDIFACT messages of partners, whatever their directory (D.93A to today) and subset (EANCOM, ODETTE).

Conventions, where the standard leaves a choice:

- An item is known by the buyer's number before the GTIN before the supplier's, unless the source's option
  ``item_codes`` says otherwise; its codes stand in LIN and PIA.
- A lot is PIA's ``NB``, or GIN's ``BX`` where there is one only; serial numbers are PIA's ``SN`` and GIN's ``BN``.
- A local time is by the plant's clock; a date without a time is the day's begin.
- A message is an original or (an order) a replacement. Cancellations, changes and copies are refused by name.
- A quantity without a unit counts in the source's option ``unit_if_missing``, ``EA`` unless told.
"""
