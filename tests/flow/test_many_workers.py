"""Many workers over one database, in any order and falling at any moment, keep every promise of the core."""

from __future__ import annotations

import random
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select

from app.inbox.accept import Incoming
from app.inbox.states import MOVES, State
from app.store.counts import message_counts
from app.store.messages_tables import Message, TimelineEntry
from app.store.postings_tables import Posting
from app.store.session import Store
from tests.factories import NOON, accept, completion, know_items, move_event, release
from tests.fakes import Clock
from tests.flow.many_workers import PLANTS, Plants
from tests.reading import projected_orders

pytestmark = pytest.mark.slow

COMPLETIONS = 4


def _shift(chance: random.Random, batch: int) -> list[Incoming]:
    """Some of everything, mixed. Keys that the sender named arrive in any order, each completion before or after its
    release; keys that are known only after the transform arrive in theirs, as what comes too late is not reordered."""
    mixed: list[Incoming] = []
    in_order: list[Incoming] = []
    for plant in PLANTS:
        name = f"{plant}-{batch}"
        hour = f"2026-03-02T{10 + batch}"
        mixed += [move_event(f"{name}-free-{n}", plant=plant) for n in range(3)]
        in_order += [
            move_event(f"{name}-lot-{n}", lot=f"L-{plant}", at=f"{hour}:{n:02}:00Z", plant=plant) for n in range(4)
        ]
        key: dict[str, Any] = {"ordering_key": f"line-{plant}", "attributes": {"partitionkey": f"line-{plant}"}}
        mixed += [move_event(f"{name}-seq-{n}", sequence=str(10 * batch + n + 8), plant=plant, **key) for n in range(3)]
        mixed.append(release(f"{name}-r", order=name, at=f"{hour}:02:30Z", plant=plant))
        in_order += [
            completion(f"{name}-c{n}", order=name, at=f"{hour}:{n + 1:02}:00Z", quantity=str(n + 1), plant=plant)
            for n in range(COMPLETIONS)
        ]
    chance.shuffle(mixed)
    places = set(chance.sample(range(len(mixed) + len(in_order)), len(in_order)))
    sources = (iter(in_order), iter(mixed))
    return [next(sources[0 if place in places else 1]) for place in range(len(mixed) + len(in_order))]


@pytest.mark.parametrize("seed", range(5))
def test_workers_that_fall_at_any_moment_keep_every_promise(store: Store, seed: int) -> None:
    keep_every_promise(store, seed)


def keep_every_promise(store: Store, seed: int) -> None:
    know_items(store)
    chance = random.Random(seed)
    plants = Plants(store, seed, Clock(NOON))
    accepted: list[int] = []

    for batch in range(2):
        accepted += accept(store, *_shift(chance, batch), at=plants.clock())
        plants.run(rounds=30)
    plants.finish()

    assert plants.weather.kills > 0
    _nothing_is_missing(store, accepted)
    _every_effect_is_there_once(store, plants)
    _keys_are_in_order(store, plants)
    _counts_are_exact(store)
    _timelines_are_legal(store)
    _orders_are_counted_once(store)


def _nothing_is_missing(store: Store, accepted: list[int]) -> None:
    with store.reading() as session:
        unposted = session.execute(
            select(Message.id, Message.state, Message.step, Message.waiting_for, Message.reason).where(
                Message.state != State.POSTED.value
            )
        ).all()
        assert unposted == []
        assert set(session.execute(select(Message.id)).scalars()) == set(accepted)


def _every_effect_is_there_once(store: Store, plants: Plants) -> None:
    """What was reversed after another target's refusal has taken effect too, as has its reversal; then the message is
    posted anew under new keys, and what was refused under the old ones stays as a record."""
    for code, books in plants.targets.items():
        effects = Counter(key for key, _ in books.effects)
        with store.reading() as session:
            query = select(Posting.posting_key, Posting.state, Posting.generation, Message.generation.label("now"))
            rows = session.execute(query.join(Message, Message.id == Posting.message_id).where(Posting.target == code))
            postings = rows.all()
        assert {key: count for key, count in effects.items() if count != 1} == {}
        assert {row.posting_key for row in postings if row.state in ("posted", "compensated")} == set(effects)
        assert code == "planning" or {row.state for row in postings if row.generation == row.now} == {"posted"}
        assert {row.state for row in postings if row.generation != row.now} <= {"posted", "compensated", "refused"}


def _keys_are_in_order(store: Store, plants: Plants) -> None:
    with store.reading() as session:
        rows = session.execute(
            select(Posting.posting_key, Message.ordering_key, Message.key_rank, Message.id, Message.type, Message.plant)
            .join(Message, Message.id == Posting.message_id)
            .where(Message.ordering_key.is_not(None), Message.id.not_in(_dead_before_their_key_was_known()))
        ).all()
    of_key = {row.posting_key: row for row in rows}
    for books in plants.targets.values():
        places: dict[tuple[str, str], list[tuple[bool, str, int]]] = {}
        for key, _ in books.effects:
            if (row := of_key.get(key)) is not None:
                # What waits for the order's release comes after it, whatever its time says.
                comes_after = row.type == "production.completed.v1"
                places.setdefault((row.plant, row.ordering_key), []).append((comes_after, row.key_rank, row.id))
        assert [key for key, taken in places.items() if taken != sorted(taken)] == []


def _dead_before_their_key_was_known() -> Any:
    """Three workers died of it one after the other; it holds nobody, as nobody knows whom."""
    early = TimelineEntry.from_state == State.RECEIVED.value
    return select(TimelineEntry.message_id).where(early, TimelineEntry.to_state == State.DEAD.value)


def _counts_are_exact(store: Store) -> None:
    with store.reading() as session:
        counted = {key: number for key, number in message_counts(session).items() if number}
        rows = select(Message.plant, Message.type, Message.state, func.count()).group_by(
            Message.plant, Message.type, Message.state
        )
        assert counted == {(plant, kind, state): number for plant, kind, state, number in session.execute(rows)}


def _timelines_are_legal(store: Store) -> None:
    query = select(TimelineEntry.message_id, TimelineEntry.from_state, TimelineEntry.to_state)
    with store.reading() as session:
        last: dict[int, str] = {}
        for key, before, after in session.execute(query.order_by(TimelineEntry.id)):
            assert last.get(key) == before
            assert before is None or before == after == State.POSTED or State(after) in MOVES[State(before)]
            last[key] = after
    assert set(last.values()) == {State.POSTED.value}


def _orders_are_counted_once(store: Store) -> None:
    assert {one.completed for one in projected_orders(store)} == {Decimal(sum(range(1, COMPLETIONS + 1)))}
