"""Workers that come between each other, reversals that fail and documents that are torn change nothing in what the
projections say of all other messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import DataError
from sqlalchemy.orm import Session

from app.dead_letters.reversal import reverse
from app.errors import Refused
from app.projections import projector
from app.projections.effects import behind
from app.projections.projector import project, rebuild
from app.store.ledger_tables import Effect, Stock
from app.store.messages_tables import MessageDocument
from app.store.session import Store
from tests.factories import NOON, accept, incoming, know_items, move_event, pipeline, run_once
from tests.fakes import Books
from tests.flow.reversing import Plant

AT = "2026-03-02T09:00:00Z"


def _adjusted(message_id: str, value: str) -> Any:
    data = {"event_time": AT, "item": "WHEEL-10", "delta": {"value": value, "uom": "EA"}, "reason": "found"}
    return incoming(message_id, "inventory.adjusted.v1", data)


def _post(store: Store, *messages: Any) -> list[int]:
    know_items(store)
    line = pipeline(store, {"erp": Books()})
    ids = accept(store, *messages)
    run_once(line)
    return ids


def _stock(store: Store) -> dict[str, Decimal]:
    assert not project(store, lambda: NOON, 30.0).goes_on
    with store.reading() as session:
        return {row.storage: row.quantity for row in session.scalars(select(Stock).where(Stock.quantity != Decimal(0)))}


class Meanwhile(Store):
    """A store before whose so-manieth writing transaction another process does something."""

    def __init__(self, store: Store, before: int, does: Callable[[], None]) -> None:
        self.url, self.engine = store.url, store.engine
        self._left, self._does = before, does

    @contextmanager
    def writing(self) -> Iterator[Session]:
        self._left -= 1
        if not self._left:
            self._does()
        with super().writing() as session:
            yield session


def test_a_reversal_that_becomes_visible_before_its_message_is_entered_anew_leaves_no_stock(store: Store) -> None:
    """A rebuild and a reversal at once: on PostgreSQL the reversal's row may have the lower id and be committed later.
    So it is read first, as here."""
    know_items(store)
    line = pipeline(store, {"erp": Books()})
    (moved,) = accept(store, move_event("m1"))
    run_once(line)
    with store.writing() as session:
        reverse(session, moved, "moved by mistake", "ada", NOON, line.topology.lanes_of)
    run_once(line)
    with store.writing() as session:
        first, undone = session.scalars(select(Effect).order_by(Effect.id)).all()
        first.undo, undone.undo = True, False

    assert _stock(store) == {}


def test_one_that_another_worker_put_aside_meanwhile_has_none_put_aside_in_its_place(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison, _ = _post(store, _adjusted("a1", "3"), _adjusted("a2", "4"))
    entering = projector._enter_messages

    def enter(session: Session, effects: Any, *how: Any) -> None:
        if poison in [effect.message_id for effect in effects]:
            raise DataError("too long", None, ValueError())
        entering(session, effects, *how)

    def put_aside() -> None:
        with store.writing() as session:
            session.execute(update(Effect).where(Effect.message_id == poison).values(fault="put aside"))

    monkeypatch.setattr(projector, "_enter_messages", enter)

    project(Meanwhile(store, 3, put_aside), lambda: NOON, 30.0)

    assert _stock(store) == {"": 4}
    with store.reading() as session:
        assert behind(session).faults == 1


def test_a_message_whose_reversal_was_refused_still_counts_when_all_is_built_anew(store: Store) -> None:
    plant = Plant(store)
    plant.work(1)
    plant.wms.before_reversal = [Refused("target_refused", "The document is locked.")]
    plant.order()
    plant.work()
    before = _stock(store)

    rebuild(store, NOON)

    assert plant.state == "dead"
    assert before == _stock(store) == {"P100-ST": -2, "P100-WIP": 2}


ITEMS: dict[str, Any] = {"items": {}}
DATA = {"event_time": AT, "item": "WHEEL-10", "delta": {"value": "3", "uom": "EA"}}


@pytest.mark.parametrize(
    "entry",
    [
        {"data": [], "context": ITEMS},
        {"data": DATA, "context": {"items": []}},
        {"data": DATA | {"delta": {"value": "many", "uom": "EA"}}, "context": ITEMS},
        {"data": DATA | {"event_time": "2026-03-02T09:00:00"}, "context": ITEMS},
    ],
    ids=["data are a list", "items are a list", "no number", "no instant"],
)
def test_whatever_is_torn_in_a_document_the_others_are_entered(store: Store, entry: dict[str, Any]) -> None:
    torn, _ = _post(store, _adjusted("a1", "3"), _adjusted("a2", "4"))
    with store.writing() as session:
        of_it = (MessageDocument.message_id == torn, MessageDocument.step == "enriched")
        body = [{"type": "inventory.adjusted.v1", **entry}]
        session.execute(update(MessageDocument).where(*of_it).values(body=body))

    assert _stock(store) == {"": 4}
    with store.reading() as session:
        assert behind(session).faults == 1


def test_a_portion_is_bounded_by_what_its_messages_say_and_not_only_by_their_number(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projector, "CHARACTERS_MOST", 1)
    _post(store, _adjusted("a1", "3"), _adjusted("a2", "4"), _adjusted("a3", "5"))

    first = project(store, lambda: NOON, 0.0)

    assert (first.entered, first.goes_on) == (1, True)
    assert _stock(store) == {"": 12}


@pytest.mark.parametrize("entered_between", [True, False])
def test_one_that_could_not_be_entered_is_no_fault_any_more_once_it_is_reversed(
    store: Store, entered_between: bool
) -> None:
    know_items(store)
    line = pipeline(store, {"erp": Books()})
    (torn,) = accept(store, move_event("m1"))
    run_once(line)
    entry = {"type": "inventory.moved.v1", "data": [], "context": ITEMS}
    with store.writing() as session:
        events = session.execute(select(MessageDocument.body).where(MessageDocument.step == "enriched")).scalar_one()
        session.execute(update(MessageDocument).where(MessageDocument.step == "enriched").values(body=[entry]))
    if entered_between:
        project(store, lambda: NOON, 30.0)
    with store.writing() as session:
        # A torn message is reversed once its document is mended.
        session.execute(update(MessageDocument).where(MessageDocument.step == "enriched").values(body=events))
        reverse(session, torn, "moved by mistake", "ada", NOON, line.topology.lanes_of)
    run_once(line)
    with store.writing() as session:
        session.execute(update(MessageDocument).where(MessageDocument.step == "enriched").values(body=[entry]))

    project(store, lambda: NOON, 30.0)

    with store.reading() as session:
        assert behind(session).faults == 0
