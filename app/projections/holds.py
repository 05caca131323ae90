"""What may be done with stock: quality holds and their releases, entered event by event.

The state of a subject is what its latest event says that is not void. As in the ledger, the result depends on which
events there are and not on the order in which they are entered.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from app.projections.movements import UNRESTRICTED
from app.store.availability_tables import Hold
from app.store.key_sets import among
from app.store.ledger_tables import NOWHERE
from mappings.canonical import contract
from mappings.context import Event, ItemFacts
from mappings.units import Quantity, quantity, to_base

CHUNK = 200
_TYPES = frozenset({"quality.held.v1", "quality.released.v1"})


@dataclass(frozen=True, order=True)
class Subject:
    """What is held or released. Empty is what the event does not name: any item, lot or serial."""

    plant: str
    item: str = NOWHERE
    lot: str = NOWHERE
    serial: str = NOWHERE


@dataclass(frozen=True)
class HoldLine:
    """What an event says of one subject. ``amount``: so much of it; all where the event does not say, and of serials,
    which are what they are."""

    message_id: int
    event_index: int
    line: int
    subject: Subject
    status: str
    happened_at: datetime
    reason: str | None = None
    inspection_ref: str | None = None
    amount: Quantity | None = None


def holds_of(
    message_id: int, index: int, plant: str, event: Event, items: Mapping[str, ItemFacts]
) -> Iterator[HoldLine]:
    """Each subject that the event holds or releases; nothing where it does neither.

    Raises MappingError where the amount has no exact value in the item's base unit.
    """
    if not holds_stock(event):
        return
    data, moment = event.data, contract.event_time(event)
    serials = dict.fromkeys(data.get("serials") or (NOWHERE,))
    amount = quantity(data["quantity"]) if "quantity" in data and NOWHERE in serials else None
    if amount is not None and data.get("item") in items:
        amount = to_base(amount, items[data["item"]])
    inspection = contract.document_text(data.get("inspection_ref") or {})
    for line, serial in enumerate(serials):
        subject = Subject(plant, data.get("item") or NOWHERE, data.get("lot") or NOWHERE, serial)
        told = (data["status"], moment, data.get("reason"), inspection, amount)
        yield HoldLine(message_id, index, line, subject, *told)


def holds_stock(event: Event) -> bool:
    return event.type in _TYPES


def enter_holds(session: Session, lines: Sequence[HoldLine], now: datetime) -> None:
    """Enter these. The caller holds the right to change the projections, and has entered none of them before."""
    if not lines:
        return
    session.connection().execute(insert(Hold), [_values(line, now) for line in lines])
    _settle(session, {line.subject for line in lines})


def void_holds(session: Session, message_ids: Collection[int], now: datetime) -> None:
    """Take what these messages, which were reversed, say of their subjects back; it stays as void."""
    of_them = (Hold.message_id.in_(sorted(message_ids)), Hold.void_at.is_(None))
    subjects = {Subject(*row) for row in session.execute(select(*_SUBJECT).where(*of_them).distinct())}
    if subjects:
        session.execute(update(Hold).where(*of_them).values(void_at=now, is_open=False), execution_options=_AS_TOLD)
        _settle(session, subjects)


def already_held(session: Session, message_ids: Sequence[int]) -> set[int]:
    """Those of these messages that have holds or releases which count."""
    query = select(Hold.message_id).where(Hold.message_id.in_(message_ids), Hold.void_at.is_(None))
    return set(session.execute(query.distinct()).scalars()) if message_ids else set()


_SUBJECT = (Hold.plant, Hold.item, Hold.lot, Hold.serial)
_AS_TOLD = {"synchronize_session": False}


def _values(line: HoldLine, now: datetime) -> dict[str, Any]:
    return {
        **dict(zip((column.key for column in _SUBJECT), astuple(line.subject), strict=True)),
        "message_id": line.message_id,
        "event_index": line.event_index,
        "line": line.line,
        "status": line.status,
        "reason": line.reason,
        "inspection_ref": line.inspection_ref,
        "quantity": line.amount.value if line.amount else None,
        "uom": line.amount.uom if line.amount else None,
        "happened_at": line.happened_at,
        "entered_at": now,
        "is_open": False,
        "void_at": None,
    }


def _settle(session: Session, subjects: Collection[Subject]) -> None:
    """Of each of these subjects at most the last word is open, and only where it holds."""
    keys = [astuple(subject) for subject in sorted(subjects)]
    latest_first = (Hold.happened_at.desc(), Hold.message_id.desc(), Hold.event_index.desc())
    rank = func.row_number().over(partition_by=_SUBJECT, order_by=latest_first).label("rank")
    for start in range(0, len(keys), CHUNK):
        of_them = among(_SUBJECT, keys[start : start + CHUNK])
        ranked = select(Hold.id, Hold.status, rank).where(of_them, Hold.void_at.is_(None)).subquery()
        last = select(ranked.c.id).where(ranked.c.rank == 1, ranked.c.status != UNRESTRICTED)
        ids = list(session.scalars(last))
        shut = update(Hold).where(of_them, Hold.is_open, Hold.id.not_in(ids)).values(is_open=False)
        session.execute(shut, execution_options=_AS_TOLD)
        session.execute(update(Hold).where(Hold.id.in_(ids)).values(is_open=True), execution_options=_AS_TOLD)
