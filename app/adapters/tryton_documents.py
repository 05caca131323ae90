"""The bodies of Tryton's own documents, built from the three forms that the outbound mappings give.

REST runs no ``on_change``, so everything that Tryton's client would fill in is sent here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_CEILING, Decimal
from typing import Any

from app.adapters.tryton_models import PRODUCTION, RECEIPT, TRANSFER
from app.adapters.tryton_orders import order_line
from app.adapters.tryton_periods import planned_dates
from app.adapters.tryton_records import Bill, Component, Item, TrytonRecords, Unit, Warehouse, exact_number
from app.adapters.tryton_rest import tryton_decimal
from app.errors import Refused

MODELS = {"production": PRODUCTION, "transfer": TRANSFER, "receipt": RECEIPT}

ANY_KEY = "LS" + "_" * 24
"""Any posting key, as Tryton's ``like`` searches for it; in a reference it stands alone or before a space."""
_OURS = re.compile(r"LS[A-Z2-7]{24}(?![A-Za-z0-9])")

Line = Mapping[str, Any]


def model_of(document: Mapping[str, Any]) -> str:
    """The Tryton model that this form of document becomes."""
    model = MODELS.get(str(document.get("form")))
    if model is None:
        raise Refused("form_unknown", f"The Tryton adapter posts {', '.join(MODELS)}, not {document.get('form')!r}.")
    return model


def reference(posting_key: str, note: str) -> str:
    """The posting key, then a space, then words for people: exact to search, and readable on Tryton's pages."""
    return f"{posting_key} {note}".strip()


def is_ours(text: str) -> bool:
    """Whether a reference says that Lineside posted the document, or a helper document of it."""
    return _OURS.match(text) is not None


def with_key(posting_key: str) -> list[Any]:
    """The domain of the documents that carry this posting key, and of no others."""
    return ["OR", ["reference", "=", posting_key], ["reference", "like", f"{posting_key} %"]]


def body(document: Mapping[str, Any], posting_key: str, records: TrytonRecords) -> dict[str, Any]:
    """The values of a new draft, which has no effect on stock until it is driven."""
    build = {PRODUCTION: _production, TRANSFER: _transfer, RECEIPT: _receipt}[model_of(document)]
    values: dict[str, Any] = {
        "reference": reference(posting_key, document["note"]),
        "company": records.company_id,
    }
    return values | planned_dates(model_of(document), document) | build(document, records)


def _production(document: Mapping[str, Any], records: TrytonRecords) -> dict[str, Any]:
    house = records.warehouse(document["warehouse"])
    outputs = [
        move(records, line, house.production_id, _place_id(records, line, house.output_id), priced=True)
        for line in document["outputs"]
    ]
    inputs = [
        move(records, line, _place_id(records, line, house.picking_id), house.production_id)
        for line in document["inputs"]
    ]
    if document["explode"]:
        inputs += _consumption(document["outputs"], house, records)
    values = {"type": "assembly", "warehouse": house.id, "location": house.production_id}
    if len(outputs) == 1:
        values |= _made(document["outputs"][0], outputs[0], records, document["explode"])
    return values | {"inputs": _new(inputs), "outputs": _new(outputs)}


def _made(line: Line, output: Line, records: TrytonRecords, explode: bool) -> dict[str, Any]:
    bill_id = records.item(line["item"]).bill_id if explode else None
    return {"product": output["product"], "unit": output["unit"], "quantity": output["quantity"], "bom": bill_id}


