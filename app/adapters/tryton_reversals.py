"""The opposite of a document that Tryton holds, built from the moves that it really made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

from app.adapters import tryton_documents as documents
from app.adapters.base import PostingRequest
from app.adapters.tryton_models import PRODUCTION, RECEIPT, SUPPLIER_RETURN, TRANSFER
from app.adapters.tryton_periods import posting_day
from app.adapters.tryton_records import TrytonRecords
from app.adapters.tryton_rest import tryton_date, tryton_decimal
from app.errors import Refused

Move = Mapping[str, Any]
Step = tuple[str, str, Callable[[], Mapping[str, Any]]]

_FIELDS = ("product", "unit", "quantity", "lot", "from_location", "to_location", "state")


def reversal_of(original: str, request: PostingRequest, records: TrytonRecords) -> Iterator[Step]:
    """Model, posting key and values of each opposite document, in the order in which they must be done."""
    model, _, number = original.partition(",")
    if model not in documents.MODELS.values() or not number.isdigit():
        raise Refused("reference_unknown", f"{original!r} is not a document that the Tryton adapter posted.")
    build = {
        PRODUCTION: _of_production,
        TRANSFER: _of_transfer,
        RECEIPT: _of_receipt,
    }[model]
    yield from build(int(number), request, records)


def _begin(request: PostingRequest, records: TrytonRecords) -> dict[str, Any]:
    return {
        "reference": documents.reference(request.posting_key, f"reverses {request.document['note']}"),
        "company": records.company_id,
        "planned_date": tryton_date(posting_day(request.document)),
    }


def _of_production(number: int, request: PostingRequest, records: TrytonRecords) -> Iterator[Step]:
    """A disassembly: the outputs go back into production, the inputs come out of it."""

    def values() -> Mapping[str, Any]:
        record = _read(PRODUCTION, number, ("inputs", "outputs"), ("warehouse", "location"), records)
        return _begin(request, records) | {
            "type": "disassembly",
            "planned_start_date": tryton_date(posting_day(request.document)),
            "warehouse": record["warehouse"],
            "location": record["location"],
            "inputs": [["create", [_opposite(move, records) for move in record["outputs"]]]],
            "outputs": [["create", [_opposite(move, records, priced=True) for move in record["inputs"]]]],
        }

    yield PRODUCTION, request.posting_key, values


def _of_transfer(number: int, request: PostingRequest, records: TrytonRecords) -> Iterator[Step]:
    def values() -> Mapping[str, Any]:
        ends = ("from_location", "to_location")
        record = _read(TRANSFER, number, ("outgoing_moves",), ends, records)
        origin, destination = record["to_location"], record["from_location"]
        moves = [_move(move, origin, destination, records) for move in record["outgoing_moves"]]
        return _back(origin, destination, moves, request, records)

    yield TRANSFER, request.posting_key, values


def _of_receipt(number: int, request: PostingRequest, records: TrytonRecords) -> Iterator[Step]:
    """A return to the supplier. What does not lie in the store it leaves from is brought there first, under keys of
    its own, since a return has one origin."""
    store = records.place(request.document["storage"]).id
    supplier_and_moves = ("supplier", "supplier_location", "warehouse_input")
    record = _read(RECEIPT, number, ("incoming_moves", "inventory_moves"), supplier_and_moves, records)
    for place, moves in _elsewhere(record, store).items():
        gathered = PostingRequest(f"{request.posting_key}F{place}", request.kind, request.plant, request.document)
        back = _back(place, store, [_move(move, place, store, records) for move in moves], gathered, records)
        yield TRANSFER, gathered.posting_key, partial(dict, back)

    def values() -> Mapping[str, Any]:
        location = record["supplier_location"]
        moves = [_move(move, store, location, records, priced=True) for move in record["incoming_moves"]]
        ends = {"supplier": record["supplier"], "from_location": store, "to_location": location}
        return _begin(request, records) | ends | {"moves": [["create", moves]]}

    yield SUPPLIER_RETURN, request.posting_key, values


def _elsewhere(record: Mapping[str, Any], store: int) -> dict[int, list[Move]]:
    """What the receipt left in other places than the store: put away there, or never put away at all."""
    places: dict[int, list[Move]] = {}
    left = {(m["product"], m["lot"]): m["quantity"] for m in record["incoming_moves"]}
    for move in record["inventory_moves"]:
        left[move["product"], move["lot"]] -= move["quantity"]
        if move["to_location"] != store:
            places.setdefault(move["to_location"], []).append(move)
    for move in record["incoming_moves"]:
        rest = left[move["product"], move["lot"]]
        if rest > 0 and record["warehouse_input"] != store:
            places.setdefault(record["warehouse_input"], []).append({**move, "quantity": rest})
    return places


def _read(
    model: str, number: int, lists: Sequence[str], fields: Sequence[str], records: TrytonRecords
) -> dict[str, Any]:
    nested = [f"{name}.{field}" for name in lists for field in _FIELDS]
    record = records.rest.get(model, number, [*fields, *nested, "state", "number"])
    if record["state"] != "done":
        raise Refused("not_reversible", f"Tryton's document {record['number']} is {record['state']}, not done.")
    for name in lists:
        record[name] = [move for move in record[name] if move["state"] == "done"]
    return record


def _back(
    origin: int, destination: int, moves: list[Any], request: PostingRequest, records: TrytonRecords
) -> dict[str, Any]:
    ends = {"from_location": origin, "to_location": destination}
    begin = _begin(request, records) | {"planned_start_date": tryton_date(posting_day(request.document))}
    return begin | ends | {"moves": [["create", moves]]}


def _opposite(move: Move, records: TrytonRecords, *, priced: bool = False) -> dict[str, Any]:
    return _move(move, move["to_location"], move["from_location"], records, priced=priced)


def _move(move: Move, origin: int, destination: int, records: TrytonRecords, *, priced: bool = False) -> dict[str, Any]:
    values = {name: move[name] for name in ("product", "unit", "lot")}
    values |= {"quantity": float(move["quantity"]), "from_location": origin, "to_location": destination}
    values |= {"company": records.company_id}
    if priced:
        values |= {"unit_price": tryton_decimal(Decimal(0)), "currency": records.currency_id}
    return values
