"""A lot's genealogy up and down to any depth, with quantities, suppliers, customers and the gaps in it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from app.dead_letters.reversal import reverse
from app.projections.lot_accounts import items_of_lot
from app.projections.lot_links import IN, OUT, Link, LinkKey, add_links
from app.projections.lot_trace import Direction, Gap, Trace, trace
from app.projections.projector import project, rebuild
from app.store.session import Store
from tests.factories import NOON, accept, incoming, know_items, pipeline, release, run_once
from tests.fakes import Books

pytestmark = pytest.mark.slow

AT = "2026-03-02T09:00:00Z"


def _ea(value: str) -> dict[str, str]:
    return {"value": value, "uom": "EA"}


def _line(item: str, lot: str | None, amount: str) -> dict[str, Any]:
    return {"item": item, "quantity": _ea(amount)} | ({"lot": lot} if lot else {})


def _received(message_id: str, item: str, lot: str, amount: str) -> Any:
    document = {"type": "purchase_order", "id": "4500001", "line": "10"}
    amounts = {"received": _ea(amount), "accepted": _ea(amount), "rejected": _ea("0")}
    data = {"event_time": AT, "document_ref": document, "item": item, "lot": lot, **amounts}
    return incoming(message_id, "receipt.recorded.v1", data)


def _made(message_id: str, order: str, *lines: dict[str, Any], **more: Any) -> Any:
    data = {"event_time": AT, "order_id": order, "outputs": list(lines), **more}
    return incoming(message_id, "production.completed.v1", data)


def _issued(message_id: str, order: str, *lines: dict[str, Any], **more: Any) -> Any:
    data = {"event_time": AT, "order_id": order, "components": list(lines), **more}
    return incoming(message_id, "material.issued.v1", data)


def _shipped(message_id: str, line: dict[str, Any]) -> Any:
    data = {"event_time": AT, "delivery_id": "D-77", "ship_to": "C-1", "lines": [line]}
    return incoming(message_id, "shipment.confirmed.v1", data)


class Plant:
    def __init__(self, store: Store) -> None:
        self.store = store
        self.line = pipeline(store, {"erp": Books()})
        know_items(store, "BIKE-100", "WHEEL-10", "RIM-1", "SPOKE-1")

    def happened(self, *messages: Any) -> list[int]:
        ids = accept(self.store, *messages)
        for _ in range(3):
            run_once(self.line)
        self.enter()
        return ids

    def enter(self) -> None:
        assert not project(self.store, lambda: NOON, 30.0).goes_on

    def up(self, item: str, lot: str, most: int = 1_000) -> Trace:
        with self.store.reading() as session:
            return trace(session, item, lot, Direction.UP, most)

    def down(self, item: str, lot: str) -> Trace:
        with self.store.reading() as session:
            return trace(session, item, lot, Direction.DOWN)


@pytest.fixture
def plant(store: Store) -> Plant:
    """Rims and spokes become wheels, wheels become bikes, and a bike goes to a customer."""
    plant = Plant(store)
    plant.happened(release("r1", "W1"), release("r2", "B1"))
    plant.happened(_received("g1", "RIM-1", "R1", "10"), _received("g2", "SPOKE-1", "S1", "300"))
    plant.happened(_issued("i1", "W1", _line("RIM-1", "R1", "4"), _line("SPOKE-1", "S1", "128")))
    plant.happened(_made("c1", "W1", _line("WHEEL-10", "W-A", "4")))
    plant.happened(_issued("i2", "B1", _line("WHEEL-10", "W-A", "2")), _made("c2", "B1", _line("BIKE-100", "B-A", "1")))
    plant.happened(_shipped("s1", _line("BIKE-100", "B-A", "1")))
    return plant


def _lots(found: Trace) -> list[tuple[int, str]]:
    return [(one.depth, one.lot) for one in found.lots]


def test_a_lot_is_traced_up_to_its_suppliers_with_what_is_left_of_each(plant: Plant) -> None:
    found = plant.up("BIKE-100", "B-A")

    assert _lots(found) == [(0, "B-A"), (1, "W-A"), (2, "R1"), (2, "S1")]
    assert [(one.lot, one.on_hand) for one in found.lots] == [("B-A", 0), ("W-A", 2), ("R1", 6), ("S1", 172)]
    rim = found.lots[2]
    assert (rim.came, rim.went) == ({"received": Decimal(10)}, {"consumed": Decimal(4)})
    assert rim.documents == {"received": ["purchase_order:4500001:10"]}
    assert rim.plants == ["P100"]
    assert {(link.order_id, link.direction, link.lot, link.quantity) for link in found.links} == {
        ("B1", "out", "B-A", 1),
        ("B1", "in", "W-A", 2),
        ("W1", "out", "W-A", 4),
        ("W1", "in", "R1", 4),
        ("W1", "in", "S1", 128),
    }
    assert (found.gaps, found.is_whole) == ([], True)


def test_a_lot_is_traced_down_to_its_customers(plant: Plant) -> None:
    found = plant.down("SPOKE-1", "S1")

    assert _lots(found) == [(0, "S1"), (1, "W-A"), (2, "B-A")]
    assert found.lots[2].documents == {"shipped": ["delivery:D-77"]}
    assert found.gaps == []


def test_a_lot_that_a_reversed_completion_made_is_linked_no_more(plant: Plant) -> None:
    plant.happened(release("r3", "B2"))
    ids = plant.happened(
        _issued("i3", "B2", _line("WHEEL-10", "W-A", "2")), _made("c3", "B2", _line("BIKE-100", "B-B", "1"))
    )
    before = _lots(plant.down("WHEEL-10", "W-A"))
    with plant.store.writing() as session:
        reverse(session, ids[1], "counted twice", "ada", NOON, plant.line.topology.lanes_of)
    run_once(plant.line)
    plant.enter()

    assert before == [(0, "W-A"), (1, "B-A"), (1, "B-B")]
    assert _lots(plant.down("WHEEL-10", "W-A")) == [(0, "W-A"), (1, "B-A")]


def test_gaps_are_named(plant: Plant) -> None:
    plant.happened(release("r4", "B3"), release("r5", "B4"))
    plant.happened(_made("c4", "B3", _line("BIKE-100", "B-C", "1")))
    plant.happened(
        _issued("i5", "B4", _line("WHEEL-10", "GHOST", "2"), _line("RIM-1", None, "1"), _line("RIM-1", "R1", "9")),
        _made("c5", "B4", _line("BIKE-100", "B-D", "1")),
    )

    without = plant.up("BIKE-100", "B-C").gaps
    others = plant.up("BIKE-100", "B-D").gaps

    assert [(gap.kind, gap.lot, gap.transformation) for gap in without] == [(Gap.WITHOUT_ISSUE, "B-C", "B3")]
    assert {(gap.kind, gap.item, gap.lot, gap.quantity) for gap in others} == {
        (Gap.WITHOUT_LOT, "RIM-1", None, 1),
        (Gap.UNKNOWN_LOT, "WHEEL-10", "GHOST", 2),
        (Gap.UNBALANCED, "RIM-1", "R1", 3),
    }


def test_a_transformation_that_is_named_parts_what_one_order_made(plant: Plant) -> None:
    plant.happened(release("r6", "B5"))
    for name, rim in (("T1", "R1"), ("T2", "R2")):
        plant.happened(
            _issued(f"i{name}", "B5", _line("RIM-1", rim, "1"), transformation_id=name),
            _made(f"c{name}", "B5", _line("BIKE-100", f"B-{name}", "1"), transformation_id=name),
        )

    assert _lots(plant.up("BIKE-100", "B-T1")) == [(0, "B-T1"), (1, "R1")]
    assert _lots(plant.up("BIKE-100", "B-T2")) == [(0, "B-T2"), (1, "R2")]


def test_built_anew_the_genealogy_says_the_same(plant: Plant) -> None:
    before = plant.up("BIKE-100", "B-A")

    rebuild(plant.store, NOON)
    plant.enter()

    assert plant.up("BIKE-100", "B-A") == before


def test_rework_that_goes_round_is_gone_round_once_and_a_bound_is_told(plant: Plant) -> None:
    keys = [LinkKey("P100", f"T{n}", OUT, "X", f"L{n}", "EA") for n in range(50)]
    keys += [LinkKey("P100", f"T{n}", IN, "X", f"L{(n + 1) % 50}", "EA") for n in range(50)]
    with plant.store.writing() as session:
        add_links(session, [Link(key, Decimal(1), "O") for key in keys])

    whole, cut = plant.up("X", "L0"), plant.up("X", "L0", most=10)

    assert [depth for depth, _ in _lots(whole)] == list(range(50))
    assert (whole.is_whole, cut.is_whole, len(cut.lots)) == (True, False, 10)


def test_a_lot_that_several_items_have_is_known_of_each(plant: Plant) -> None:
    plant.happened(_received("g9", "WHEEL-10", "R1", "1"))

    with plant.store.reading() as session:
        assert items_of_lot(session, "R1") == ["RIM-1", "WHEEL-10"]
        assert items_of_lot(session, "NONE") == []
