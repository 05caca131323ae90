"""What may be used is what is unrestricted, not on hold, and not needed by a released order."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event

from app.dead_letters.reversal import reverse
from app.projections.availability import Cover, held_amount
from app.projections.holds import HoldLine, Subject, enter_holds
from app.projections.ledger import Entry, enter
from app.projections.movements import Kind, Leg, Place
from app.projections.order_needs import orders_needing
from app.projections.projector import project, rebuild
from app.projections.stock_lists import list_items
from app.store.session import Store
from app.web.stock import told_items
from mappings.units import Quantity
from tests.factories import NOON, accept, completion, incoming, know_items, pipeline, run_once
from tests.fakes import Books

EIGHT, NINE, TEN = (f"2026-03-02T{hour:02}:00:00Z" for hour in (8, 9, 10))
WHEEL = "WHEEL-10"


def _post(store: Store, *messages: Any) -> list[int]:
    line = pipeline(store, {"erp": Books()})
    ids = accept(store, *messages)
    for _ in range(3):
        run_once(line)
    _project(store)
    return ids


def _project(store: Store) -> None:
    assert not project(store, lambda: NOON, 30.0).goes_on


def _undo(store: Store, message_id: int) -> None:
    line = pipeline(store, {"erp": Books()})
    with store.writing() as session:
        reverse(session, message_id, "by mistake", "ada", NOON, line.topology.lanes_of)
    run_once(line)
    _project(store)


def _released(message_id: str, needed: str, order: str = "1000", at: str = EIGHT, uom: str = "EA") -> Any:
    amount = {"value": needed, "uom": uom}
    data = {"event_time": at, "order_id": order, "item": "BIKE-100", "quantity": {"value": "5", "uom": "EA"}}
    data |= {"materials": [{"item": WHEEL, "quantity": amount}]}
    return incoming(message_id, "production.order.released.v1", data)


def _issued(message_id: str, amount: str, order: str = "1000") -> Any:
    parts = [{"item": WHEEL, "quantity": {"value": amount, "uom": "EA"}}]
    return incoming(message_id, "material.issued.v1", {"event_time": NINE, "order_id": order, "components": parts})


def _ended(message_id: str, order: str = "1000") -> Any:
    data = {"event_time": TEN, "order_id": order, "outputs": [], "final": True}
    return incoming(message_id, "production.completed.v1", data)


def _told(store: Store, item: str = WHEEL) -> dict[str, str]:
    with store.reading() as session:
        (told,) = told_items(session, list_items(session, "P100", item, 10))
    return told


def _reserved(store: Store) -> str:
    return str(_told(store)["reserved"])


def _stock(store: Store, *held: tuple[str, str, str]) -> None:
    """So much unrestricted stock, each in a lot and serial."""
    entries = [
        Entry(n, 0, 0, Leg(Place("P100", WHEEL, "EA", "ST", lot, serial), Kind.ADJUSTED, Decimal(amount)), NOON)
        for n, (amount, lot, serial) in enumerate(held, start=1)
    ]
    with store.writing() as session:
        enter(session, entries, NOON)


def _hold(store: Store, item: str = WHEEL, lot: str = "", serial: str = "", amount: str = "", uom: str = "EA") -> None:
    subject = Subject("P100", item, lot, serial)
    so_much = Quantity(Decimal(amount), uom) if amount else None
    with store.writing() as session:
        enter_holds(session, [HoldLine(900, 0, 0, subject, "blocked", NOON, amount=so_much)], NOON)


def _on_hold(store: Store) -> str:
    return str(_told(store)["on_hold"])


def test_a_hold_covers_the_stock_of_its_lot_its_serial_or_the_whole_item(store: Store) -> None:
    _stock(store, ("10", "", ""), ("5", "L1", ""), ("1", "L2", "S1"), ("1", "L2", "S2"))
    seen = [_on_hold(store)]
    _hold(store, lot="L3")
    _hold(store, item="BIKE-100", lot="L1")
    seen.append(_on_hold(store))
    for held in ({"serial": "S1"}, {"item": "", "lot": "L1"}, {"lot": "L2"}, {}):
        _hold(store, **held)
        seen.append(_on_hold(store))

    assert seen == ["0", "0", "1", "6", "7", "17"]
    assert _told(store)["available"] == "0"


def test_stock_that_is_not_unrestricted_is_not_on_hold_besides(store: Store) -> None:
    place = Place("P100", WHEEL, "EA", "ST", "L1", status="blocked")
    _stock(store, ("4", "L1", ""))
    with store.writing() as session:
        enter(session, [Entry(9, 0, 0, Leg(place, Kind.ADJUSTED, Decimal(3)), NOON)], NOON)

    _hold(store, lot="L1")

    told = _told(store)
    assert (told["on_hand"], told["on_hold"], told["available"]) == ("7", "4", "0")


def test_a_hold_of_so_much_covers_no_more_and_in_another_unit_covers_all(store: Store) -> None:
    _stock(store, ("10", "L1", ""), ("2", "L2", ""))
    _hold(store, lot="L1", amount="4")
    bounded = _on_hold(store)
    _hold(store, lot="L2", amount="9")
    short = _on_hold(store)
    _hold(store, item="", lot="L1", amount="1", uom="PAL")

    assert (bounded, short, _on_hold(store)) == ("4", "6", "12")


def test_overdrawn_stock_is_never_on_hold(store: Store) -> None:
    _stock(store, ("-3", "L1", ""), ("2", "L2", ""))
    _hold(store)

    told = _told(store)

    assert (told["unrestricted"], told["on_hold"], told["available"]) == ("-1", "2", "-3")


PIECES = st.tuples(st.sampled_from(("", "L1", "L2")), st.sampled_from(("", "S1", "S2")))
AMOUNTS = st.dictionaries(PIECES, st.integers(-3, 9).map(Decimal), max_size=6)
BOUNDS = st.none() | st.integers(1, 12).map(Decimal)


@given(stock=AMOUNTS, subjects=st.lists(st.tuples(PIECES, BOUNDS), max_size=5))
def test_however_many_holds_cover_a_piece_it_is_on_hold_once(
    stock: dict[tuple[str, str], Decimal], subjects: list[Any]
) -> None:
    covers = [
        Cover(lot, serial, bound, frozenset(p for p in stock if lot in ("", p[0]) and serial in ("", p[1])))
        for (lot, serial), bound in subjects
    ]
    there = {piece: max(amount, Decimal(0)) for piece, amount in stock.items()}
    each = [sum((there[piece] for piece in cover.pieces), Decimal(0)) for cover in covers]
    alone = [
        covered if c.quantity is None else min(covered, c.quantity) for c, covered in zip(covers, each, strict=True)
    ]

    held = held_amount(stock, covers)

    covered_at_all = {piece for cover in covers for piece in cover.pieces}
    assert max(alone, default=Decimal(0)) <= held <= sum(alone, Decimal(0))
    assert held <= sum((there[piece] for piece in covered_at_all), Decimal(0))
    assert held == held_amount(stock, covers[::-1])


def test_a_released_order_reserves_what_it_still_needs_until_it_ends(store: Store) -> None:
    know_items(store)
    _post(store, _released("r1", "1.2", uom="BOX"), _released("r2", "0.1", order="2000"))
    stages = [_reserved(store)]
    _post(store, _issued("i1", "5"))
    stages.append(_reserved(store))
    (last,) = _post(store, _issued("i2", "9"))
    stages.append(_reserved(store))
    _undo(store, last)
    stages.append(_reserved(store))
    (end,) = _post(store, _ended("f1"))
    stages.append(_reserved(store))
    _undo(store, end)
    stages.append(_reserved(store))

    assert stages == ["12.1", "7.1", "0.1", "7.1", "0.1", "7.1"]
    assert _told(store)["available"] == "-12.1"
    with store.reading() as session:
        needs = [(need.order_id, need.quantity) for need in orders_needing(session, "P100", WHEEL, 10)]
    assert needs == [("1000", Decimal(7)), ("2000", Decimal("0.1"))]


def test_a_newer_release_takes_the_place_of_the_older_and_a_reversed_one_reserves_nothing(store: Store) -> None:
    know_items(store)
    _post(store, _released("r1", "4", at=EIGHT))
    (newer,) = _post(store, _released("r2", "6", at=TEN))
    stages = [_reserved(store)]
    _post(store, _released("r3", "9", at=NINE))
    stages.append(_reserved(store))
    _undo(store, newer)
    stages.append(_reserved(store))

    assert stages == ["6", "6", "0"]


def test_what_is_available_is_the_same_when_built_anew(store: Store) -> None:
    know_items(store)
    _post(store, *(_released(f"r{n}", f"{n}.1", order=f"{n}") for n in range(1, 9)), _issued("i1", "2", order="5"))
    _post(store, _ended("f1", order="7"), completion(order="3"), _released("n2", "0.3", order="2", at=NINE))
    before = _told(store)

    rebuild(store, NOON)
    _project(store)

    assert before["reserved"] == "25.9"
    assert _told(store) == before


def test_holds_that_were_released_are_not_looked_at(sqlite_store: Store) -> None:
    _stock(sqlite_store, ("7", "L1", ""))
    _hold(sqlite_store, lot="L1")
    few = _steps(sqlite_store)
    over = [
        HoldLine(1_000 + number, 0, 0, Subject("P100", item, f"L{number}", ""), "unrestricted", NOON)
        for number in range(1_000)
        for item in (WHEEL, "")
    ]
    with sqlite_store.writing() as session:
        enter_holds(session, over, NOON)

    assert few > 0
    assert _steps(sqlite_store) <= few + 20


def _steps(store: Store) -> int:
    """So many of SQLite's own machine, in tens, does it take to tell what is available."""
    count = 0

    def one() -> int:
        nonlocal count
        count += 1
        return 0

    with store.reading() as session:
        rows = list_items(session, "P100", WHEEL, 10)
        connection: Any = session.connection().connection.dbapi_connection
        connection.set_progress_handler(one, 10)
        told_items(session, rows)
        connection.set_progress_handler(None, 0)
    return count


def test_a_page_of_many_items_asks_once_for_what_is_on_hold(store: Store) -> None:
    items = [f"I{number:03}" for number in range(60)]
    with store.writing() as session:
        for item in items:
            _enter_lot(session, item)
    asked: list[str] = []
    with store.reading() as session:
        rows = list_items(session, "P100", None, 100)
        event.listen(session.connection(), "before_cursor_execute", lambda *told: asked.append(told[2]))
        told = told_items(session, rows)

    assert [one["on_hold"] for one in told] == ["1"] * 60
    assert sum("holds" in statement for statement in asked) == 1
    assert len(asked) == 3  # and once for what they cover, and for what is reserved


def _enter_lot(session: Any, item: str) -> None:
    leg = Leg(Place("P100", item, "EA", "ST", "L1"), Kind.ADJUSTED, Decimal(1))
    enter(session, [Entry(1, 0, int(item[1:]), leg, NOON)], NOON)
    enter_holds(session, [HoldLine(2, 0, int(item[1:]), Subject("P100", item, "L1"), "quality", NOON)], NOON)
