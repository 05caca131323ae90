"""A late, older event never overwrites a newer state: the newest stands, whatever the order of arrival."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import select

from app.dead_letters.reversal import reverse
from app.inbox.accept import Incoming
from app.pipeline.reference_data import sync_items
from app.projections.items import load_items
from app.projections.order_lists import OrderPicture
from app.projections.told_states import standing
from app.store.messages_tables import TimelineEntry
from app.store.session import Store
from app.store.version_tables import ToldVersion
from tests.factories import NOON, accept, completion, incoming, know_items, pipeline, release, run_once
from tests.facts import enter_all, ordered
from tests.fakes import Books, Clock
from tests.reading import posting_states, projected_orders, states


def _item(message_id: str, description: str, at: str, **fields: Any) -> Incoming:
    data = {"event_time": f"2026-03-02T{at}:00Z", "item": "X-1", "description": description, "base_uom": "EA"}
    return incoming(message_id, "item.changed.v1", data, **fields)


def _release(message_id: str, pieces: str, at: str, **fields: Any) -> Incoming:
    data = {"event_time": f"2026-03-02T{at}:00Z", "order_id": "1000", "item": "BIKE-100"}
    amount = {"quantity": {"value": pieces, "uom": "EA"}}
    return incoming(message_id, "production.order.released.v1", data | amount, **fields)


def _description(store: Store) -> str:
    with store.reading() as session:
        return load_items(session, ["X-1"])["X-1"].description


def _order(store: Store) -> OrderPicture:
    (picture,) = projected_orders(store)
    return picture


def _last_note(store: Store, message_id: int) -> str:
    query = select(TimelineEntry.note).where(TimelineEntry.message_id == message_id).order_by(TimelineEntry.id.desc())
    with store.reading() as session:
        return session.execute(query.limit(1)).scalar_one() or ""


def test_a_late_older_item_changes_nothing_and_says_so(store: Store) -> None:
    line = pipeline(store, {"erp": Books()})
    (newer,) = accept(store, _item("n", "new", "10:00"))
    run_once(line)
    (older,) = accept(store, _item("o", "old", "09:00"))

    run_once(line)

    assert (states(store, older), _description(store)) == (["posted"], "new")
    told = f"item X-1 stands as told by message {newer}, as of 2026-03-02 10:00:00 UTC"
    assert _last_note(store, older) == f"Came late and changed nothing: {told}."


def test_a_late_older_release_is_posted_nowhere(store: Store) -> None:
    books = Books()
    know_items(store)
    line = pipeline(store, {"erp": books, "mes": books})
    accept(store, _release("n", "20", "10:00"))
    run_once(line)
    (older,) = accept(store, _release("o", "10", "09:00"))

    run_once(line)

    assert [document["data"]["quantity"]["value"] for document in books.documents] == ["20", "20"]
    assert (states(store, older), posting_states(store, older)) == (["posted"], ["refused", "refused"])
    assert _order(store).order.planned == 20
    assert "order 1000 stands as told by message" in _last_note(store, older)


def test_one_senders_sequence_goes_before_the_time(store: Store) -> None:
    line = pipeline(store, {"erp": Books()})
    accept(store, _item("n", "tenth", "08:00", sequence="10"))
    run_once(line)
    accept(store, _item("o", "ninth", "11:00", sequence="9"))
    run_once(line)
    between = _description(store)
    accept(store, _item("e", "eleventh", "07:00", sequence="11"))
    run_once(line)

    assert (between, _description(store)) == ("tenth", "eleventh")


def test_of_equal_times_the_later_accepted_stands(store: Store) -> None:
    line = pipeline(store, {"erp": Books()})
    accept(store, _item("a", "first", "10:00"), _item("b", "second", "10:00"))

    run_once(line)

    assert _description(store) == "second"


def test_a_time_that_has_not_come_hides_nothing_that_comes_after(store: Store) -> None:
    clock = Clock(NOON)
    line = pipeline(store, {"erp": Books()}, clock)
    accept(store, _item("wrong", "from tomorrow", "23:00"), at=clock())
    run_once(line)
    clock.pass_time(60)
    accept(store, _item("right", "now", "12:01"), at=clock())

    run_once(line)

    assert _description(store) == "now"


class _Catalogue(Books):
    """``meanwhile`` happens between the begin of a reading and its first row."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: Callable[[], object] = lambda: None

    def read(self, domain: str, since: datetime | None = None) -> Iterator[dict[str, Any]]:
        self.meanwhile()
        yield {"code": "X-1", "description": "as read", "base_uom": "EA"}


