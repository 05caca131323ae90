"""The rounds in which rules look for business exceptions, and look again at those that they raised.

A round goes on where the last one ended, rule by rule and plant by plant, for a few seconds at most. Each step reads a
portion by an index, and writes only where something is to be raised or closed.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.business_exceptions.raising import RESOLVED, Cause, close_exceptions, raise_exceptions
from app.exception_rules.registry import RULES
from app.exception_rules.rule import Context, Key, Portion, Rule
from app.store.exception_tables import UNRESOLVED, WATCHED, BusinessException, ExceptionWalk
from app.store.leases import keep_lease, take_lease
from app.store.session import Store
from config.topology import Topology

LEASE, LEASE_SECONDS = "exception-rules", 120.0
EVERY_SECONDS = 15.0
"""So long after a step of one rule and plant begins the next one at the earliest."""
ROUND_SECONDS = 5.0
PORTION = 200
PORTIONS_A_STEP = 5
UNRESOLVED_MOST = 500
"""Exceptions of one rule and plant at a time. More say less: of those beyond there is one that tells so."""
MANY: Key = ("many",)
NEVER = datetime.fromisoformat("2000-01-01T00:00Z")
NOT_ASKED_FOR = "The topology does not ask for this any more."


@dataclass(frozen=True)
class Seen:
    """An exception of a key as it stands: unresolved, or resolved by a person while its cause stands still."""

    id: int
    cause: str
    key: Key
    state: str
    told: tuple[Any, ...]


def judge_rules(store: Store, topology: Topology, clock: Callable[[], datetime], seconds: float = ROUND_SECONDS) -> int:
    """One round; returns how many steps it took: none where no rule is asked for, or another process is at it."""
    if not topology.exceptions.is_judged:
        return 0
    until = time.monotonic() + seconds
    now, token = clock(), secrets.token_hex(16)
    with store.reading() as session:
        if not _due_walks(session, topology, now):
            return 0
    with store.writing() as session:
        if not take_lease(session, LEASE, token, now, LEASE_SECONDS):
            return 0
        _begin_walks(session, topology, now)
        walks = _due_walks(session, topology, now)
    places: list[dict[str, Any]] = []
    for rule, plant in walks:
        if places and time.monotonic() >= until:
            break
        places.append(_step(store, _context(topology, rule, plant, clock()), rule))
    with store.writing() as session:
        # Together: what a killed worker looked at is looked at once more, and nothing else comes of it.
        session.execute(update(ExceptionWalk), places)
        keep_lease(session, LEASE, token, clock(), 0)
    return len(places)


def _context(topology: Topology, rule: Rule, plant: str, now: datetime) -> Context:
    return Context(topology, plant, now, topology.exceptions.of(rule.word, plant))


def _due_walks(session: Session, topology: Topology, now: datetime) -> list[tuple[Rule, str]]:
    """What was looked at longest ago comes first; a time beyond now was written by a clock that has been set back."""
    walks = {(walk.rule, walk.plant): walk.looked_at for walk in session.scalars(select(ExceptionWalk))}
    before = now - timedelta(seconds=EVERY_SECONDS)
    wanted = [
        (walks.get((rule.word, plant), NEVER), rule, plant) for plant in topology.plants for rule in RULES.values()
    ]
    due = [one for one in wanted if not before < one[0] <= now]
    return [(rule, plant) for _, rule, plant in sorted(due, key=lambda one: one[0])]


def _begin_walks(session: Session, topology: Topology, now: datetime) -> None:
    known = {(row.rule, row.plant) for row in session.execute(select(ExceptionWalk.rule, ExceptionWalk.plant))}
    build: Any = sqlite.insert if session.connection().dialect.name == "sqlite" else postgresql.insert
    for rule, plant in ((rule, plant) for plant in topology.plants for rule in RULES.values()):
        if (rule.word, plant) not in known:
            after = rule.begin(session, _context(topology, rule, plant, now))
            values = {"rule": rule.word, "plant": plant, "after": after, "watched_after": 0, "looked_at": NEVER}
            session.execute(build(ExceptionWalk).values(values).on_conflict_do_nothing())


def _step(store: Store, context: Context, rule: Rule) -> dict[str, Any]:
    """Look at the next portions of what may be wrong, and at a portion of what was raised; returns where to go on."""
    with store.reading() as session:
        walk = session.get_one(ExceptionWalk, (rule.word, context.plant))
        watched = _watched(session, rule, context.plant, walk.watched_after)
        holding = _judged(session, context, rule, [seen.key for seen in watched if seen.key != MANY])
        found, after = _look(session, context, rule, walk.after)
        known = _known(session, rule, context, found)
        room = UNRESOLVED_MOST - _unresolved(session, rule, context.plant)
    onward = watched[-1].id if len(watched) >= PORTION else 0
    raised = _to_raise(context, rule, found, known, room)
    updated = [cause for seen in watched if (cause := holding.get(seen.key)) and _is_changed(seen, cause)]
    gone = [seen for seen in watched if seen.key not in holding and (seen.key != MANY or room > 0)]
    if raised or updated or gone:
        _write(store, context, rule, [*raised, *updated], gone)
    place = {"rule": rule.word, "plant": context.plant, "after": after, "watched_after": onward}
    return {**place, "looked_at": context.now}


def _write(store: Store, context: Context, rule: Rule, causes: Sequence[Cause], gone: Sequence[Seen]) -> None:
    with store.writing() as session:
        raise_exceptions(session, causes, context.now, context.topology.exceptions)
        how = rule.gone if context.settings.enabled else NOT_ASKED_FOR
        close_exceptions(session, [seen.id for seen in gone if seen.state != RESOLVED], how, context.now)
        _forget_waived(session, [seen.id for seen in gone if seen.state == RESOLVED])


_AS_TOLD = {"synchronize_session": False}


def _look(session: Session, context: Context, rule: Rule, after: Any) -> tuple[dict[Key, Cause], Any]:
    """Some portions of the walk, and where it goes on."""
    found: dict[Key, Cause] = {}
    place = None if after is None else tuple(after)
    if not context.settings.enabled:
        return found, place
    for _ in range(PORTIONS_A_STEP):
        portion: Portion = rule.candidates(session, context, place, PORTION)
        found |= _judged(session, context, rule, portion.keys)
        is_over = portion.after is None or portion.after == place
        place = portion.after
        if is_over:
            break
    return found, place


def _judged(session: Session, context: Context, rule: Rule, keys: Sequence[Key]) -> dict[Key, Cause]:
    if not keys or not context.settings.enabled:
        return {}
    return {key: _with_key(cause, key) for key, cause in rule.judge(session, context, keys)}


def _with_key(cause: Cause, key: Key) -> Cause:
    return Cause(**{**vars(cause), "detail": {**cause.detail, "key": list(key)}})


_SEEN = (
    *(BusinessException.id, BusinessException.cause, BusinessException.state, BusinessException.detail),
    *(BusinessException.message, BusinessException.severity, BusinessException.messages),
)


def _watched(session: Session, rule: Rule, plant: str, after: int) -> list[Seen]:
    query = select(*_SEEN).where(
        BusinessException.rule == rule.word,
        BusinessException.plant == plant,
        BusinessException.id > after,
        text(f"({WATCHED.text})"),
    )
    return [_seen(row) for row in session.execute(query.order_by(BusinessException.id).limit(PORTION))]


def _known(session: Session, rule: Rule, context: Context, found: Mapping[Key, Cause]) -> dict[Key, Seen]:
    """What stands of these causes already."""
    causes = [cause.key for cause in found.values()]
    known: dict[Key, Seen] = {}
    for start in range(0, len(causes), PORTION):
        of_them = BusinessException.cause.in_(causes[start : start + PORTION])
        rows = session.execute(select(*_SEEN).where(of_them, text(f"({WATCHED.text})")))
        known |= {seen.key: seen for seen in map(_seen, rows)}
    return known


def _seen(row: Any) -> Seen:
    key = tuple((row.detail or {}).get("key", MANY))
    return Seen(row.id, row.cause, key, row.state, (row.message, row.severity, row.messages))


def _unresolved(session: Session, rule: Rule, plant: str) -> int:
    """How many are unresolved, no further than it matters."""
    of_rule = (BusinessException.rule == rule.word, BusinessException.plant == plant, UNRESOLVED)
    return len(session.scalars(select(BusinessException.id).where(*of_rule).limit(UNRESOLVED_MOST)).all())


def _is_changed(seen: Seen, cause: Cause) -> bool:
    return seen.state != RESOLVED and seen.told[0] != cause.message


def _to_raise(
    context: Context, rule: Rule, found: Mapping[Key, Cause], known: Mapping[Key, Seen], room: int
) -> list[Cause]:
    """What is new; what a person resolved is not, as long as its cause stands."""
    new = [cause for key, cause in found.items() if key not in known]
    if len(new) <= max(0, room):
        return new
    many = Cause(
        rule=rule.word,
        key=rule.cause_of(context, MANY),
        subject=f"further ones of {context.plant}",
        severity=context.settings.severity,
        message=(
            f"More than {UNRESOLVED_MOST} of this kind stand in {context.plant}; the others are raised as these are "
            "resolved. Is the threshold right, or has something larger gone wrong?"
        ),
        plant=context.plant,
        object_type="plant",
        object_id=context.plant,
        detail={"key": list(MANY)},
    )
    return [*new[: max(0, room)], many]


def _forget_waived(session: Session, ids: Sequence[int]) -> None:
    """Their cause is gone: should it come back, it is raised anew."""
    if ids:
        chosen = update(BusinessException).where(BusinessException.id.in_(ids)).values(waived=False)
        session.execute(chosen, execution_options=_AS_TOLD)
