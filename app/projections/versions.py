"""What events tell of items, bills of materials and purchase orders as a whole, version by version.

What stands of a revision is what the pipeline lets stand (``told_states``), so that this picture and the targets agree;
where that was reversed, or is another revision, it is what was told of the latest instant.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from app.projections.origin import AS_TOLD, Origin, void_rows
from app.store.key_sets import among
from app.store.ledger_tables import NOWHERE
from app.store.order_tables import ToldState
from app.store.version_tables import BomComponent, ToldVersion
from mappings.context import Event, ItemFacts
from mappings.units import Quantity, quantity, to_base

ITEM, BOM, PURCHASE_ORDER = "item", "bom", "purchase_order"
CHUNK = 200

Subject = tuple[str, str]
"""kind, code"""

_KINDS = {
    "item.changed.v1": (ITEM, "item"),
    "bom.changed.v1": (BOM, "item"),
    "purchase.order.placed.v1": (PURCHASE_ORDER, "purchase_order"),
}
_BODIES = {
    ITEM: ("description", "base_uom", "units"),
    BOM: ("note",),
    PURCHASE_ORDER: ("buyer", "supplier", "ship_to"),
}


@dataclass(frozen=True)
class Component:
    """``amount`` is in the component's base unit, for the bill's own quantity."""

    item: str
    amount: Quantity
    segment: str | None


@dataclass(frozen=True)
class Version:
    """``body``: what is told besides, with quantities in base units."""

    origin: Origin
    kind: str
    code: str
    revision: str
    body: Mapping[str, Any]
    span: tuple[datetime | None, datetime | None] = (None, None)
    components: Sequence[Component] = field(default_factory=tuple)


def versions_of(origin: Origin, event: Event, items: Mapping[str, ItemFacts]) -> Iterator[Version]:
    """The version that the event tells; none where it tells another thing.

    Raises MappingError where an amount has no exact value in the item's base unit.
    """
    if event.type not in _KINDS:
        return
    (kind, name), data = _KINDS[event.type], event.data
    body = {key: data[key] for key in _BODIES[kind] if key in data}
    if kind == BOM:
        body["quantity"] = in_base(data["item"], data["quantity"], items).wire()
    if kind == PURCHASE_ORDER:
        body["lines"] = [
            {**line, "quantity": in_base(line["item"], line["quantity"], items).wire()} for line in data["lines"]
        ]
    told = data.get("effectivity", {})
    span = _moment(told.get("start")), _moment(told.get("end"))
    components = tuple(
        Component(line["item"], in_base(line["item"], line["quantity"], items), line.get("segment"))
        for line in data.get("components", ())
    )
    yield Version(origin, kind, data[name], data.get("revision", NOWHERE), body, span, components)


def tells_version(event: Event) -> bool:
    return event.type in _KINDS


def in_base(item: str, wire: Mapping[str, str], items: Mapping[str, ItemFacts]) -> Quantity:
    """In the item's base unit as it was then; as it came where nobody describes items."""
    amount = quantity(wire)
    return to_base(amount, items[item]) if item in items else amount


def enter_versions(session: Session, versions: Sequence[Version], now: datetime) -> set[Subject]:
    """Enter these; returns what they tell of. The caller holds the right to change the projections, and has entered
    none of them before."""
    if not versions:
        return set()
    session.connection().execute(insert(ToldVersion), [_values(one, now) for one in versions])
    _enter_components(session, [one for one in versions if one.components])
    subjects = {(one.kind, one.code) for one in versions}
    _settle(session, subjects)
    return subjects


def void_versions(session: Session, message_ids: Collection[int], now: datetime) -> set[Subject]:
    """Take what these messages, which were reversed, tell back; returns what it was of."""
    found = void_rows(session, ToldVersion, (ToldVersion.kind, ToldVersion.code), message_ids, now, stands=False)
    subjects = {(kind, code) for kind, code in found}
    _settle(session, subjects)
    return subjects


def _values(one: Version, now: datetime) -> dict[str, Any]:
    return {
        **one.origin.columns,
        "kind": one.kind,
        "code": one.code,
        "revision": one.revision,
        "effective_from_at": one.span[0],
        "effective_until_at": one.span[1],
        "body": one.body,
        "entered_at": now,
        "stands": False,
        "void_at": None,
    }


def _enter_components(session: Session, versions: Sequence[Version]) -> None:
    of_them = ToldVersion.message_id.in_({one.origin.message_id for one in versions})
    query = select(ToldVersion.id, ToldVersion.message_id, ToldVersion.event_index)
    found = session.execute(query.where(of_them, ToldVersion.void_at.is_(None))).all() if versions else ()
    ids = {(row.message_id, row.event_index): row.id for row in found}
    rows = [
        {
            "version_id": ids[one.origin.message_id, one.origin.event_index],
            "number": number,
            "item": component.item,
            "quantity": component.amount.value,
            "uom": component.amount.uom,
            "segment": component.segment,
        }
        for one in versions
        for number, component in enumerate(one.components, start=1)
    ]
    if rows:
        session.connection().execute(insert(BomComponent), rows)


def _settle(session: Session, subjects: Collection[Subject]) -> None:
    """Of each revision of these at most one version stands."""
    keys = sorted(subjects)
    columns = (ToldVersion.id, ToldVersion.kind, ToldVersion.code, ToldVersion.revision, ToldVersion.stands)
    order = (ToldVersion.happened_at, ToldVersion.message_id, ToldVersion.event_index)
    for start in range(0, len(keys), CHUNK):
        chunk = keys[start : start + CHUNK]
        chosen = _chosen(session, chunk)
        query = select(*columns, *order).where(among((ToldVersion.kind, ToldVersion.code), chunk))
        revisions: dict[tuple[str, str, str], list[Any]] = defaultdict(list)
        for row in session.execute(query.where(ToldVersion.void_at.is_(None)).order_by(*order)):
            revisions[row.kind, row.code, row.revision].append(row)
        _let_stand(session, [(rows, chosen.get(key[:2])) for key, rows in revisions.items()])


def _let_stand(session: Session, revisions: Sequence[tuple[Sequence[Any], int | None]]) -> None:
    stand, fall = [], []
    for rows, message_id in revisions:
        told = [row for row in rows if row.message_id == message_id]
        last = (told or rows)[-1]
        stand += [last.id] if not last.stands else []
        fall += [row.id for row in rows if row.stands and row.id != last.id]
    for ids, stands in ((fall, False), (stand, True)):
        if ids:
            of_them = update(ToldVersion).where(ToldVersion.id.in_(ids)).values(stands=stands)
            session.execute(of_them, execution_options=AS_TOLD)


def _chosen(session: Session, subjects: Sequence[Subject]) -> dict[Subject, int | None]:
    """The messages that the pipeline lets stand."""
    things = {f"{kind}:{code}": (kind, code) for kind, code in subjects}
    query = select(ToldState.thing, ToldState.message_id).where(ToldState.thing.in_(sorted(things)))
    return {things[row.thing]: row.message_id for row in session.execute(query)}


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
