"""Items, and the versions of items and bills of materials, a page at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, tuple_
from sqlalchemy.orm import Session, aliased

from app.projections.versions import BOM, ITEM
from app.store.order_tables import ToldState
from app.store.reference_tables import Item
from app.store.version_tables import BomComponent, ToldVersion

VERSION_KEY = (ToldVersion.code, ToldVersion.revision)
COMPONENTS_MOST = 1_000
"""Of one bill, as its contract bounds them."""
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class BomFilter:
    """``component``: bills that take it. ``effective_at``: of each item the one bill that is in effect then."""

    item: str | None = None
    component: str | None = None
    effective_at: datetime | None = None


@dataclass(frozen=True)
class BomPicture:
    version: ToldVersion
    components: Sequence[BomComponent] = field(default_factory=tuple)


def list_item_descriptions(
    session: Session, limit: int, after: str | None = None, code: str | None = None
) -> list[tuple[Item, int | None]]:
    """Items by their code, each with the message that told it; None where it was read from the system of record, or
    where what told it was reversed and nobody has told it since."""
    query = select(Item).order_by(Item.code).limit(limit)
    if after is not None:
        query = query.where(Item.code > after)
    if code is not None:
        query = query.where(Item.code == code)
    items = session.scalars(query).all()
    things = {f"{ITEM}:{item.code}": item.code for item in items}
    told = select(ToldState.thing, ToldState.message_id).where(ToldState.thing.in_(sorted(things)))
    messages = {things[row.thing]: row.message_id for row in session.execute(told)} if things else {}
    return [(item, messages.get(item.code)) for item in items]


def list_item_versions(session: Session, code: str, limit: int, before: int | None = None) -> Sequence[ToldVersion]:
    """What was told of an item, the last entered first, void ones with them."""
    query = select(ToldVersion).where(ToldVersion.kind == ITEM, ToldVersion.code == code)
    if before is not None:
        query = query.where(ToldVersion.id < before)
    return session.scalars(query.order_by(ToldVersion.id.desc()).limit(limit)).all()


def list_boms(session: Session, chosen: BomFilter, limit: int, after: Sequence[str] | None = None) -> list[BomPicture]:
    """The bills that stand, by item and revision; ``after`` is the key of the last of the page before."""
    query = select(ToldVersion).where(ToldVersion.stands.expression)
    if chosen.item is not None:
        query = query.where(ToldVersion.code == chosen.item)
    if chosen.component is not None:
        # Only bills have components; told the kind besides, SQLite reads all bills.
        query = query.where(ToldVersion.id.in_(_takers(chosen.component)))
    else:
        query = query.where(ToldVersion.kind == BOM)
    if chosen.effective_at is not None:
        query = query.where(*_in_effect(chosen.effective_at))
    if after is not None:
        query = query.where(tuple_(*VERSION_KEY) > tuple(after))
    versions = session.scalars(query.order_by(*VERSION_KEY).limit(limit)).all()
    components: dict[int, list[BomComponent]] = defaultdict(list)
    of_them = select(BomComponent).where(BomComponent.version_id.in_([version.id for version in versions]))
    of_them = of_them.order_by(BomComponent.version_id, BomComponent.number).limit(COMPONENTS_MOST * len(versions))
    for one in session.scalars(of_them) if versions else ():
        components[one.version_id].append(one)
    return [BomPicture(version, components[version.id]) for version in versions]


def _takers(component: str) -> Any:
    return select(BomComponent.version_id).where(BomComponent.item == component)


def _in_effect(moment: datetime) -> list[ColumnElement[bool]]:
    """Effective then, and no other of the item that is became so later."""
    other = aliased(ToldVersion)
    better = and_(
        other.kind == ToldVersion.kind,
        other.code == ToldVersion.code,
        other.stands.expression,
        _covers(other, moment),
        _rank(other) > _rank(ToldVersion),
    )
    return [_covers(ToldVersion, moment), ~select(other.id).where(better).exists()]


def _covers(version: Any, moment: datetime) -> ColumnElement[bool]:
    begun = or_(version.effective_from_at.is_(None), version.effective_from_at <= moment)
    return and_(begun, or_(version.effective_until_at.is_(None), version.effective_until_at > moment))


def _rank(version: Any) -> Any:
    began = func.coalesce(version.effective_from_at, LONG_AGO)
    return tuple_(began, version.happened_at, version.message_id, version.event_index)
