"""ANSI ASC X12 transaction sets of partners, of any version that has the same elements (003xxx to 008xxx).

Conventions, where the standard leaves a choice:

- An item is known by the buyer's number before the GTIN before the vendor's, unless the source's option ``item_codes``
  says otherwise; its codes stand in pairs of qualifier (235) and number. ``LT`` and ``SN`` are lot and serial number.
- A local time is by the plant's clock; a date without a time is the day's begin.
- A set is an original or (an order, a schedule) a replacement. Cancellations, changes and copies are refused by name.
- A quantity without a unit counts in the source's option ``unit_if_missing``, ``EA`` unless told.
"""
