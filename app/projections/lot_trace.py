"""The genealogy of a lot: what it was made of and what was made of it, to any depth, with the gaps in it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import CTE, ColumnElement, Subquery, Text, and_, cast, func, literal, select, type_coerce
from sqlalchemy.orm import Session, aliased

from app.projections.collector import collector_at_rest
from app.projections.hold_lists import open_holds_of_lots
from app.projections.lot_links import IN, OUT
from app.projections.lot_lists import customers_of_lots, suppliers_of_lots
from app.projections.movements import Kind
from app.store.availability_tables import Hold
from app.store.ledger_tables import NOWHERE, Movement, Stock
from app.store.order_progress_tables import TransformationLot

LOTS_MOST = 20_000
"""Lots of one answer at most; one that says so is not whole."""

Lot = tuple[str, str]
"""item, lot"""
Step = tuple[str, str]
"""plant, transformation"""


class Direction(StrEnum):
    """``up``: what it was made of, to its suppliers. ``down``: what was made of it, to its customers."""

    UP = "up"
    DOWN = "down"


class Gap(StrEnum):
    """Where a genealogy cannot be right or whole."""

    WITHOUT_ISSUE = "completion_without_issue"
    WITHOUT_LOT = "issue_without_lot"
    UNKNOWN_LOT = "issue_of_unknown_lot"
    UNBALANCED = "more_taken_than_came"


class TracedLot(NamedTuple):
    """``depth``: how many transformations away. ``came`` and ``went``: how much of it, by why, in ``uom``;
    ``documents``: those of its receipts and shipments; ``on_hand``: what is left; ``holds``: the open ones over it;
    ``suppliers`` and ``customers``: from whom and to whom, where receipts and shipments tell."""

    item: str
    lot: str
    depth: int
    uom: str | None
    plants: Sequence[str]
    came: Mapping[str, Decimal]
    went: Mapping[str, Decimal]
    on_hand: Decimal
    documents: Mapping[str, Sequence[str]]
    holds: Sequence[Hold] = ()
    suppliers: Sequence[str] = ()
    customers: Sequence[str] = ()


class TracedLink(NamedTuple):
    """``lot`` went into (``in``) or came out of (``out``) the transformation."""

    plant: str
    transformation: str
    order_id: str
    direction: str
    item: str
    lot: str | None
    quantity: Decimal
    uom: str


@dataclass(frozen=True)
class FoundGap:
    kind: Gap
    item: str
    lot: str | None
    plant: str | None = None
    transformation: str | None = None
    order_id: str | None = None
    quantity: Decimal | None = None


@dataclass(frozen=True)
class Trace:
    """``lots``: the nearest first. ``is_whole``: whether these are all."""

    lots: Sequence[TracedLot]
    links: Sequence[TracedLink]
    gaps: Sequence[FoundGap]
    is_whole: bool


@dataclass
class _Account:
    uoms: set[str] = field(default_factory=set)
    plants: set[str] = field(default_factory=set)
    came: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    went: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    documents: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    on_hand: Decimal = Decimal(0)


def items_of_lot(session: Session, lot: str) -> list[str]:
    """The items that this lot is known of."""
    moved = select(Stock.item).where(Stock.lot == lot).distinct()
    linked = select(TransformationLot.item).where(TransformationLot.lot == lot).distinct()
    held = select(Hold.item).where(Hold.lot == lot, Hold.item != NOWHERE, Hold.void_at.is_(None)).distinct()
    return sorted({*session.scalars(moved), *session.scalars(linked), *session.scalars(held)})


def trace(session: Session, item: str, lot: str, direction: Direction, most: int = LOTS_MOST) -> Trace:
    """Everything that leads to this lot, or that it led to. Cycles, as rework makes them, are gone round once."""
    with collector_at_rest():
        return _trace(session, item, lot, direction, most)


def _trace(session: Session, item: str, lot: str, direction: Direction, most: int) -> Trace:
    ends, begins = (OUT, IN) if direction is Direction.UP else (IN, OUT)
    lots = _reachable((item, lot), ends, begins, most + 1)
    links = _links_of(session, lots, ends, begins)
    depths = _depths((item, lot), links, ends)
    nearest = sorted(depths, key=lambda one: (depths[one], one))
    kept, is_whole = nearest[:most], len(nearest) <= most
    if not is_whole:
        known = set(kept)
        links = [link for link in links if link.lot is None or (link.item, link.lot) in known]
    accounts = _accounts(session, lots)
    holds = open_holds_of_lots(session, {one: accounts[one].plants if one in accounts else () for one in kept})
    traced = [_traced(one, depths[one], accounts.get(one), holds.get(one, ())) for one in kept]
    traced = _with_parties(session, traced)
    return Trace(traced, links, [*_gaps(links, ends, direction), *_imbalances(traced)], is_whole)


def _reachable(start: Lot, ends: str, begins: str, most: int) -> CTE:
    """The lots that a recursive query comes to: from a lot to its transformations, from these to the lots at their
    other side. ``most`` bounds it; which ones are left out then is the database's choice."""
    columns = zip(start, (TransformationLot.item, TransformationLot.lot), strict=True)
    lots = select(*(cast(literal(code), of.type).label(of.key) for code, of in columns)).cte("lots", recursive=True)
    near, far = aliased(TransformationLot), aliased(TransformationLot)
    at_far = and_(far.plant == near.plant, far.transformation == near.transformation, far.direction == begins)
    onward = select(far.item, far.lot).select_from(lots).join(near, _ends_at(near, lots, ends)).join(far, at_far)
    reached = lots.union(onward.where(far.lot != "", far.quantity != Decimal(0)))
    return select(reached.c.item, reached.c.lot).limit(most).cte("reached")


