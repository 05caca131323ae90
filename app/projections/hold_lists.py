"""Quality holds and releases, a page at a time, and those that are open for an item or a lot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from app.projections.availability import holds_over
from app.store.availability_tables import Hold
from app.store.ledger_tables import NOWHERE

CHUNK = 400
ALL_FROM = 4_000


@dataclass(frozen=True)
class HoldFilter:
    """None is any; an empty text is what the event did not name."""

    plant: str | None = None
    item: str | None = None
    lot: str | None = None
    is_open: bool | None = None


def list_holds(session: Session, chosen: HoldFilter, limit: int, before: int | None = None) -> Sequence[Hold]:
    """What was entered last comes first, releases and void ones with the rest."""
    wanted = ((Hold.plant, chosen.plant), (Hold.item, chosen.item), (Hold.lot, chosen.lot))
    conditions: list[ColumnElement[bool]] = [column == value for column, value in wanted if value is not None]
    if chosen.is_open is not None:
        conditions.append(Hold.is_open.expression if chosen.is_open else ~Hold.is_open)
    if before is not None:
        conditions.append(Hold.id < before)
    return session.scalars(select(Hold).where(*conditions).order_by(Hold.id.desc()).limit(limit)).all()


def open_holds_of_item(session: Session, plant: str, item: str, limit: int) -> Sequence[Hold]:
    """The open holds that cover stock of this item, the last entered first."""
    query = select(Hold).where(Hold.is_open, holds_over(plant, item))
    return session.scalars(query.order_by(Hold.id.desc()).limit(limit)).all()


def open_holds_of_lots(
    session: Session, lots: Mapping[tuple[str, str], Collection[str]]
) -> dict[tuple[str, str], list[Hold]]:
    """The open holds of each of these lots (item, lot), or of a serial of it; and of its whole item in ``plants``, the
    plants where the lot is."""
    found: dict[tuple[str, str], list[Hold]] = {}
    of_item: dict[str, list[Hold]] = defaultdict(list)
    named, items = {lot for _, lot in lots}, {item for item, _ in lots}
    of_lot: dict[str, list[Hold]] = defaultdict(list)
    for hold in _open_holds(session, Hold.lot, named):
        of_lot[hold.lot].append(hold)
    for hold in _open_holds(session, Hold.item, items, Hold.lot == NOWHERE, Hold.serial == NOWHERE):
        of_item[hold.item].append(hold)
    if not of_lot and not of_item:
        return {}
    for (item, lot), plants in lots.items():
        named_it = [hold for hold in of_lot.get(lot, ()) if hold.item in (NOWHERE, item)]
        over_all = [hold for hold in of_item.get(item, ()) if hold.plant in plants]
        if named_it or over_all:
            found[item, lot] = [*named_it, *over_all]
    return found


def _open_holds(session: Session, column: Any, values: Collection[str], *only: ColumnElement[bool]) -> list[Hold]:
    """Those with one of these values, by id. Of many values all open ones are read instead: they are fewer than it
    takes to name each. Sorted here: asked for in the order of ids, SQLite takes an index that has closed ones too."""
    query = select(Hold).where(Hold.is_open.expression, *only)
    if len(values) > ALL_FROM:
        found = [hold for hold in session.scalars(query) if getattr(hold, column.key) in values]
    else:
        wanted = sorted(values)
        chunks = (wanted[start : start + CHUNK] for start in range(0, len(wanted), CHUNK))
        found = [hold for chunk in chunks for hold in session.scalars(query.where(column.in_(chunk)))]
    return sorted(found, key=lambda hold: hold.id)
