"""GS1 EPCIS 2.0 events, over HTTP, as the data of a CloudEvent or as dropped files.

Conventions, where the standard leaves a choice:

- The business step says what happened, whatever the kind of the event; an AggregationEvent that packs tells what is in
  a package that another event of the same document names.
- An item is its GTIN of 14 digits, or what the source's option ``items`` calls it; a place is what the option
  ``places`` says. A place that is not listed is left out, and refused where the event means nothing without it.
- Instances without a unit are counted in ``EA``, or in the option ``count_uom``.
- The production order is the business transaction of type ``prodorder``, or of a type in the option ``order_types``;
  without one a ``po`` stands for it in a transformation. A delivery is the ``desadv``, else ``bol``, else ``po``.
- What is used or made without an order changes the stock (``inventory.adjusted``), unless the option ``needs_order``
  asks for one; a receipt without an order or an advice is known by another document that it names, else by its event.
- Assets, documents and services (GRAI, GIAI, GDTI, GSRN) are no goods: they are passed over with a note, and so is an
  inspection that goes on.
- The number of a business transaction is what stands behind its GLN (``urn:epcglobal:cbv:bt:GLN:NUMBER``), behind
  ``bt`` in another URI, or last in the path of a web address.
- An error declaration undoes a move or an adjustment; every other is refused, and undone by a person.
- A business step that is not listed in ``steps.py`` is refused by name, unless the source's option ``ignored_steps``
  lists it, alone or with its disposition (``inspecting/in_progress``).
"""
