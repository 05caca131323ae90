"""A message may be replayed by a person and corrected by its sender: what the sender said last counts, once."""

from __future__ import annotations

import pytest
from sqlalchemy import delete

from app.dead_letters.replay import replay
from app.store.documents import CANONICAL
from app.store.messages_tables import MessageDocument
from app.store.session import Store
from tests.factories import accept, release
from tests.flow.test_corrections_restate import Plant, made
from tests.reading import states

pytestmark = pytest.mark.slow


def replayed(plant: Plant, message_id: int) -> int:
    with plant.store.writing() as session:
        return replay(session, message_id, "a new mapping", "ada", plant.clock(), lambda _: 4)


@pytest.fixture
def both(store: Store) -> Plant:
    """On either database."""
    return Plant(store)


def test_a_correction_of_a_replayed_message_takes_the_place_of_the_replay(both: Plant) -> None:
    (first,) = both.happened(made("c1", "5"))
    second = replayed(both, first)
    both.work()

    (third,) = both.happened(made("c2", "3", of="c1"), rounds=8)

    assert states(both.store, first, second, third) == ["compensated", "compensated", "posted"]
    assert both.pieces() == ["3", "3"]
    assert both.stock() == "3"


def test_a_correction_that_was_under_way_is_not_given_up_for_a_replay_of_what_it_corrects(both: Plant) -> None:
    """It came before the replay, and what it says is newer than what the replay says."""
    (first,) = both.happened(made("c1", "5"))
    (third,) = accept(both.store, made("c2", "3", of="c1"), at=both.clock())
    second = replayed(both, first)

    both.work(12)

    assert states(both.store, first, second, third) == ["compensated", "compensated", "posted"]
    assert both.pieces() == ["3", "3"]
    assert both.stock() == "3"


def test_a_correction_that_was_dead_while_its_original_was_replayed_still_counts_in_the_end(both: Plant) -> None:
    (first,) = both.happened(made("c1", "5"))
    (third,) = both.happened(made("c2", "3", of="c1", order="9999"))
    assert states(both.store, third) == ["waiting"]
    second = replayed(both, first)
    both.work(8)
    assert states(both.store, first, second, third) == ["compensated", "posted", "waiting"]

    both.happened(release("r2", order="9999"), rounds=12)

    assert states(both.store, first, second, third) == ["compensated", "compensated", "posted"]
    assert both.pieces() == ["3", "3"]


def test_a_correction_of_one_that_was_exported_finds_what_stands_in_its_place(both: Plant) -> None:
    """Of the exported one no document is left; that it corrected another is known all the same."""
    (first,) = both.happened(made("c1", "5"))
    (second,) = both.happened(made("c2", "4", of="c1"))
    third = replayed(both, second)
    both.work(8)
    assert states(both.store, first, second, third) == ["compensated", "compensated", "posted"]
    with both.store.writing() as session:
        session.execute(
            delete(MessageDocument).where(MessageDocument.message_id == second, MessageDocument.step == CANONICAL)
        )

    (fourth,) = both.happened(made("c3", "3", of="c2"), rounds=8)

    assert states(both.store, third, fourth) == ["compensated", "posted"]
    assert both.pieces() == ["3", "3"]
