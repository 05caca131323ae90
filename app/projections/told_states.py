"""Who told the newest state of a thing: an item, a bill of materials, an order's release.

Such an event tells the whole thing, so an older one that comes late must change nothing. What is counted (completions,
movements) is not of this kind: it counts whenever it comes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.store.order_tables import ToldState

# Whoever reads the system of record reads it later than any message that bears the same time was sent.
_READ_LAST = 2**63
_NOBODY = ""
_KINDS = {"bom": "bill of materials of", "purchase_order": "purchase order"}
CHUNK = 500


@dataclass(frozen=True)
class Telling:
    """One event's word about a thing. ``as_of``: when it was so, never later than it was received, since a single wrong
    date would otherwise hide all that comes after. ``sequence_rank``: its place by the sender's own sequence."""

    thing: str
    source: str
    as_of: datetime
    message_id: int | None = None
    ordering_key: str | None = None
    sequence_rank: str | None = None

    def is_newer_than(self, other: Telling) -> bool:
        """By sequence where one sender numbered both within one key, else by time; the later accepted of equals."""
        numbered = self.sequence_rank is not None and other.sequence_rank is not None
        if numbered and (self.source, self.ordering_key) == (other.source, other.ordering_key):
            return (self.sequence_rank, self._arrival) > (other.sequence_rank, other._arrival)
        return (self.as_of, self._arrival) > (other.as_of, other._arrival)

    def goes_on_from(self, other: Telling) -> bool:
        """Whether the same message tells it a second time, and no older."""
        return self.message_id is not None and self.message_id == other.message_id and self.as_of >= other.as_of

    @property
    def _arrival(self) -> int:
        return _READ_LAST if self.message_id is None else self.message_id

    def __str__(self) -> str:
        by = f"read from {self.source}" if self.message_id is None else f"told by message {self.message_id}"
        return f"{named(self.thing)} stands as {by}, as of {self.as_of.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def named(thing: str) -> str:
    """The thing as a person calls it."""
    kind, _, code = thing.partition(":")
    if kind == "order":
        code = code.partition(":")[2]
    return f"{_KINDS.get(kind, kind)} {code}"


def standing(session: Session, things: Collection[str]) -> dict[str, Telling]:
    """What stands of these things, where anybody told it."""
    found: dict[str, Telling] = {}
    wanted = sorted(things)
    for start in range(0, len(wanted), CHUNK):
        query = select(ToldState).where(ToldState.thing.in_(wanted[start : start + CHUNK]))
        found |= {row.thing: _telling(row) for row in session.execute(query).scalars() if row.source != _NOBODY}
    return found


def lock_standing(session: Session, things: Collection[str]) -> dict[str, Telling]:
    """The same, and nobody else may tell of these things until the caller commits; rows are locked in one order."""
    long_ago = datetime(1970, 1, 1, tzinfo=UTC)
    found: dict[str, Telling] = {}
    wanted = sorted(things)
    for start in range(0, len(wanted), CHUNK):
        chunk = wanted[start : start + CHUNK]
        rows = [{"thing": thing, "source": _NOBODY, "as_of": long_ago} for thing in chunk]
        session.connection().execute(_insert(session).on_conflict_do_nothing(), rows)
        query = select(ToldState).where(ToldState.thing.in_(chunk)).order_by(ToldState.thing)
        locked = session.execute(query.with_for_update().execution_options(populate_existing=True)).scalars()
        found |= {row.thing: _telling(row) for row in locked if row.source != _NOBODY}
    return found


def stand(session: Session, tellings: Iterable[Telling]) -> None:
    """From now on these stand; the caller has locked their things."""
    rows: list[dict[str, Any]] = [
        {
            "thing": telling.thing,
            "message_id": telling.message_id,
            "source": telling.source,
            "ordering_key": telling.ordering_key,
            "sequence_rank": telling.sequence_rank,
            "as_of": telling.as_of,
        }
        for telling in tellings
    ]
    if not rows:
        return
    statement = _insert(session)
    replaced = {name: statement.excluded[name] for name in rows[0] if name != "thing"}
    session.connection().execute(statement.on_conflict_do_update(index_elements=["thing"], set_=replaced), rows)


def forget(session: Session, things: Collection[str], message_ids: Sequence[int]) -> None:
    """These messages were reversed: where one of them stands nothing does, until somebody tells it anew. Rows are
    locked in the order in which all others lock them."""
    wanted = sorted(things)
    for start in range(0, len(wanted), CHUNK):
        of_them = (ToldState.thing.in_(wanted[start : start + CHUNK]), ToldState.message_id.in_(message_ids))
        query = select(ToldState.thing).where(*of_them).order_by(ToldState.thing).with_for_update()
        locked = session.scalars(query).all()
        if locked:
            told = delete(ToldState).where(ToldState.thing.in_(locked), ToldState.message_id.in_(message_ids))
            session.execute(told.execution_options(synchronize_session=False))


def weigh(
    tellings: Mapping[int, Mapping[int, Telling]], stands: Mapping[str, Telling]
) -> tuple[dict[int, dict[int, Telling]], dict[str, Telling]]:
    """Messages' tellings, by the event's number and in the order they take effect, against what stands.

    Returns for each that is older what it loses to, and what stands anew in the end.
    """
    stale: dict[int, dict[int, Telling]] = {}
    new: dict[str, Telling] = {}
    for message_id, told in tellings.items():
        for index, telling in told.items():
            current = new.get(telling.thing) or stands.get(telling.thing)
            if current is None or telling.is_newer_than(current) or telling.goes_on_from(current):
                new[telling.thing] = telling
            else:
                stale.setdefault(message_id, {})[index] = current
    return stale, new


def _telling(row: ToldState) -> Telling:
    return Telling(row.thing, row.source, row.as_of, row.message_id, row.ordering_key, row.sequence_rank)


def _insert(session: Session) -> Any:
    build: Any = sqlite.insert if session.connection().dialect.name == "sqlite" else postgresql.insert
    return build(ToldState)
