"""How many calls to each target may begin now: counted in the database, for all workers together.

Whoever takes room holds the rows of its targets until it commits, so what the last calls told and what is taken for
the next are one transaction. These rows are taken last in it, in the order of their names, and no message is touched
after them: nobody waits in a circle.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, bindparam, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.postings.bucket import Bucket, filled, next_token_at
from app.postings.circuit import CLOCKS_DIFFER_SECONDS, Circuit, CircuitState, Told, after_calls, is_over, looked_at
from app.store.base import table_of
from app.store.prepared import Prepared
from app.store.target_tables import TargetCalls, TargetState
from config.topology import Target

# A plant that found no room keeps one call of the target to itself for so long, however much others have to post.
WISH_SECONDS = 30.0


@dataclass(frozen=True)
class Calls:
    """Calls of one holder to one target that may be under way."""

    target: str
    holder: str
    plant: str
    calls: int
    until: datetime


@dataclass(frozen=True)
class Known:
    """A target's circuit and bucket as the database has them, and with what was told since."""

    circuit: Circuit
    bucket: Bucket | None = None


@dataclass(frozen=True)
class Look:
    """A target's circuit. ``alone``: why nothing may be sent there now. ``is_news``: what was told changed it."""

    circuit: Circuit
    alone: str | None
    is_news: bool


@dataclass
class Room:
    """``calls``: how many may begin side by side. ``postings``: how many these may make in turn, by the target's rate;
    None is no bound. Without room: ``again_at`` is when to look again."""

    calls: int
    postings: int | None = None
    again_at: datetime | None = None


def read_circuits(
    session: Session, targets: Mapping[str, Target], told: Mapping[str, Told], now: datetime
) -> dict[str, Look]:
    """What may be sent to each target, with what the last calls told. Holds nobody up, so that it may have changed when
    room is taken."""
    found = {row.target: _circuit_of(row) for row in _STATES.rows(session)}
    probed = {code: targets[code] for code, was in found.items() if _is_probed(was) and code in targets}
    busy = {calls.target for calls in _under_way(session, probed, now) if calls.calls}
    looks = {}
    for code, target in targets.items():
        was = found.get(code, Circuit())
        circuit = after_calls(was, told.get(code, Told()), target.circuit, now)
        is_open = circuit.state is CircuitState.OPEN and not is_over(circuit, target.circuit, now)
        # Who was let through reports here, so what is under way is not another's.
        alone = is_open or (_is_probed(circuit) and code in busy and code not in told)
        looks[code] = Look(circuit, _told_of(code, circuit) if alone else None, circuit != was)
    return looks


def known_targets(session: Session, targets: Mapping[str, Target], now: datetime) -> dict[str, Known]:
    """Circuit and bucket of each of these, as they are now."""
    rows = {row.target: row for row in _STATES.rows(session)}
    found = {}
    for code, target in targets.items():
        circuit = _circuit_of(rows[code]) if code in rows else Circuit()
        bucket = _bucket_of(rows[code]) if code in rows else None
        full = filled(bucket, target.rate, now) if target.rate else None
        found[code] = Known(looked_at(circuit, target.circuit, now), full)
    return found


def _is_probed(circuit: Circuit) -> bool:
    return circuit.state is CircuitState.HALF_OPEN


def _told_of(target: str, circuit: Circuit) -> str:
    """Why a target is left alone, for people."""
    times = f"{circuit.failures} calls in a row failed" if circuit.failures else "it asked for it"
    return f"Target {target} is left alone for a while, as {times}; it is tried again by itself."


def hold_room(
    session: Session, targets: Mapping[str, Target], told: Mapping[str, Told], plant: str, now: datetime
) -> tuple[dict[str, Room], dict[str, Known]]:
    """Hold these targets, note what calls told about them, and say what room there is for this plant."""
    if not targets:
        return {}, {}
    rows = _locked(session, sorted(targets))
    under_way = _under_way(session, targets, now)
    rooms, known = {}, {}
    for code, target in targets.items():
        was, mine = _circuit_of(rows[code]), [calls for calls in under_way if calls.target == code]
        circuit = after_calls(was, told.get(code, Told()), target.circuit, now)
        if not sum(calls.calls for calls in mine):
            circuit = looked_at(circuit, target.circuit, now)
        if circuit != was:
            _save_circuit(session, code, circuit)
        known[code] = Known(circuit, filled(_bucket_of(rows[code]), target.rate, now) if target.rate else None)
        rooms[code] = _room(target, known[code], mine, plant, now)
    return rooms, known


def _room(target: Target, known: Known, under_way: list[Calls], plant: str, now: datetime) -> Room:
    busy = sum(calls.calls for calls in under_way)
    if known.circuit.state is CircuitState.CLOSED:
        room = Room(_calls_left(target, under_way, plant, busy), again_at=now)
    else:
        room = Room(int(known.circuit.state is CircuitState.HALF_OPEN and not busy), 1, now)
    if known.bucket is not None and target.rate is not None:
        room.postings = known.bucket.whole if room.postings is None else min(room.postings, known.bucket.whole)
        room.again_at = now if known.bucket.whole else next_token_at(known.bucket, target.rate)
    return room