def _ends_at(near: Any, lots: Any, ends: str) -> ColumnElement[bool]:
    of_lot = and_(near.item == lots.c.item, near.lot == lots.c.lot)
    return and_(of_lot, near.direction == ends, near.quantity != Decimal(0))


_LINK = ("plant", "transformation", "order_id", "direction", "item", "lot", "quantity", "uom")
_place = itemgetter(*(_LINK.index(name) for name in ("plant", "transformation", "direction", "item", "lot", "uom")))
_LOT, _QUANTITY = _LINK.index("lot"), _LINK.index("quantity")


def _links_of(session: Session, lots: CTE, ends: str, begins: str) -> list[TracedLink]:
    """Where these lots end, and what begins the transformations at which they do; in one statement, so that the lots
    are reached once."""
    near, far = aliased(TransformationLot), aliased(TransformationLot)
    at_near = _ends_at(near, lots, ends)
    ending = select(*(getattr(near, name) for name in _LINK)).select_from(lots).join(near, at_near)
    steps = select(near.plant, near.transformation).select_from(lots).join(near, at_near).distinct().subquery()
    of_step = and_(far.plant == steps.c.plant, far.transformation == steps.c.transformation)
    beginning = select(*(getattr(far, name) for name in _LINK)).select_from(steps).join(far, of_step)
    both = ending.union_all(beginning.where(far.direction == begins, far.quantity != Decimal(0))).subquery()
    rows = _as_lists(session, both)
    # Sorted here: asked to do it, SQLite reads all links in that order instead of looking these up.
    rows.sort(key=_place)
    amounts: dict[str, Decimal] = {}
    for row in rows:
        text = row[_QUANTITY]
        if text not in amounts:
            amounts[text] = Decimal(text)
        row[_QUANTITY], row[_LOT] = amounts[text], row[_LOT] or None
    return list(map(TracedLink._make, rows))


def _as_lists(session: Session, links: Subquery) -> list[list[Any]]:
    """The rows as lists, the quantity as text. The database writes them as one JSON text: to read that takes a tenth of
    the time that a row object each takes, of which there may be a hundred thousand."""
    connection = session.connection()
    columns: list[Any] = [links.c[name] for name in _LINK]
    if connection.dialect.name == "sqlite":
        columns[_QUANTITY] = type_coerce(columns[_QUANTITY], Text)
        whole: Any = func.json_group_array(func.json_array(*columns))
    else:
        columns[_QUANTITY] = cast(columns[_QUANTITY], Text)
        whole = cast(func.json_agg(func.json_build_array(*columns)), Text)
    text = connection.execute(select(whole)).scalar()
    found: list[list[Any]] = json.loads(text) if text else []
    return found


