"""Enter movements into the ledger and keep the stock that they sum up to.

The result depends on which movements there are and not on the order in which they are entered: a count stands for what
was on the shelf at its time, so what happened before it and comes later changes the difference that the count found.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from app.projections.movements import Leg, Place
from app.projections.upsert import upsert
from app.store.key_sets import among, with_keys
from app.store.ledger_tables import ItemStock, Movement, Stock

CHUNK = 500
PLACES_A_QUERY = 200
STATUSES = ("unrestricted", "quality", "blocked")


@dataclass(frozen=True)
class Entry:
    """One leg with the event that it comes from. Entries of one place follow each other by ``order``."""

    message_id: int
    event_index: int
    number: int
    leg: Leg
    happened_at: datetime
    order_id: str | None = None
    document: str | None = None
    reason: str | None = None

    @property
    def order(self) -> tuple[datetime, int, int, int]:
        return self.happened_at, self.message_id, self.event_index, self.number


@dataclass
class _Row:
    """One row of stock as it was, and as it becomes."""

    id: int
    place: Place
    quantity: Decimal
    counts: int
    moved_at: datetime | None
    was: Decimal = Decimal(0)
    is_changed: bool = False


@dataclass
class _Line:
    """A movement of a place with counts, old or new, while their differences are worked out."""

    order: tuple[datetime, int, int, int]
    quantity: Decimal
    counted: Decimal | None
    id: int | None = None


def enter(session: Session, entries: Sequence[Entry], now: datetime) -> None:
    """Enter these. The caller holds the right to change the ledger, and has entered none of them before."""
    if not entries:
        return
    rows = _open_rows(session, {entry.leg.place for entry in entries})
    by_row: dict[int, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_row[rows[entry.leg.place].id].append(entry)
    values: list[dict[str, Any]] = []
    for row in rows.values():
        mine = by_row[row.id]
        new_counts = sum(entry.leg.is_count for entry in mine)
        row.counts += new_counts
        row.is_changed = True
        row.moved_at = max([entry.happened_at for entry in mine] + ([row.moved_at] if row.moved_at else []))
        if row.counts:
            found = _weave(session, row, mine)
        else:
            found = [entry.leg.quantity for entry in mine]
            row.quantity += sum(found, Decimal(0))
        values += [_values(row, entry, change, now) for entry, change in zip(mine, found, strict=True)]
    values.sort(key=lambda value: (value["message_id"], value["event_index"], value["leg"]))
    session.connection().execute(insert(Movement), values)
    _save_rows(session, list(rows.values()))


def void(session: Session, message_ids: Collection[int], now: datetime) -> None:
    """Take the movements of these messages, which were reversed, out of the stock; they stay in the ledger as void."""
    ids = sorted(message_ids)
    query = select(Movement).where(Movement.message_id.in_(ids), Movement.void_at.is_(None)).order_by(Movement.id)
    voided = session.execute(query).scalars().all()
    for movement in voided:
        movement.void_at = now
    session.flush()
    _take_out(session, voided)


def withdraw(session: Session, events: Collection[tuple[int, int]]) -> None:
    """Take the movements of these events (message, index) out of stock and ledger: another event tells the same move
    and counts in their place."""
    wanted = sorted(events)
    for start in range(0, len(wanted), CHUNK):
        of_them = among((Movement.message_id, Movement.event_index), wanted[start : start + CHUNK])
        query = select(Movement).where(of_them, Movement.void_at.is_(None)).order_by(Movement.id)
        gone = session.execute(query).scalars().all()
        for movement in gone:
            session.delete(movement)
        session.flush()
        _take_out(session, gone)


def _take_out(session: Session, gone: Sequence[Movement]) -> None:
    """These movements are in the ledger no more; take them out of what it sums up to."""
    if not gone:
        return
    rows = {row.id: row for row in _load_rows(session, {movement.stock_id for movement in gone})}
    by_row: dict[int, list[Movement]] = defaultdict(list)
    for movement in gone:
        by_row[movement.stock_id].append(movement)
    newest = _newest(session, by_row.keys())
    for stock_id, mine in by_row.items():
        row = rows[stock_id]
        row.is_changed, row.moved_at = True, newest.get(stock_id)
        if row.counts:
            row.counts -= sum(movement.counted is not None for movement in mine)
            _unweave(session, row, mine)
        else:
            row.quantity -= sum((movement.quantity for movement in mine), Decimal(0))
    _save_rows(session, list(rows.values()))


def _newest(session: Session, stock_ids: Collection[int]) -> dict[int, datetime]:
    query = select(Movement.stock_id, func.max(Movement.happened_at)).where(
        Movement.stock_id.in_(sorted(stock_ids)), Movement.void_at.is_(None)
    )
    return {row[0]: row[1] for row in session.execute(query.group_by(Movement.stock_id))}


def already_entered(session: Session, message_ids: Sequence[int]) -> set[int]:
    """Those of these messages that have movements which count."""
    query = select(Movement.message_id).where(Movement.message_id.in_(message_ids), Movement.void_at.is_(None))
    return set(session.execute(query.distinct()).scalars()) if message_ids else set()


def _weave(session: Session, row: _Row, entries: Sequence[Entry]) -> list[Decimal]:
    """Put entries between the movements of a place with counts; returns the change that each makes."""
    lines = [_Line(e.order, e.leg.quantity, e.leg.quantity if e.leg.is_count else None) for e in entries]
    later = _lines_from(session, row.id, min(line.order[0] for line in lines))
    before = row.quantity - sum((line.quantity for line in later), Decimal(0))
    row.quantity = _settle(session, before, [*later, *lines])
    return [line.quantity for line in lines]


def _unweave(session: Session, row: _Row, voided: Sequence[Movement]) -> None:
    """The movements are void by now; their changes are still in the row's quantity."""
    later = _lines_from(session, row.id, min(movement.happened_at for movement in voided))
    gone = sum((movement.quantity for movement in voided), Decimal(0))
    before = row.quantity - gone - sum((line.quantity for line in later), Decimal(0))
    row.quantity = _settle(session, before, later)