def test_what_is_read_and_what_is_sent_of_an_item_go_by_their_times(store: Store) -> None:
    clock, erp = Clock(NOON), _Catalogue()
    line = pipeline(store, {"erp": erp}, clock)

    def change() -> None:
        clock.pass_time(120)
        accept(store, _item("n", "changed while it is read", "12:07"), at=clock())
        run_once(line)

    sync_items(line)
    accept(store, _item("o", "older than the reading", "11:59"), at=clock())
    run_once(line)
    first = _description(store)
    clock.pass_time(301)
    erp.meanwhile = change
    sync_items(line)

    assert (first, _description(store)) == ("as read", "changed while it is read")


def test_after_a_release_is_reversed_an_older_one_stands_again(store: Store) -> None:
    know_items(store)
    line = pipeline(store, {"erp": Books()})
    (wrong,) = accept(store, _release("n", "20", "10:00"))
    run_once(line)
    with store.writing() as session:
        reverse(session, wrong, "entered twice", "ada", NOON, line.topology.lanes_of)
    run_once(line)
    accept(store, _release("o", "10", "09:00"))

    run_once(line)

    assert (_order(store).order.planned, _order(store).status) == (10, "released")


def _bom(message_id: str, wheels: str, at: str) -> Incoming:
    data = {"event_time": f"2026-03-02T{at}:00Z", "item": "BIKE-100", "quantity": {"value": "1", "uom": "EA"}}
    wheel = {"item": "WHEEL-10", "quantity": {"value": wheels, "uom": "EA"}}
    return incoming(message_id, "bom.changed.v1", data | {"components": [wheel]})


def _purchase(message_id: str, pieces: str, at: str) -> Incoming:
    return ordered(message_id, ("1", "WHEEL-10", pieces), at=f"2026-03-02T{at}:00Z")


@pytest.mark.parametrize(
    ("tell", "thing"), [(_item, "item:X-1"), (_bom, "bom:BIKE-100"), (_purchase, "purchase_order:45")]
)
def test_after_the_newest_is_reversed_what_was_told_before_it_takes_effect(
    store: Store, tell: Callable[..., Incoming], thing: str
) -> None:
    know_items(store)
    line = pipeline(store, {"erp": Books()})
    accept(store, tell("first", "1", "08:00"))
    run_once(line)
    (wrong,) = accept(store, tell("wrong", "3", "10:00"))
    run_once(line)
    with store.writing() as session:
        reverse(session, wrong, "of another plant", "ada", NOON, line.topology.lanes_of)
    run_once(line)
    (older,) = accept(store, tell("older", "2", "09:00"))

    run_once(line)

    enter_all(store)
    kind, _, code = thing.partition(":")
    with store.reading() as session:
        stands = standing(session, [thing])[thing].message_id
        shown = session.scalars(
            select(ToldVersion.message_id).where(
                ToldVersion.kind == kind, ToldVersion.code == code, ToldVersion.stands.expression
            )
        ).all()
    assert (stands, list(shown), _last_note(store, older)) == (older, [older], "")


def test_the_reversal_of_what_came_late_lets_the_newest_stand(store: Store) -> None:
    line = pipeline(store, {"erp": Books()})
    accept(store, _item("n", "new", "10:00"))
    run_once(line)
    (late,) = accept(store, _item("o", "old", "09:00"))
    run_once(line)
    with store.writing() as session:
        reverse(session, late, "a mistake", "ada", NOON, line.topology.lanes_of)
    run_once(line)
    accept(store, _item("m", "between", "09:30"))

    run_once(line)

    assert _description(store) == "new"


def test_an_order_ends_the_same_whatever_the_order_of_arrival(sqlite_store: Store) -> None:
    know_items(sqlite_store)
    line = pipeline(sqlite_store, {})
    orders = {f"N{number}": order for number, order in enumerate(permutations(range(5)))}
    for place in range(5):
        accept(sqlite_store, *(_events(code)[order[place]] for code, order in orders.items()))
        run_once(line, up_to=1_000)
    run_once(line, up_to=1_000)

    ended = {(one.order.planned, one.completed, one.status) for one in projected_orders(sqlite_store)}

    assert ended == {(30, 7, "completed")}


def _events(order: str) -> list[Incoming]:
    return [
        release(f"{order}-r1", order, "2026-03-02T08:00:00Z"),
        completion(f"{order}-c1", order, "2026-03-02T08:30:00Z", quantity="1"),
        _again(order),
        completion(f"{order}-c2", order, "2026-03-02T10:00:00Z", quantity="2"),
        _final(order),
    ]


def _again(order: str) -> Incoming:
    data = {"event_time": "2026-03-02T09:00:00Z", "order_id": order, "item": "BIKE-100"}
    amount = {"quantity": {"value": "30", "uom": "EA"}}
    return incoming(f"{order}-r2", "production.order.released.v1", data | amount)


def _final(order: str) -> Incoming:
    line = {"item": "BIKE-100", "quantity": {"value": "4", "uom": "EA"}}
    data = {"event_time": "2026-03-02T11:00:00Z", "order_id": order, "outputs": [line], "final": True}
    return incoming(f"{order}-f", "production.completed.v1", data)