def _depths(start: Lot, links: Iterable[TracedLink], ends: str) -> dict[Lot, int]:
    steps_of: dict[Lot, list[Step]] = defaultdict(list)
    lots_of: dict[Step, list[Lot]] = defaultdict(list)
    for link in links:
        if link.lot is not None:
            step, lot = (link.plant, link.transformation), (link.item, link.lot)
            if link.direction == ends:
                steps_of[lot].append(step)
            else:
                lots_of[step].append(lot)
    depths, frontier, gone = {start: 0}, [start], set()
    while frontier:
        following: list[Lot] = []
        for lot in frontier:
            for step in steps_of[lot]:
                for other in lots_of[step] if step not in gone else ():
                    if other not in depths:
                        depths[other] = depths[lot] + 1
                        following.append(other)
                gone.add(step)
        frontier = following
    return depths


def _accounts(session: Session, lots: CTE) -> dict[Lot, _Account]:
    """What moved of each lot, by why; moves within and between plants change nothing in sum."""
    accounts: dict[Lot, _Account] = defaultdict(_Account)
    of_lot = and_(Stock.item == lots.c.item, Stock.lot == lots.c.lot)
    held: Any = select(Stock.item, Stock.lot, Stock.plant, Stock.uom, Stock.quantity).select_from(lots)
    for item, lot, plant, uom, quantity in session.execute(held.join(Stock, of_lot)):
        account = accounts[item, lot]
        account.uoms.add(uom)
        account.plants.add(plant)
        account.on_hand += quantity
    if not accounts:
        return accounts
    moved: Any = select(Stock.item, Stock.lot, Movement.kind, Movement.quantity, Movement.document).select_from(lots)
    moved = moved.join(Stock, of_lot).join(Movement, Movement.stock_id == Stock.id)
    moved = moved.where(Movement.void_at.is_(None), Movement.kind != Kind.MOVED.value)
    for item, lot, kind, quantity, document in session.execute(moved):
        account = accounts[item, lot]
        (account.came if quantity > 0 else account.went)[kind] += abs(quantity)
        if document and kind in (Kind.RECEIVED, Kind.SHIPPED):
            account.documents[kind].add(document)
    return accounts


def _traced(lot: Lot, depth: int, account: _Account | None, holds: Sequence[Hold]) -> TracedLot:
    if account is None:
        return TracedLot(*lot, depth, None, (), {}, {}, Decimal(0), {}, holds)
    uom = next(iter(account.uoms)) if len(account.uoms) == 1 else None
    documents = {kind: sorted(named) for kind, named in sorted(account.documents.items())}
    plants = sorted(account.plants)
    flows = dict(account.came), dict(account.went)
    return TracedLot(*lot, depth, uom, plants, *flows, account.on_hand, documents, holds)


def _with_parties(session: Session, lots: Sequence[TracedLot]) -> list[TracedLot]:
    """With whom the lots came from and went to; only those that were received or shipped are looked up."""
    came = suppliers_of_lots(session, [(one.item, one.lot) for one in lots if Kind.RECEIVED in one.documents])
    went = customers_of_lots(session, [(one.item, one.lot) for one in lots if Kind.SHIPPED in one.documents])
    parties = ((sorted(came.get((one.item, one.lot), ())), sorted(went.get((one.item, one.lot), ()))) for one in lots)
    return [
        one._replace(suppliers=suppliers, customers=customers)
        for one, (suppliers, customers) in zip(lots, parties, strict=True)
    ]


def _gaps(links: Sequence[TracedLink], ends: str, direction: Direction) -> list[FoundGap]:
    """A completion that took nothing, and an issue that names no lot. Seen upwards only: downwards a transformation is
    come to by what went in."""
    if direction is not Direction.UP:
        return []
    fed = {(link.plant, link.transformation) for link in links if link.direction == IN}
    gaps = [
        FoundGap(Gap.WITHOUT_ISSUE, link.item, link.lot, link.plant, link.transformation, link.order_id, link.quantity)
        for link in links
        if link.direction == ends and (link.plant, link.transformation) not in fed
    ]
    return gaps + [
        FoundGap(Gap.WITHOUT_LOT, link.item, None, link.plant, link.transformation, link.order_id, link.quantity)
        for link in links
        if link.direction == IN and link.lot is None
    ]


def _imbalances(lots: Iterable[TracedLot]) -> list[FoundGap]:
    """Lots of which more was taken than ever came; of which nothing ever came, nobody knows where they are from."""
    gaps = []
    for one in lots:
        if not one.went:
            continue
        came, went = sum(one.came.values(), Decimal(0)), sum(one.went.values(), Decimal(0))
        if went > came:
            gaps.append(FoundGap(Gap.UNBALANCED if came else Gap.UNKNOWN_LOT, one.item, one.lot, quantity=went - came))
    return gaps
