"""The genealogy of a lot: what it was made of and what was made of it, to any depth, with the gaps in it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import compress, groupby, islice
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import CTE, ColumnElement, Subquery, Text, and_, cast, func, select, type_coerce
from sqlalchemy.orm import Session, aliased

from app.projections.collector import collector_at_rest
from app.projections.hold_lists import open_holds_of_lots
from app.projections.lot_accounts import Account, Lot, accounts_of
from app.projections.lot_links import IN, OUT
from app.projections.lot_lists import customers_of_lots, suppliers_of_lots
from app.projections.movements import Kind
from app.store.availability_tables import Hold
from app.store.order_progress_tables import TransformationLot

LOTS_MOST = 20_000
"""Lots of one answer at most; one that says so is not whole."""
STEPS_BESIDE = 5_000
"""So many more transformations than lots are looked at, at most: several may make one lot."""
_NONE: Mapping[str, Any] = {}
_ZERO = Decimal(0)

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


@dataclass(frozen=True)
class _Walk:
    """What one comes to from a lot. ``depths``: how far each lot is, the nearest first; ``links``: those that were gone
    along, by their key; ``unfed``: transformations in which nothing went, as far as is known."""

    depths: Mapping[Lot, int]
    links: Sequence[TracedLink]
    unfed: Collection[Step]


def trace(session: Session, item: str, lot: str, direction: Direction, most: int = LOTS_MOST) -> Trace:
    """Everything that leads to this lot, or that it led to. Cycles, as rework makes them, are gone round once."""
    with collector_at_rest():
        return _trace(session, item, lot, direction, most)


def _trace(session: Session, item: str, lot: str, direction: Direction, most: int) -> Trace:
    ends, begins = (OUT, IN) if direction is Direction.UP else (IN, OUT)
    rows, all_steps = _links_of(session, (item, lot), ends, begins, most + STEPS_BESIDE)
    walk = _walk((item, lot), rows, ends)
    kept, is_whole = list(islice(walk.depths, most)), len(walk.depths) <= most and all_steps
    links = walk.links
    if not is_whole:
        known = set(kept)
        links = [link for link in links if link.lot is None or (link.item, link.lot) in known]
    accounts = accounts_of(session, kept)
    traced = _traced(session, kept, walk.depths, accounts)
    gaps = [*_gaps(links, walk.unfed, ends), *_unnamed(links)] if direction is Direction.UP else []
    return Trace(traced, links, [*gaps, *_imbalances(traced, accounts)], is_whole)


def _steps_reached(start: Lot, ends: str, begins: str, most: int) -> CTE:
    """The transformations that a recursive query comes to: from a lot to those at which it ends, from these over the
    lots at their other side to the next ones. There are fewer of them than of lots. ``most`` bounds it; which ones are
    left out then is the database's choice."""
    first, near, far = (aliased(TransformationLot) for _ in range(3))
    of_start = and_(first.item == start[0], first.lot == start[1])
    begun = select(first.plant, first.transformation)
    steps = begun.where(of_start, first.direction == ends, first.quantity != Decimal(0)).cte("steps", recursive=True)
    at_far = and_(*_is_of(far, steps), far.direction == begins, far.lot != "", far.quantity != Decimal(0))
    at_near = and_(near.item == far.item, near.lot == far.lot, near.direction == ends, near.quantity != Decimal(0))
    onward = select(near.plant, near.transformation).select_from(steps).join(far, at_far).join(near, at_near)
    reached = steps.union(onward)
    return select(reached.c.plant, reached.c.transformation).limit(most).cte("reached")


def _is_of(link: Any, steps: Any) -> tuple[ColumnElement[bool], ...]:
    return link.plant == steps.c.plant, link.transformation == steps.c.transformation


_LINK = ("plant", "transformation", "order_id", "direction", "item", "lot", "quantity", "uom")
_place = itemgetter(*(_LINK.index(name) for name in ("plant", "transformation", "direction", "item", "lot", "uom")))


def _links_of(session: Session, start: Lot, ends: str, begins: str, most: int) -> tuple[list[list[Any]], bool]:
    """All that went into the transformations that are reached, or came out of them, by its key; and whether these are
    all transformations."""
    steps = _steps_reached(start, ends, begins, most)
    link = aliased(TransformationLot)
    columns = (getattr(link, name) for name in _LINK)
    joined = select(*columns).select_from(steps).join(link, and_(*_is_of(link, steps)))
    rows = _as_lists(session, joined.where(link.quantity != Decimal(0)).subquery())
    # Sorted here: asked to do it, SQLite reads all links in that order instead of looking these up.
    rows.sort(key=_place)
    return rows, sum(1 for _ in groupby(rows, key=_step)) < most


_step = itemgetter(0, 1)
_OF_DIRECTION, _OF_ITEM, _OF_LOT, _OF_QUANTITY = (_LINK.index(n) for n in ("direction", "item", "lot", "quantity"))


def _as_lists(session: Session, links: Subquery) -> list[list[Any]]:
    """The rows as lists, the quantity as text. The database writes them as one JSON text: to read that takes a tenth of
    the time that a row object each takes, of which there may be a hundred thousand."""
    connection = session.connection()
    columns: list[Any] = [links.c[name] for name in _LINK]
    if connection.dialect.name == "sqlite":
        columns[_OF_QUANTITY] = type_coerce(columns[_OF_QUANTITY], Text)
        whole: Any = func.json_group_array(func.json_array(*columns))
    else:
        columns[_OF_QUANTITY] = cast(columns[_OF_QUANTITY], Text)
        whole = cast(func.json_agg(func.json_build_array(*columns)), Text)
    text = connection.execute(select(whole)).scalar()
    found: list[list[Any]] = json.loads(text) if text else []
    return found


