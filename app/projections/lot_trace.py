"""The genealogy of a lot: what it was made of and what was made of it, to any depth, with the gaps in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import and_, select, tuple_
from sqlalchemy.orm import Session, aliased

from app.projections.lot_links import IN, OUT
from app.projections.movements import Kind
from app.store.ledger_tables import Movement, Stock
from app.store.order_progress_tables import TransformationLot

LOTS_MOST = 20_000
"""Lots of one answer at most; one that says so is not whole."""
CHUNK = 400

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


@dataclass(frozen=True)
class TracedLot:
    """``depth``: how many transformations away. ``came`` and ``went``: how much of it, by why, in ``uom``;
    ``documents``: those of its receipts and shipments; ``on_hand``: what is left."""

    item: str
    lot: str
    depth: int
    uom: str | None
    plants: Sequence[str]
    came: Mapping[str, Decimal]
    went: Mapping[str, Decimal]
    on_hand: Decimal
    documents: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class TracedLink:
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
    return sorted({*session.scalars(moved), *session.scalars(linked)})


def trace(session: Session, item: str, lot: str, direction: Direction, most: int = LOTS_MOST) -> Trace:
    """Everything that leads to this lot, or that it led to. Cycles, as rework makes them, are gone round once."""
    ends, begins = (OUT, IN) if direction is Direction.UP else (IN, OUT)
    found = _reachable(session, (item, lot), ends, begins, most + 1)
    is_whole = len(found) <= most
    links = _links_of(session, found, ends, begins)
    depths = _depths((item, lot), links, ends)
    lots = sorted((one for one in found if one in depths), key=lambda one: (depths[one], one))[:most]
    kept = set(lots)
    links = [link for link in links if link.lot is None or (link.item, link.lot) in kept]
    accounts = _accounts(session, lots)
    traced = [_traced(one, depths[one], accounts.get(one, _Account())) for one in lots]
    return Trace(traced, links, [*_gaps(links, ends, direction), *_imbalances(traced)], is_whole)


def _reachable(session: Session, start: Lot, ends: str, begins: str, most: int) -> list[Lot]:
    """One recursive query: from a lot to its transformations, from these to the lots at their other side."""
    reached = select(TransformationLot.item.label("item"), TransformationLot.lot.label("lot")).where(
        TransformationLot.item == start[0], TransformationLot.lot == start[1]
    )
    lots = reached.distinct().cte("lots", recursive=True)
    near, far = aliased(TransformationLot), aliased(TransformationLot)
    at_near = and_(near.item == lots.c.item, near.lot == lots.c.lot, near.direction == ends, near.quantity != 0)
    at_far = and_(far.plant == near.plant, far.transformation == near.transformation, far.direction == begins)
    onward = (
        select(far.item, far.lot)
        .select_from(lots)
        .join(near, at_near)
        .join(far, at_far)
        .where(far.lot != "", far.quantity != 0)
    )
    lots = lots.union(onward)
    rows = [(row.item, row.lot) for row in session.execute(select(lots.c.item, lots.c.lot).limit(most))]
    return rows if start in rows else [start, *rows][:most]


def _links_of(session: Session, lots: Sequence[Lot], ends: str, begins: str) -> list[TracedLink]:
    """The transformations at which these lots end, and what begins them."""
    rows: dict[tuple[Any, ...], TransformationLot] = {}
    steps: set[Step] = set()
    for chunk in _chunks(lots):
        at_end = select(TransformationLot).where(
            tuple_(TransformationLot.item, TransformationLot.lot).in_(chunk),
            TransformationLot.direction == ends,
            TransformationLot.quantity != 0,
        )
        for row in session.scalars(at_end):
            rows[_key(row)] = row
            steps.add((row.plant, row.transformation))
    for chunk in _chunks(sorted(steps)):
        at_begin = select(TransformationLot).where(
            tuple_(TransformationLot.plant, TransformationLot.transformation).in_(chunk),
            TransformationLot.direction == begins,
            TransformationLot.quantity != 0,
        )
        rows |= {_key(row): row for row in session.scalars(at_begin)}
    return [_link(rows[key]) for key in sorted(rows)]


def _key(row: TransformationLot) -> tuple[str, ...]:
    return row.plant, row.transformation, row.direction, row.item, row.lot, row.uom


def _link(row: TransformationLot) -> TracedLink:
    named = (row.plant, row.transformation, row.order_id, row.direction, row.item)
    return TracedLink(*named, row.lot or None, row.quantity, row.uom)


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


def _accounts(session: Session, lots: Sequence[Lot]) -> dict[Lot, _Account]:
    """What moved of each lot, by why; moves within and between plants change nothing in sum."""
    accounts: dict[Lot, _Account] = {}
    for chunk in _chunks(lots):
        in_chunk = tuple_(Stock.item, Stock.lot).in_(chunk)
        held: Any = select(Stock.item, Stock.lot, Stock.plant, Stock.uom, Stock.quantity).where(in_chunk)
        for row in session.execute(held):
            account = accounts.setdefault((row.item, row.lot), _Account())
            account.uoms.add(row.uom)
            account.plants.add(row.plant)
            account.on_hand += row.quantity
        moved: Any = select(Stock.item, Stock.lot, Movement.kind, Movement.quantity, Movement.document)
        moved = moved.join(Movement, Movement.stock_id == Stock.id)
        moved = moved.where(in_chunk, Movement.void_at.is_(None), Movement.kind != Kind.MOVED.value)
        for row in session.execute(moved):
            account = accounts[row.item, row.lot]
            (account.came if row.quantity > 0 else account.went)[row.kind] += abs(row.quantity)
            if row.document and row.kind in (Kind.RECEIVED, Kind.SHIPPED):
                account.documents[row.kind].add(row.document)
    return accounts


def _traced(lot: Lot, depth: int, account: _Account) -> TracedLot:
    uom = next(iter(account.uoms)) if len(account.uoms) == 1 else None
    documents = {kind: sorted(named) for kind, named in sorted(account.documents.items())}
    plants = sorted(account.plants)
    return TracedLot(*lot, depth, uom, plants, dict(account.came), dict(account.went), account.on_hand, documents)


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
        came, went = sum(one.came.values(), Decimal(0)), sum(one.went.values(), Decimal(0))
        if went > came:
            gaps.append(FoundGap(Gap.UNBALANCED if came else Gap.UNKNOWN_LOT, one.item, one.lot, quantity=went - came))
    return gaps


def _chunks(values: Sequence[tuple[str, str]] | Collection[tuple[str, str]]) -> Iterable[list[tuple[str, str]]]:
    rows = list(values)
    for start in range(0, len(rows), CHUNK):
        yield rows[start : start + CHUNK]