def _consumption(outputs: Sequence[Line], house: Warehouse, records: TrytonRecords) -> list[dict[str, Any]]:
    """The bills of materials for the quantities made, rounded up to each component's unit as Tryton does."""
    needs: dict[tuple[int, int], Decimal] = {}
    units: dict[int, Unit] = {}
    for line in outputs:
        item = records.item(line["item"])
        if item.bill_id is None:
            raise Refused(
                "bom_unknown",
                f"Tryton has no bill of materials for item {item.code}; enter it there, then requeue.",
                "item",
            )
        bill = records.bill(item.bill_id)
        for component in bill.inputs:
            wanted = _needed(component, bill, item, Decimal(line["quantity"]), records.unit(item, line["uom"]))
            key = (component.item_id, component.unit.id)
            units[component.unit.id] = component.unit
            needs[key] = needs.get(key, Decimal(0)) + wanted
    return [
        {
            "product": item_id,
            "unit": unit_id,
            "quantity": exact_number(quantity, units[unit_id], str(item_id)),
            "from_location": house.picking_id,
            "to_location": house.production_id,
            "company": records.company_id,
        }
        for (item_id, unit_id), quantity in needs.items()
    ]


def _needed(component: Component, bill: Bill, item: Item, quantity: Decimal, unit: Unit) -> Decimal:
    batch = sum((made.quantity * made.unit.factor for made in bill.makes if made.item_id == item.id), Decimal(0))
    if not batch:
        raise Refused(
            "bom_invalid",
            f"Tryton's bill of materials for item {item.code} yields none of it; mend it there, then requeue.",
            "item",
        )
    # One division at the very end: a quotient that was rounded before would be rounded up once more.
    exact = component.quantity * quantity * unit.factor / batch
    return exact.quantize(Decimal(1).scaleb(-component.unit.digits), rounding=ROUND_CEILING)


def _transfer(document: Mapping[str, Any], records: TrytonRecords) -> dict[str, Any]:
    origin, destination = records.place(document["from"]).id, records.place(document["to"]).id
    moves = [move(records, line, origin, destination) for line in document["lines"]]
    return {
        "from_location": origin,
        "to_location": destination,
        "moves": _new(moves),
    }


def _receipt(document: Mapping[str, Any], records: TrytonRecords) -> dict[str, Any]:
    """Always on an order's line, at the order's price. What is not all accepted is sorted before it is put away."""
    house = records.warehouse(document["warehouse"])
    line = order_line(records.rest, document["order"], document["order_line"], records.item(document["item"]))
    incoming = move(records, document, line.supplier_location_id, house.input_id, priced=True)
    incoming |= {"origin": f"purchase.line,{line.id}", "unit_price": tryton_decimal(line.unit_price)}
    return {
        "supplier": line.supplier_id,
        "warehouse": house.id,
        "warehouse_input": house.input_id,
        "warehouse_storage": house.storage_id if needs_sorting(document) else records.place(document["storage"]).id,
        "incoming_moves": _new([incoming | {"currency": line.currency_id}]),
    }


def needs_sorting(document: Mapping[str, Any]) -> bool:
    """Whether a receipt holds goods that were rejected or still await inspection."""
    return bool(document["form"] == "receipt" and Decimal(document["accepted"]) != Decimal(document["quantity"]))


def move(records: TrytonRecords, line: Line, from_id: int, to_id: int, *, priced: bool = False) -> dict[str, Any]:
    """One stock move. Tryton demands a price where stock enters; a production's is computed by Tryton afterwards."""
    item = records.item(line["item"])
    unit = records.unit(item, line["uom"])
    values: dict[str, Any] = {
        "product": item.id,
        "unit": unit.id,
        "quantity": exact_number(Decimal(line["quantity"]), unit, item.code),
        "from_location": from_id,
        "to_location": to_id,
        "company": records.company_id,
    }
    if line.get("lot"):
        values["lot"] = records.lot_id((item.id, line["lot"]))
    if priced:
        values |= {"unit_price": tryton_decimal(Decimal(0)), "currency": records.currency_id}
    return values


def _place_id(records: TrytonRecords, line: Line, default_id: int) -> int:
    return records.place(line["storage"]).id if line.get("storage") else default_id


def _new(moves: Iterable[Line]) -> list[Any]:
    return [["create", list(moves)]]