def _walk(start: Lot, rows: Sequence[list[Any]], ends: str) -> _Walk:
    """Level by level from the start. Rows of one transformation follow each other; of those at its end only the ones
    count whose lots are come to: what else came out of it leads nowhere."""
    numbers_of: dict[Lot, list[int]] = defaultdict(list)
    far_of: list[list[Lot]] = []
    lots: list[Lot] = []
    unfed: list[Step] = []
    for step, group in groupby(rows, key=_step):
        far: list[Lot] = []
        is_fed = False
        for row in group:
            lot = row[_OF_ITEM], row[_OF_LOT]
            lots.append(lot)
            is_fed = is_fed or row[_OF_DIRECTION] == IN
            if row[_OF_DIRECTION] == ends:
                numbers_of[lot].append(len(far_of))
            elif lot[1]:
                far.append(lot)
        far_of.append(far)
        if not is_fed:
            unfed.append(step)
    depths = _depths(start, numbers_of, far_of)
    came_to = (lot in depths or row[_OF_DIRECTION] != ends for row, lot in zip(rows, lots, strict=True))
    return _Walk(depths, _as_links(compress(rows, came_to)), frozenset(unfed))


def _depths(start: Lot, numbers_of: Mapping[Lot, Sequence[int]], far_of: Sequence[Sequence[Lot]]) -> dict[Lot, int]:
    """Each level in order. Lots and transformations are gone to once."""
    depths, frontier, depth = {start: 0}, [start], 0
    gone: set[int] = set()
    while frontier:
        numbers = {number for lot in frontier for number in numbers_of.get(lot, ())} - gone
        gone |= numbers
        following = {lot for number in numbers for lot in far_of[number] if lot not in depths}
        depth, frontier = depth + 1, sorted(following)
        depths.update(dict.fromkeys(frontier, depth))
    return depths


def _as_links(rows: Iterable[list[Any]]) -> list[TracedLink]:
    amounts: dict[str, Decimal] = {}
    links = []
    for row in rows:
        text = row[_OF_QUANTITY]
        if text not in amounts:
            amounts[text] = Decimal(text)
        row[_OF_QUANTITY], row[_OF_LOT] = amounts[text], row[_OF_LOT] or None
        links.append(TracedLink(*row))
    return links


def _traced(
    session: Session, lots: Sequence[Lot], depths: Mapping[Lot, int], accounts: Mapping[Lot, Account]
) -> list[TracedLot]:
    holds = open_holds_of_lots(session, {one: accounts[one].plants if one in accounts else () for one in lots})
    # Only those that were received or shipped are looked up: with whom they came, and where they went.
    came = suppliers_of_lots(session, [one for one, its in accounts.items() if Kind.RECEIVED in its.documents])
    went = customers_of_lots(session, [one for one, its in accounts.items() if Kind.SHIPPED in its.documents])
    traced = []
    for one in lots:
        account = accounts.get(one)
        if account is None:
            traced.append(TracedLot(*one, depths[one], None, (), _NONE, _NONE, _ZERO, _NONE, holds.get(one, ())))
            continue
        uom = next(iter(account.uoms)) if len(account.uoms) == 1 else None
        documents = {kind: sorted(named) for kind, named in sorted(account.documents.items())}
        plants, came_in, went_out = sorted(account.plants), dict(account.came), dict(account.went)
        held, here = holds.get(one, ()), account.on_hand
        parties = sorted(came.get(one, ())), sorted(went.get(one, ()))
        traced.append(TracedLot(*one, depths[one], uom, plants, came_in, went_out, here, documents, held, *parties))
    return traced


def _gaps(links: Sequence[TracedLink], unfed: Collection[Step], ends: str) -> list[FoundGap]:
    """Completions that took nothing. Looked for upwards only: downwards a transformation is come to by what went in."""
    if not unfed:
        return []
    return [
        FoundGap(Gap.WITHOUT_ISSUE, link.item, link.lot, link.plant, link.transformation, link.order_id, link.quantity)
        for link in links
        if link.direction == ends and (link.plant, link.transformation) in unfed
    ]


def _unnamed(links: Sequence[TracedLink]) -> list[FoundGap]:
    """Issues that name no lot."""
    return [
        FoundGap(Gap.WITHOUT_LOT, link.item, None, link.plant, link.transformation, link.order_id, link.quantity)
        for link in links
        if link.lot is None and link.direction == IN
    ]


def _imbalances(lots: Sequence[TracedLot], accounts: Mapping[Lot, Account]) -> list[FoundGap]:
    """Lots of which more was taken than ever came; of which nothing ever came, nobody knows where they are from."""
    gaps = []
    for one in lots if accounts else ():
        if not one.went:
            continue
        came, went = sum(one.came.values(), Decimal(0)), sum(one.went.values(), Decimal(0))
        if went > came:
            gaps.append(FoundGap(Gap.UNBALANCED if came else Gap.UNKNOWN_LOT, one.item, one.lot, quantity=went - came))
    return gaps
