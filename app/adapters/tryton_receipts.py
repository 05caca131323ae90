"""Sorting what was received: accepted goods to their store, rejected ones to waste, the rest stays in goods-in."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from app.adapters import tryton_documents as documents
from app.adapters.tryton_models import RECEIPT
from app.adapters.tryton_records import TrytonRecords


def sort_received(shipment_id: int, document: Mapping[str, Any], records: TrytonRecords) -> None:
    """Replace the put-away that Tryton proposes by the one that the inspection decided; twice is as good as once."""
    if not documents.needs_sorting(document):
        return
    house = records.warehouse(document["warehouse"])
    shipment = records.rest.get(RECEIPT, shipment_id, ["inventory_moves.to_location"])
    proposed = [move["id"] for move in shipment["inventory_moves"]]
    wanted = [
        documents.move(records, {**document, "quantity": document[part]}, house.input_id, place)
        for part, place in _parts(document, records)
        if Decimal(document[part]) and place != house.input_id
    ]
    changes = [["delete", proposed]] if proposed else []
    changes += [["create", wanted]] if wanted else []
    if changes:
        values = {"inventory_moves": changes}
        records.rest.update(RECEIPT, shipment_id, values, ["state"], records.context)


def _parts(document: Mapping[str, Any], records: TrytonRecords) -> list[tuple[str, int]]:
    return [
        ("accepted", records.place(document["storage"]).id),
        ("rejected", records.place(document["reject_storage"]).id),
    ]
