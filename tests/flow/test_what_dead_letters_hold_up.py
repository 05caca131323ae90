"""A dead letter knows what it holds up, its figure is the sum of its parts, and it stays true while it is dead."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select, update

from app.dead_letters import weighing
from app.dead_letters.impact_lists import LetterPage, Sort, list_letters
from app.dead_letters.repair import requeue
from app.dead_letters.selection import DeadFilter
from app.dead_letters.weighing import ROUND_EVERY_SECONDS, weigh, weigh_portion, weighing_is_due
from app.errors import Refused
from app.inbox.states import Move, State, move_messages
from app.pipeline.enrich import enrich_due
from app.pipeline.transform import transform_due
from app.projections.projector import project
from app.store.impact_tables import Impact, ImpactObject
from app.store.messages_tables import MessageDocument
from app.store.reference_tables import Item
from app.store.session import Store
from app.web.impacts import impacts_of, told_impact
from tests.factories import NOON, accept, completion, incoming, know_items, move_event, pipeline, release, run_once
from tests.fakes import Books, Clock
from tests.reading import message, states

AT = "2026-03-02T09:00:00Z"


def shipment(message_id: str, delivery: str, lot: str | None = None, item: str = "BIKE-100") -> Any:
    line = {"item": item, "quantity": {"value": "1", "uom": "EA"}} | ({"lot": lot} if lot else {})
    data = {"event_time": AT, "delivery_id": delivery, "lines": [line]}
    return incoming(message_id, "shipment.confirmed.v1", data)


def hold(message_id: str, lot: str, kind: str = "held") -> Any:
    data = {"event_time": AT, "lot": lot}
    data |= {"status": "blocked", "reason": "crack"} if kind == "held" else {"status": "unrestricted"}
    return incoming(message_id, f"quality.{kind}.v1", data)


def kill(store: Store, *ids: int) -> None:
    with store.writing() as session:
        move_messages(session, [Move(key, State.DEAD, reason_code="no", reason="No.") for key in ids], NOON)


def dead(store: Store, *messages: Any) -> list[int]:
    """Dead letters of which the events are known."""
    ids = accept(store, *messages)
    line = pipeline(store, {"erp": Books()})
    transform_due(line, "P100", 100)
    enrich_due(line, "P100", 100)
    kill(store, *ids)
    return ids


def listed(store: Store, sort: Sort = Sort.IMPACT, **chosen: Any) -> LetterPage:
    with store.reading() as session:
        return list_letters(session, DeadFilter(**chosen), sort, 100)


def impact(store: Store, message_id: int, clock: Clock | None = None) -> Mapping[str, Any]:
    """Weighed at this moment."""
    now = (clock or Clock(NOON))()
    weigh_portion(store, now, new=True)
    weigh_portion(store, now)
    found = {each.message.id: each.impact for each in listed(store).letters}
    return told_impact(found[message_id], now)


def refused_completion(store: Store, *later: Any) -> tuple[list[int], Books]:
    """The first completion of order 1000 is refused; what came later of the order waits behind it."""
    know_items(store)
    books = Books()
    accept(store, release())
    run_once(pipeline(store, {"erp": books}))
    ids = accept(store, completion("c1"), *later)
    books.before = [Refused("closed", "The order is closed.")]
    run_once(pipeline(store, {"erp": books}))
    assert states(store, ids[0]) == ["dead"]
    return ids, books


def test_it_names_its_order_its_items_and_how_much_and_what_it_is_worth_is_never_guessed(store: Store) -> None:
    know_items(store)
    boxes = completion("c1", quantity="2", uom="BOX", order="1000")

    [key] = dead(store, boxes)

    told = impact(store, key)
    assert (told["type"], told["orders"], told["items"]) == ("production.completed.v1", ["1000"], ["BIKE-100"])
    assert told["quantities"] == [{"item": "BIKE-100", "quantity": {"value": "20", "uom": "EA"}}]
    assert told["value"] == {"amount": None, "currency": None, "unknown_items": ["BIKE-100"]}
    assert told["points"] == sum(told["parts"].values()) == 0


def test_what_a_piece_costs_makes_its_value(store: Store) -> None:
    know_items(store)
    with store.writing() as session:
        cost = {"standard_cost": Decimal("312.5"), "currency": "EUR"}
        session.execute(update(Item).where(Item.code == "BIKE-100").values(cost))

    [key] = dead(store, completion("c1", quantity="2", uom="BOX"))

    told = impact(store, key)
    assert told["value"] == {"amount": "6250", "currency": "EUR", "unknown_items": []}
    assert told["parts"]["value"] == told["points"] == 6


def test_what_waits_behind_it_counts_and_counts_no_more_once_it_is_gone(store: Store) -> None:
    (first, second, third), _ = refused_completion(store, completion("c2"), completion("c3"))
    assert states(store, second, third) == ["waiting", "waiting"]

    before = impact(store, first)
    kill(store, third)
    after = impact(store, first)

    assert (before["waiting"], before["parts"]["waiting"]) == (2, 12)
    assert (after["waiting"], after["parts"]["waiting"]) == (1, 11)
    assert [each.message.id for each in listed(store).letters] == [first, third]


def test_the_release_of_an_order_holds_up_what_was_reported_of_it(store: Store) -> None:
    know_items(store)
    [key] = dead(store, release())
    accept(store, completion("c1"), completion("c2"))
    run_once(pipeline(store, {"erp": Books()}))

    told = impact(store, key)

    assert told["waiting"] == 2
    assert [(due["order"], due["late_seconds"]) for due in told["due"]] == [("1000", None)]
    assert told["parts"] == {"shipments": 0, "hold": 0, "lateness": 10, "waiting": 12, "value": 0}


def test_an_order_that_is_late_presses_more_with_every_day_until_it_has_ended(store: Store) -> None:
    (key,), _ = refused_completion(store)
    clock = Clock(NOON)

    points = []
    for days in (0, 1, 3, 30):
        clock.now = NOON + timedelta(days=days)
        points.append(impact(store, key, clock)["parts"]["lateness"])

    assert points == [10, 20, 40, 100]  # due on the day itself at 16:00


def test_a_shipment_that_is_dead_for_the_same_lot_is_held_up_and_sorts_first(store: Store) -> None:
    know_items(store)
    of_lot, other, delivery = dead(
        store, move_event("m1", lot="L1"), move_event("m2", lot="L2"), shipment("s1", "D-7", lot="L1")
    )

    assert impact(store, of_lot)["shipments_waiting"] == ["D-7"]
    assert impact(store, other)["shipments_waiting"] == []
    assert [each.message.id for each in listed(store).letters] == [delivery, of_lot, other]
    with store.writing() as session:
        requeue(session, [delivery], "kim", NOON)
    assert impact(store, of_lot)["shipments_waiting"] == []


def test_a_shipment_that_waits_behind_it_is_found(store: Store) -> None:
    know_items(store)
    first, waits = dead(store, move_event("m1", lot="L1"), shipment("s1", "D-8"))
    with store.writing() as session:
        requeue(session, [waits], "kim", NOON)
        key = f"key:P100:{message(store, first).ordering_key}"
        move = Move(waits, State.WAITING, waiting_for=key, reason="Waits.")
        move_messages(session, [move], NOON)

    told = impact(store, first)

    assert (told["waiting"], told["shipments_waiting"]) == (1, ["D-8"])


def test_a_hold_that_has_not_taken_effect_matters_more_than_a_release(store: Store) -> None:
    know_items(store)
    held, released = dead(store, hold("h1", "L1"), hold("r1", "L2", "released"))

    assert (impact(store, held)["points"], impact(store, released)["points"]) == (80, 40)


def test_lots_that_are_on_hold_are_told(store: Store) -> None:
    know_items(store)
    accept(store, hold("h1", "L1"))
    run_once(pipeline(store, {"erp": Books()}))
    project(store, lambda: NOON, 30.0)

    [key] = dead(store, move_event("m1", lot="L1"))

    assert impact(store, key)["held_lots"] == ["L1"]


def test_it_is_found_by_what_it_is_about(store: Store) -> None:
    know_items(store)
    moved, made, shipped = dead(store, move_event("m1", lot="L1"), completion("c1"), shipment("s1", "D-7", "L1"))
    weigh_portion(store, NOON, new=True)

    found = {
        name: [each.message.id for each in listed(store, Sort.NEWEST, **{name: code}).letters]
        for name, code in (("order", "1000"), ("lot", "L1"), ("item", "BIKE-100"), ("delivery", "D-7"))
    }

    assert found == {"order": [made], "lot": [shipped, moved], "item": [shipped, made], "delivery": [shipped]}


def test_what_no_mapping_has_read_is_known_by_its_ordering_key_and_a_torn_document_harms_none(store: Store) -> None:
    know_items(store)
    keyed, torn, whole = accept(store, completion("c1", ordering_key="order:77"), completion("c2"), completion("c3"))
    kill(store, keyed)
    transform_due(pipeline(store, {"erp": Books()}), "P100", 10)
    with store.writing() as session:
        session.execute(update(MessageDocument).where(MessageDocument.message_id == torn).values(body=[{"type": 7}]))
    kill(store, torn, whole)

    told = [impact(store, key) for key in (keyed, torn, whole)]

    assert [(one["type"], one["orders"]) for one in told] == [
        (None, ["77"]),
        (None, ["1000"]),
        ("production.completed.v1", ["1000"]),
    ]


def test_a_message_has_an_impact_exactly_while_it_is_dead(store: Store) -> None:
    know_items(store)
    [key] = dead(store, completion("c1"))
    first = listed(store).letters[0].impact
    weigh_portion(store, NOON, new=True)

    with store.writing() as session:
        requeue(session, [key], "kim", NOON)
    with store.reading() as session:
        left = [session.scalars(select(table.message_id)).all() for table in (Impact, ImpactObject)]
    kill(store, key)

    assert first.weighed_at is None
    assert left == [[], []]
    assert [each.impact.weighed_at for each in listed(store).letters] == [None]


def test_what_is_requeued_while_it_is_weighed_is_not_weighed_for_its_next_death(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    know_items(store)
    [key] = dead(store, completion("c1"))
    plain = weighing.weights_of

    def meanwhile(*arguments: Any) -> Any:
        weights = plain(*arguments)
        with store.writing() as session:
            requeue(session, [key], "kim", NOON + timedelta(seconds=1))
        with store.writing() as session:
            again = [Move(key, State.DEAD, reason_code="no", reason="No.")]
            move_messages(session, again, NOON + timedelta(seconds=2))
        return weights

    with monkeypatch.context() as patch:
        patch.setattr(weighing, "weights_of", meanwhile)
        weigh_portion(store, NOON, new=True)
    unweighed = listed(store).letters[0].impact.weighed_at

    weigh_portion(store, NOON, new=True)

    assert unweighed is None
    assert listed(store).letters[0].impact.weighed_at == NOON


def test_a_round_goes_over_all_of_them_and_only_what_changed_is_written(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weighing, "PORTION", 2)
    know_items(store)
    dead(store, *(move_event(f"m{number}", lot=f"L{number}") for number in range(5)))
    clock = Clock(NOON)
    assert weighing_is_due(store, clock())

    went_on = weigh(store, clock, 0.0, "one")
    assert weigh(store, clock, 30.0, "one") is None

    assert went_on is None
    assert not weighing_is_due(store, clock())
    clock.pass_time(ROUND_EVERY_SECONDS + 1)
    assert weighing_is_due(store, clock())
    following = weigh(store, clock, 0.0, "two")
    assert following is not None
    assert weigh(store, clock, 30.0, "two", following) is None
    assert {each.impact.weighed_at for each in listed(store).letters} == {NOON}


def test_a_refused_posting_behind_a_posted_message_tells_what_it_holds_up_at_this_moment(store: Store) -> None:
    know_items(store)
    [key] = accept(store, move_event("m1", lot="L1"))
    run_once(pipeline(store, {"erp": Books()}))

    with store.reading() as session:
        told = impacts_of(session, [message(store, key)], NOON)[key]

    assert (told["lots"], told["items"], told["waiting"]) == (["L1"], ["WHEEL-10"], 0)
