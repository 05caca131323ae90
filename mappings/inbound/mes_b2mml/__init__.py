"""The machining plant's MES, and whoever else sends B2MML, V0401 to V0700: performance, schedules, material, events.

Conventions, where the standard leaves a choice:

For performance:

- The order is the response's ProductionRequestID (OperationsRequestID); a sender that leaves it out names the order in
  the response's ID.
- ``Consumed`` material is issued; ``Produced`` material is completed.
- Material of either use with a property ``ScrapReason`` is scrap, and so is the use ``Other`` with the other value
  ``Scrap``: the standard has no use for scrap before V0700, and none for scrapped inputs at all.
- Serials are the values of a property ``SerialNumber``.
- A response in the state ``Completed`` or ``Closed`` is the order's last.
- Quantities of zero report nothing and are passed over.
- Every other use is refused by name, unless the source's option ``ignored_uses`` lists it.
"""
