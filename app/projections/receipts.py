"""Receipts of goods, entered event by event."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.projections.origin import Origin, void_rows
from app.projections.versions import in_base
from app.store.ledger_tables import NOWHERE
from app.store.logistics_tables import Receipt
from mappings.context import Event, ItemFacts
from mappings.units import Quantity

RECEIVED = "receipt.recorded.v1"

Document = tuple[str, str]
"""type, id"""


@dataclass(frozen=True)
class ReceiptLine:
    """Amounts are in the item's base unit. ``line`` is the document's."""

    origin: Origin
    document: Document
    line: str | None
    item: str
    received: Quantity
    accepted: Quantity
    rejected: Quantity
    lot: str = NOWHERE
    storage: str = NOWHERE
    reason: str | None = None


def receipts_of(origin: Origin, event: Event, items: Mapping[str, ItemFacts]) -> Iterator[ReceiptLine]:
    """The receipt that the event tells; none where it tells another thing.

    Raises MappingError where an amount has no exact value in the item's base unit.
    """
    if event.type != RECEIVED:
        return
    data, document = event.data, event.data["document_ref"]
    received, accepted, rejected = (
        in_base(data["item"], data[name], items) for name in ("received", "accepted", "rejected")
    )
    yield ReceiptLine(
        origin,
        (document["type"], document["id"]),
        document.get("line"),
        data["item"],
        received,
        accepted,
        rejected,
        lot=data.get("lot") or NOWHERE,
        storage=data.get("location", {}).get("storage") or NOWHERE,
        reason=data.get("reason"),
    )


def enter_receipts(session: Session, lines: Sequence[ReceiptLine], now: datetime) -> set[Document]:
    """Enter these, of which none was before; returns the documents that they name."""
    if lines:
        session.connection().execute(insert(Receipt), [_values(line, now) for line in lines])
    return {line.document for line in lines}


def void_receipts(session: Session, message_ids: Collection[int], now: datetime) -> set[Document]:
    """Take the receipts of these messages, which were reversed, back; returns the documents that they name."""
    named = (Receipt.document_type, Receipt.document_id)
    return {(kind, code) for kind, code in void_rows(session, Receipt, named, message_ids, now)}


def _values(line: ReceiptLine, now: datetime) -> dict[str, Any]:
    return {
        **line.origin.columns,
        "document_type": line.document[0],
        "document_id": line.document[1],
        "line": line.line,
        "item": line.item,
        "uom": line.received.uom,
        "received": line.received.value,
        "accepted": line.accepted.value,
        "rejected": line.rejected.value,
        "lot": line.lot,
        "storage": line.storage,
        "reason": line.reason,
        "entered_at": now,
        "void_at": None,
    }