def _lines_from(session: Session, stock_id: int, instant: datetime) -> list[_Line]:
    columns = (Movement.happened_at, Movement.message_id, Movement.event_index, Movement.leg)
    query = select(Movement.id, Movement.quantity, Movement.counted, *columns).where(
        Movement.stock_id == stock_id, Movement.happened_at >= instant, Movement.void_at.is_(None)
    )
    return [_Line(tuple(row)[3:], row.quantity, row.counted, row.id) for row in session.execute(query)]  # type: ignore[arg-type]


def _settle(session: Session, before: Decimal, lines: Iterable[_Line]) -> Decimal:
    """Give each count the difference that it found; returns the quantity after the last line."""
    running, changed = before, []
    for line in sorted(lines, key=lambda one: one.order):
        if line.counted is not None and line.quantity != line.counted - running:
            line.quantity = line.counted - running
            if line.id is not None:
                changed.append({"b_id": line.id, "b_quantity": line.quantity})
        running += line.quantity
    if changed:
        found_anew = update(Movement).where(Movement.id == bindparam("b_id")).values(quantity=bindparam("b_quantity"))
        session.connection().execute(found_anew, changed)
    return running


def _values(row: _Row, entry: Entry, change: Decimal, now: datetime) -> dict[str, Any]:
    return {
        "stock_id": row.id,
        "message_id": entry.message_id,
        "event_index": entry.event_index,
        "leg": entry.number,
        "kind": entry.leg.kind.value,
        "quantity": change,
        "counted": entry.leg.quantity if entry.leg.is_count else None,
        "happened_at": entry.happened_at,
        "entered_at": now,
        "plant": row.place.plant,
        "item": row.place.item,
        "order_id": entry.order_id,
        "document": entry.document,
        "reason": entry.reason,
        "void_at": None,
    }


def _open_rows(session: Session, places: Collection[Place]) -> dict[Place, _Row]:
    """The rows of these places, made where they are missing."""
    wanted = sorted(places)
    found: dict[Place, _Row] = {}
    for start in range(0, len(wanted), PLACES_A_QUERY):
        chunk = wanted[start : start + PLACES_A_QUERY]
        found |= _rows_at(session, chunk)
        missing = [place for place in chunk if place not in found]
        if missing:
            rows = [{**_columns(place), "quantity": Decimal(0), "counts": 0} for place in missing]
            session.connection().execute(insert(Stock), rows)
            found |= _rows_at(session, missing)
    return found


_PLACE = (Stock.plant, Stock.item, Stock.uom, Stock.storage, Stock.lot, Stock.serial, Stock.status)


def _columns(place: Place) -> dict[str, Any]:
    return dict(zip((column.key for column in _PLACE), place, strict=True))


def _rows_at(session: Session, places: Sequence[Place]) -> dict[Place, _Row]:
    query = with_keys(session, _select_rows(), _PLACE, places)
    return {row.place: row for row in map(_row, session.execute(query))}


def _load_rows(session: Session, ids: Collection[int]) -> list[_Row]:
    return [_row(found) for found in session.execute(_select_rows().where(Stock.id.in_(sorted(ids))))]


def _select_rows() -> Any:
    return select(Stock.id, Stock.quantity, Stock.counts, Stock.moved_at, *_PLACE)


def _row(found: Any) -> _Row:
    key, quantity, counts, moved_at, *place = found
    return _Row(key, Place(*place), quantity, counts, moved_at, was=quantity)


_SAVED = (
    update(Stock)
    .where(Stock.id == bindparam("b_id"))
    .values(quantity=bindparam("b_quantity"), counts=bindparam("b_counts"), moved_at=bindparam("b_moved_at"))
)


def _save_rows(session: Session, rows: Sequence[_Row]) -> None:
    changed = [row for row in rows if row.is_changed]
    values = [
        {"b_id": row.id, "b_quantity": row.quantity, "b_counts": row.counts, "b_moved_at": row.moved_at}
        for row in changed
    ]
    session.connection().execute(_SAVED, values)
    _save_items(session, changed)


def _save_items(session: Session, rows: Sequence[_Row]) -> None:
    """Carry what the rows gained or lost over to the sums by item."""
    gains: dict[tuple[str, str, str], dict[str, Decimal]] = defaultdict(lambda: dict.fromkeys(STATUSES, Decimal(0)))
    for row in rows:
        gains[row.place.plant, row.place.item, row.place.uom][row.place.status] += row.quantity - row.was
    sums = _load_sums(session, sorted(gains))
    values = []
    for key, gained in sorted(gains.items()):
        was = sums.get(key)
        amounts = {status: gained[status] + (getattr(was, status) if was else 0) for status in STATUSES}
        values.append({**dict(zip(("plant", "item", "uom"), key, strict=True)), **amounts, "reserved": Decimal(0)})
    upsert(session, ItemStock, ("plant", "item", "uom"), STATUSES, values)


def _load_sums(session: Session, keys: Sequence[tuple[str, str, str]]) -> Mapping[tuple[str, str, str], Any]:
    columns = (ItemStock.plant, ItemStock.item, ItemStock.uom)
    found: dict[tuple[str, str, str], Any] = {}
    for start in range(0, len(keys), CHUNK):
        query = select(*columns, *(getattr(ItemStock, status) for status in STATUSES))
        query = query.where(among(columns, keys[start : start + CHUNK]))
        found |= {(row.plant, row.item, row.uom): row for row in session.execute(query)}
    return found
