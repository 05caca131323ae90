"""The states that equipment entered, one after the other, whatever the order in which they were told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, insert, or_, select, update
from sqlalchemy.orm import Session

from app.projections.origin import Origin, void_rows
from app.store.key_sets import among
from app.store.version_tables import EquipmentState
from mappings.context import Event

CHUNK = 50
CHANGED = "equipment.state.changed.v1"

Equipment = tuple[str, str]
"""plant, equipment_id"""


@dataclass(frozen=True)
class StateTold:
    origin: Origin
    equipment_id: str
    state: str
    from_state: str | None = None
    work_center: str | None = None
    reason: str | None = None

    @property
    def equipment(self) -> Equipment:
        return self.origin.plant, self.equipment_id


def states_of(origin: Origin, event: Event) -> Iterator[StateTold]:
    """The state that the event tells; none where it tells another thing."""
    if event.type == CHANGED:
        data = event.data
        place = data.get("location", {}).get("work_center")
        yield StateTold(origin, data["equipment_id"], data["to"], data.get("from"), place, data.get("reason"))


def enter_states(session: Session, told: Sequence[StateTold], now: datetime) -> None:
    """Enter these. The caller holds the right to change the projections, and has entered none of them before."""
    if not told:
        return
    session.connection().execute(insert(EquipmentState), [_values(one, now) for one in told])
    earliest: dict[Equipment, datetime] = {}
    for one in told:
        moment = one.origin.happened_at
        earliest[one.equipment] = min(moment, earliest.get(one.equipment, moment))
    _settle(session, earliest)


def void_states(session: Session, message_ids: Collection[int], now: datetime) -> None:
    """Take the states that these messages, which were reversed, told back; they stay as void."""
    subject = (EquipmentState.plant, EquipmentState.equipment_id, EquipmentState.happened_at)
    earliest: dict[Equipment, datetime] = {}
    for plant, equipment_id, moment in void_rows(
        session, EquipmentState, subject, message_ids, now, is_current=False, ended_at=None
    ):
        earliest[plant, equipment_id] = min(moment, earliest.get((plant, equipment_id), moment))
    _settle(session, earliest)


def _values(one: StateTold, now: datetime) -> dict[str, Any]:
    return {
        **one.origin.columns,
        "equipment_id": one.equipment_id,
        "state": one.state,
        "from_state": one.from_state,
        "work_center": one.work_center,
        "reason": one.reason,
        "since_at": one.origin.happened_at,
        "ended_at": None,
        "follows": True,
        "is_current": False,
        "entered_at": now,
        "void_at": None,
    }


_OF = (EquipmentState.plant, EquipmentState.equipment_id)
_ORDER = (EquipmentState.happened_at, EquipmentState.message_id, EquipmentState.event_index)
_SEEN = (EquipmentState.id, *_OF, EquipmentState.state, EquipmentState.from_state)
_WORKED_OUT = (EquipmentState.since_at, EquipmentState.ended_at, EquipmentState.follows, EquipmentState.is_current)


def _settle(session: Session, earliest: Mapping[Equipment, datetime]) -> None:
    """Put the states of each of these in their order, from this instant on."""
    wanted = sorted(earliest)
    for start in range(0, len(wanted), CHUNK):
        chunk = {one: earliest[one] for one in wanted[start : start + CHUNK]}
        before, rows = _rows_before(session, chunk), _rows_from(session, chunk)
        changed = [values for one in chunk for values in _weave(before.get(one), rows.get(one, ()))]
        if changed:
            session.connection().execute(_SAVED, changed)


def _rows_from(session: Session, earliest: Mapping[Equipment, datetime]) -> dict[Equipment, list[Any]]:
    since = (
        and_(EquipmentState.plant == plant, EquipmentState.equipment_id == code, EquipmentState.happened_at >= moment)
        for (plant, code), moment in earliest.items()
    )
    found: dict[Equipment, list[Any]] = defaultdict(list)
    query = select(*_SEEN, *_ORDER, *_WORKED_OUT).where(or_(*since), EquipmentState.void_at.is_(None))
    for row in session.execute(query.order_by(*_ORDER)):
        found[row.plant, row.equipment_id].append(row)
    return found


def _rows_before(session: Session, earliest: Mapping[Equipment, datetime]) -> dict[Equipment, Any]:
    """The last one of each before its instant: mostly the current one, which one query finds for all."""
    query = select(*_SEEN, *_ORDER, *_WORKED_OUT)
    current = query.where(EquipmentState.is_current, among(_OF, list(earliest)))
    now = {(row.plant, row.equipment_id): row for row in session.execute(current)}
    found = {one: row for one, row in now.items() if row.happened_at < earliest[one]}
    for one in earliest.keys() - found.keys():
        of_it = (EquipmentState.plant == one[0], EquipmentState.equipment_id == one[1])
        earlier = query.where(*of_it, EquipmentState.happened_at < earliest[one], EquipmentState.void_at.is_(None))
        last = session.execute(earlier.order_by(*(column.desc() for column in _ORDER)).limit(1)).first()
        if last is not None:
            found[one] = last
    return found


def _weave(before: Any | None, rows: Sequence[Any]) -> Iterator[dict[str, Any]]:
    """What is different of these, which follow each other."""
    line = [before, *rows] if before is not None else list(rows)
    last, since = None, None
    for place, row in enumerate(line):
        if before is not None and row is before:
            since, follows = row.since_at, row.follows
        elif last is None:
            since, follows = row.happened_at, True
        else:
            since = since if last.state == row.state else row.happened_at
            follows = row.from_state in (None, last.state)
        ended_at = line[place + 1].happened_at if place + 1 < len(line) else None
        told = (since, ended_at, follows, ended_at is None)
        if told != (row.since_at, row.ended_at, row.follows, row.is_current):
            names = ("b_since_at", "b_ended_at", "b_follows", "b_is_current")
            yield {"b_id": row.id, **dict(zip(names, told, strict=True))}
        last = row


_SAVED = (
    update(EquipmentState)
    .where(EquipmentState.id == bindparam("b_id"))
    .values(
        since_at=bindparam("b_since_at"),
        ended_at=bindparam("b_ended_at"),
        follows=bindparam("b_follows"),
        is_current=bindparam("b_is_current"),
    )
)