def _calls_left(target: Target, under_way: list[Calls], plant: str, busy: int) -> int:
    """All that are free, but one for each other plant that posts there or found no room lately."""
    others = {calls.plant for calls in under_way if calls.plant != plant}
    mine = sum(calls.calls for calls in under_way if calls.plant == plant)
    return min(target.calls_in_flight - busy, max(1, target.calls_in_flight - len(others)) - mine)


def take_room(
    session: Session,
    known: Mapping[str, Known],
    calls: Mapping[str, int],
    postings: Mapping[str, int],
    holder: str,
    plant: str,
    until: datetime,
) -> None:
    """Note that ``holder`` makes so many calls side by side, and so many postings, until then at the latest."""
    taken = sorted(known.keys() & calls.keys())
    rows = [{"target": c, "holder": holder, "plant": plant, "calls": calls[c], "until": until} for c in taken]
    _TAKE.run_each(session, rows)
    for code in taken:
        bucket = known[code].bucket
        if bucket is not None:
            values = {"tokens": bucket.tokens - postings[code], "tokens_at": bucket.at}
            session.execute(_only(update(TargetState).where(TargetState.target == code).values(values)))


def give_back_room(session: Session, holder: str) -> None:
    """Whatever calls ``holder`` made have ended."""
    _GIVE_BACK.run(session, of_holder=holder)


def wish_for_room(session: Session, targets: Iterable[str], plant: str, now: datetime) -> None:
    """This plant found no room there: others leave it some from now on."""
    until = now + timedelta(seconds=WISH_SECONDS)
    holder = f"wish:{plant}"
    rows = [{"target": c, "holder": holder, "plant": plant, "calls": 0, "until": until} for c in sorted(targets)]
    if rows:
        build = _build(session)(TargetCalls)
        statement = build.on_conflict_do_update(index_elements=["target", "holder"], set_={"until": until})
        session.connection().execute(statement, rows)


def try_at_once(session: Session, target: str, now: datetime) -> bool:
    """A person says that it is well again: one posting is let through now. False where the circuit is closed."""
    row = session.execute(select(*_STATE).where(TargetState.target == target).with_for_update()).one_or_none()
    if row is None or row.circuit == CircuitState.CLOSED.value:
        return False
    _save_circuit(session, target, replace(_circuit_of(row), state=CircuitState.OPEN, retry_at=now))
    return True


_ONE, _CALL = table_of(TargetState).c, table_of(TargetCalls).c
_STATE = (
    *(_ONE.target, _ONE.circuit, _ONE.failures, _ONE.openings, _ONE.opened_at, _ONE.retry_at),
    *(_ONE.tokens, _ONE.tokens_at),
)
_STATES = Prepared(select(*_STATE))
_CODES: BindParameter[Any] = bindparam("codes", expanding=True)
_LOCKED = Prepared(select(*_STATE).where(_ONE.target.in_(_CODES)).order_by(_ONE.target).with_for_update())
_UNDER_WAY = Prepared(
    select(_CALL.target, _CALL.holder, _CALL.plant, _CALL.calls, _CALL.until).where(_CALL.target.in_(_CODES))
)
_TAKE = Prepared(insert(table_of(TargetCalls)))
_GIVE_BACK = Prepared(delete(table_of(TargetCalls)).where(_CALL.holder == bindparam("of_holder")))


def _locked(session: Session, codes: list[str]) -> dict[str, Any]:
    rows = {row.target: row for row in _LOCKED.rows(session, codes=codes)}
    if len(rows) == len(codes):
        return rows
    new = [{"target": code, "circuit": CircuitState.CLOSED.value, "failures": 0, "openings": 0} for code in codes]
    session.connection().execute(_build(session)(TargetState).on_conflict_do_nothing(), new)
    return {row.target: row for row in _LOCKED.rows(session, codes=codes)}


def _under_way(session: Session, targets: Mapping[str, Target], now: datetime) -> list[Calls]:
    """The calls that may not have ended. One that would last for longer than any can was noted by a clock that has been
    set back since."""
    if not targets:
        return []
    longest = max(2 * target.timeout_seconds for target in targets.values()) + WISH_SECONDS + CLOCKS_DIFFER_SECONDS
    beyond = now + timedelta(seconds=longest)
    rows = _UNDER_WAY.rows(session, codes=sorted(targets))
    found = [Calls(*row) for row in rows]
    live = [calls for calls in found if now < calls.until <= beyond]
    for calls in set(found) - set(live):
        mine = (TargetCalls.target == calls.target, TargetCalls.holder == calls.holder)
        session.execute(_only(delete(TargetCalls).where(*mine, TargetCalls.until == calls.until)))
    return live


def _circuit_of(row: Any) -> Circuit:
    return Circuit(CircuitState(row.circuit), row.failures, row.openings, row.opened_at, row.retry_at)


def _bucket_of(row: Any) -> Bucket | None:
    return None if row.tokens is None or row.tokens_at is None else Bucket(row.tokens, row.tokens_at)


def _save_circuit(session: Session, target: str, circuit: Circuit) -> None:
    values = {
        "circuit": circuit.state.value,
        "failures": circuit.failures,
        "openings": circuit.openings,
        "opened_at": circuit.opened_at,
        "retry_at": circuit.retry_at,
    }
    session.execute(_only(update(TargetState).where(TargetState.target == target).values(values)))


def _build(session: Session) -> Any:
    return sqlite.insert if session.connection().dialect.name == "sqlite" else postgresql.insert


def _only(statement: Any) -> Any:
    return statement.execution_options(synchronize_session=False)
