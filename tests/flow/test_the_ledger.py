"""Stock is the sum of its movements, each of which names its message, whatever the order in which they were entered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select, update

from app.dead_letters.reversal import reverse
from app.projections.effects import behind
from app.projections.projector import PORTION, project, rebuild
from app.store.ledger_tables import ItemStock, Movement, Stock
from app.store.messages_tables import MessageDocument
from app.store.session import Store
from tests.factories import NOON, accept, completion, incoming, know_items, move_event, pipeline, release, run_once
from tests.fakes import Books

AT = "2026-03-02T09:00:00Z"
Place = tuple[str, str, str, str, str]


def _post(store: Store, *messages: Any) -> list[int]:
    """Accept them and work until nothing is due; they go to no target unless a route says so."""
    line = pipeline(store, {"erp": Books()})
    ids = accept(store, *messages)
    for _ in range(3):
        run_once(line)
    return ids


def _project(store: Store) -> None:
    assert not project(store, lambda: NOON, 30.0).goes_on


def _stock(store: Store) -> dict[Place, str]:
    with store.reading() as session:
        rows = session.execute(select(Stock).where(Stock.quantity != Decimal(0))).scalars()
        return {(r.storage, r.item, r.lot, r.serial, r.status): f"{r.quantity.normalize():f} {r.uom}" for r in rows}


def _sums(store: Store) -> dict[str, tuple[str, ...]]:
    with store.reading() as session:
        rows = session.execute(select(ItemStock)).scalars()
        return {r.item: tuple(f"{q.normalize():f}" for q in (r.unrestricted, r.quality, r.blocked)) for r in rows}


def _movements(store: Store) -> list[tuple[int, str, str]]:
    with store.reading() as session:
        rows = session.execute(select(Movement).where(Movement.void_at.is_(None)).order_by(Movement.id)).scalars()
        return [(row.message_id, row.kind, f"{row.quantity.normalize():f}") for row in rows]


def _picture(store: Store) -> tuple[object, ...]:
    """All that the projections say, without row ids and times of entering."""
    columns = (Movement.message_id, Movement.event_index, Movement.leg, Movement.kind, Movement.quantity)
    with store.reading() as session:
        place = (Stock.plant, Stock.item, Stock.storage, Stock.lot, Stock.serial, Stock.status, Stock.uom)
        counting = select(*columns, Movement.counted, Movement.order_id, Movement.document, Movement.reason, *place)
        counting = counting.join(Stock, Stock.id == Movement.stock_id).where(Movement.void_at.is_(None))
        moved = sorted(map(repr, session.execute(counting)))
        held = session.execute(select(*place, Stock.quantity, Stock.counts, Stock.moved_at).where(Stock.quantity != 0))
        return moved, sorted(map(repr, held)), _sums(store)


def _event(message_id: str, kind: str, data: Mapping[str, Any], at: str = AT) -> Any:
    return incoming(message_id, kind, {"event_time": at, "item": "WHEEL-10", **data})


def _ea(value: str, uom: str = "EA") -> dict[str, str]:
    return {"value": value, "uom": uom}


def _counted(message_id: str, value: str, at: str = AT) -> Any:
    return _event(message_id, "inventory.counted.v1", {"counted": _ea(value), "location": {"storage": "P100-ST"}}, at)


def _adjusted(message_id: str, value: str, at: str = AT) -> Any:
    data = {"delta": _ea(value), "reason": "found", "location": {"storage": "P100-ST"}}
    return _event(message_id, "inventory.adjusted.v1", data, at)


def test_each_change_of_stock_is_a_movement_that_names_its_message(store: Store) -> None:
    know_items(store)
    received = {"document_ref": {"type": "purchase_order", "id": "45", "line": "1"}, "location": {"storage": "P100-ST"}}
    received |= {"received": _ea("2", "BOX"), "accepted": _ea("1", "BOX"), "rejected": _ea("0.5", "BOX")}
    issued = {"order_id": "1000", "components": [{"item": "WHEEL-10", "quantity": _ea("3"), "storage": "P100-WIP"}]}
    shipped = {"delivery_id": "D1", "lines": [{"item": "BIKE-100", "quantity": _ea("1")}]}

    ids = _post(
        store,
        release(),
        _event("g1", "receipt.recorded.v1", received),
        move_event("m1"),
        incoming("i1", "material.issued.v1", {"event_time": AT, **issued}),
        completion(quantity="4"),
        incoming("s1", "shipment.confirmed.v1", {"event_time": AT, **shipped}),
        _adjusted("a1", "-1"),
    )
    _project(store)

    assert _stock(store) == {
        ("P100-ST", "WHEEL-10", "", "", "unrestricted"): "7 EA",
        ("P100-ST", "WHEEL-10", "", "", "blocked"): "5 EA",
        ("P100-ST", "WHEEL-10", "", "", "quality"): "5 EA",
        ("P100-WIP", "WHEEL-10", "", "", "unrestricted"): "-1 EA",
        ("", "BIKE-100", "", "", "unrestricted"): "3 EA",
    }
    assert _sums(store) == {"WHEEL-10": ("6", "5", "5"), "BIKE-100": ("3", "0", "0")}
    assert _movements(store) == [
        (ids[1], "received", "10"),
        (ids[1], "received", "5"),
        (ids[1], "received", "5"),
        (ids[2], "moved", "-2"),
        (ids[2], "moved", "2"),
        (ids[3], "consumed", "-3"),
        (ids[4], "produced", "4"),
        (ids[5], "shipped", "-1"),
        (ids[6], "adjusted", "-1"),
    ]


def test_stock_of_a_lot_and_of_serials_is_kept_apart(store: Store) -> None:
    know_items(store)
    line = {"item": "BIKE-100", "quantity": _ea("2"), "lot": "L1", "serials": ["S1", "S2"], "storage": "P100-ST"}
    made = {"event_time": AT, "order_id": "1000", "outputs": [line]}
    gone = {"event_time": AT, "delivery_id": "D1", "lines": [{**line, "quantity": _ea("1"), "serials": ["S1"]}]}
    gone["location"] = {"storage": "P100-ST"}
    del gone["lines"][0]["storage"]

    _post(store, release(), incoming("c1", "production.completed.v1", made))
    _post(store, incoming("s1", "shipment.confirmed.v1", gone))
    _project(store)

    assert _stock(store) == {("P100-ST", "BIKE-100", "L1", "S2", "unrestricted"): "1 EA"}


def test_a_move_to_another_site_is_stock_of_that_plant_and_a_status_moves_with_the_goods(store: Store) -> None:
    know_items(store)
    ends = {"from": {"storage": "A", "stock_status": "quality"}, "to": {"site": "P200", "storage": "B"}}

    _post(store, _event("m1", "inventory.moved.v1", {"quantity": _ea("2"), **ends}))
    _project(store)

    with store.reading() as session:
        rows = session.execute(select(Stock.plant, Stock.storage, Stock.status, Stock.quantity).order_by(Stock.plant))
        assert [tuple(row) for row in rows] == [
            ("P100", "A", "quality", Decimal(-2)),
            ("P200", "B", "quality", Decimal(2)),
        ]


def test_what_happened_before_a_count_and_comes_later_changes_the_difference_and_not_the_stock(store: Store) -> None:
    know_items(store)
    _post(store, _adjusted("a1", "10", "2026-03-01T08:00:00Z"), _counted("n1", "12", "2026-03-01T10:00:00Z"))
    _project(store)
    first = _movements(store)

    _post(store, _adjusted("a2", "5", "2026-03-01T09:00:00Z"), _adjusted("a3", "1", "2026-03-01T11:00:00Z"))
    _project(store)

    assert [change for _, _, change in first] == ["10", "2"]
    assert [(kind, change) for _, kind, change in _movements(store)][:3] == [
        ("adjusted", "10"),
        ("counted", "-3"),
        ("adjusted", "5"),
    ]
    assert _stock(store) == {("P100-ST", "WHEEL-10", "", "", "unrestricted"): "13 EA"}


def test_what_is_reversed_is_taken_out_and_stays_in_the_ledger_as_void(store: Store) -> None:
    know_items(store)
    line = pipeline(store, {"erp": Books()})
    (moved,) = accept(store, move_event("m1"))
    run_once(line)
    _project(store)
    before = _stock(store)

    with store.writing() as session:
        reverse(session, moved, "moved by mistake", "ada", NOON, line.topology.lanes_of)
    run_once(line)
    _project(store)

    assert len(before) == 2
    assert _stock(store) == {}
    assert _movements(store) == []
    with store.reading() as session:
        assert [row.void_at for row in session.execute(select(Movement)).scalars()] == [NOON, NOON]


def test_posted_and_reversed_before_it_was_entered_leaves_no_stock(store: Store) -> None:
    know_items(store)
    line = pipeline(store, {"erp": Books()})
    (moved,) = accept(store, move_event("m1"))
    run_once(line)
    with store.writing() as session:
        reverse(session, moved, "moved by mistake", "ada", NOON, line.topology.lanes_of)
    run_once(line)

    _project(store)

    assert _stock(store) == {}


def test_built_anew_the_projections_say_the_same(store: Store) -> None:
    know_items(store)
    for number in range(PORTION // 40):
        _post(
            store,
            *(_adjusted(f"a{number}-{n}", str(n + 1), _minute(number * 7 + n)) for n in range(30)),
            *(_counted(f"n{number}-{n}", str(n * 9), _minute(n * 11 + number)) for n in range(15)),
        )
        _project(store)
    _post(store, release(), completion(), move_event("m1", lot="L1"))
    line = pipeline(store, {"erp": Books()})
    (wrong,) = accept(store, move_event("m2", lot="L2"))
    run_once(line)
    _project(store)
    with store.writing() as session:
        reverse(session, wrong, "moved by mistake", "ada", NOON, line.topology.lanes_of)
    run_once(line)
    _project(store)
    before = _picture(store)

    rebuilt = rebuild(store, NOON)
    _project(store)

    assert rebuilt == PORTION // 40 * 45 + 3
    for said, said_before in zip(_picture(store), before, strict=True):
        assert said == said_before


def _minute(number: int) -> str:
    instant = datetime(2026, 3, 1, 6, 0) + timedelta(minutes=number)
    return f"{instant:%Y-%m-%dT%H:%M:%S}Z"


@pytest.mark.parametrize(
    "body",
    [{"no": "list"}, [{"type": "production.completed.v1", "data": {"event_time": AT}, "context": {"items": {}}}]],
    ids=["no events", "no outputs"],
)
def test_one_whose_document_is_torn_is_told_and_holds_up_none_of_the_others(store: Store, body: Any) -> None:
    know_items(store)
    torn, _ = _post(store, _adjusted("a1", "3"), _adjusted("a2", "4"))
    with store.writing() as session:
        of_it = (MessageDocument.message_id == torn, MessageDocument.step == "enriched")
        session.execute(update(MessageDocument).where(*of_it).values(body=body))

    _project(store)

    with store.reading() as session:
        left = behind(session)
    assert (left.messages, left.since, left.faults) == (0, None, 1)
    assert _stock(store) == {("P100-ST", "WHEEL-10", "", "", "unrestricted"): "4 EA"}


def test_how_far_it_is_behind_is_known(store: Store) -> None:
    know_items(store)
    _post(store, _adjusted("a1", "3"), _adjusted("a2", "4"))

    with store.reading() as session:
        left = behind(session)

    assert (left.messages, left.since, left.faults) == (2, NOON, 0)


def test_a_serial_that_is_told_twice_is_no_second_piece(store: Store) -> None:
    know_items(store)
    line = {"item": "BIKE-100", "quantity": _ea("2"), "serials": ["S1", "S1"]}

    _post(
        store,
        release(),
        incoming("c1", "production.completed.v1", {"event_time": AT, "order_id": "1000", "outputs": [line]}),
    )
    _project(store)

    assert _stock(store) == {("", "BIKE-100", "", "", "unrestricted"): "2 EA"}
