"""No mapping makes or loses material: what goes in comes out, item by item."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mappings.canonical import contract
from mappings.context import Event, InboundContext, ItemFacts, OutboundContext, PlantFacts
from mappings.registry import INBOUND, OUTBOUND

PLANT = PlantFacts("P300", "Paint shop", "America/Detroit", {"storage": "P300-ST"})
UNITS = {"PC": "EA", "BX": "BOX"}
ITEMS = {code: ItemFacts(code, code, "EA", {"BOX": Decimal(10)}) for code in ("A", "B", "C")}
FACTOR = {"EA": Decimal(1), "BOX": Decimal(10)}

AMOUNTS = st.decimals("0.001", "99999999", places=3)
LINES = st.lists(st.tuples(st.sampled_from("ABC"), AMOUNTS, st.sampled_from(["PC", "BX"])), min_size=1, max_size=6)
LOCAL_TIMES = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1))

Totals = Counter[tuple[str, str]]


def sent(lines: Sequence[tuple[str, Decimal, str]]) -> Totals:
    totals: Totals = Counter()
    for item, amount, unit in lines:
        totals[item, UNITS[unit]] += amount  # type: ignore[assignment]
    return totals


def received(events: Sequence[Event]) -> Totals:
    totals: Totals = Counter()
    for event in events:
        contract.validate(event.type, event.data)
        for item, amount in ((one.item, one.quantity) for one in contract.quantities(event)):
            totals[item, amount.uom] += amount.value  # type: ignore[assignment]
    return totals


def mapped(family: str, kind: str, payload: Any) -> Sequence[Event]:
    context = InboundContext(PLANT, "source", "message", datetime(2026, 1, 1, tzinfo=UTC), UNITS)
    return INBOUND[family, kind].to_canonical(payload, context)


def positions(lines: Sequence[tuple[str, Decimal, str]], **more: Any) -> list[dict[str, Any]]:
    return [{"material": item, "menge": amount, "einheit": unit, **more} for item, amount, unit in lines]


@given(lines=LINES, when=LOCAL_TIMES)
def test_mes_completions_and_issues_keep_every_amount(
    lines: Sequence[tuple[str, Decimal, str]], when: datetime
) -> None:
    head = {"ts": when.isoformat(timespec="seconds"), "auftrag": {"nummer": "1"}}

    made = mapped("mes_json", "mes.completion", {**head, "gutmengen": positions(lines)})
    used = mapped("mes_json", "mes.issue", {**head, "verbrauch": positions(lines)})

    assert received(made) == sent(lines)
    assert received(used) == sent(lines)
    assert made[0].data["transformation_id"] == used[0].data["transformation_id"]


@given(lines=LINES)
def test_mes_scrap_keeps_every_amount(lines: Sequence[tuple[str, Decimal, str]]) -> None:
    payload = {"ts": "2026-01-01T08:00:00", "auftrag": {"nummer": "1"}}

    events = mapped("mes_json", "mes.scrap", {**payload, "ausschuss": positions(lines, grund={"code": "S"})})

    assert received(events) == sent(lines)


USES = ["Consumed", "Produced", "Material Consumed", "Yield Produced"]


@given(lines=LINES, uses=st.lists(st.sampled_from(USES), min_size=6, max_size=6), lost=st.sets(st.integers(0, 5)))
def test_b2mml_keeps_every_amount_made_used_or_lost(
    lines: Sequence[tuple[str, Decimal, str]], uses: Sequence[str], lost: set[int]
) -> None:
    materials = [
        {
            "place": f"MaterialActual {index}",
            "item": item,
            "use": uses[index],
            "quantities": [{"value": str(amount), "uom": unit}],
            "properties": {"ScrapReason": "CRACK"} if index in lost else {},
        }
        for index, (item, amount, unit) in enumerate(lines)
    ]
    segment = {"id": "S", "time": "2026-01-01T08:00:00Z", "materials": materials}

    events = mapped("mes_b2mml", "b2mml.ProductionPerformance", {"responses": [{"order": "1", "segments": [segment]}]})

    assert received(events) == sent(lines)


def comma(amount: Decimal) -> str:
    return f"{amount:,.3f}".replace(",", " ").replace(".", ",").replace(" ", ".")


@given(good=AMOUNTS, lost=AMOUNTS | st.just(Decimal(0)), when=LOCAL_TIMES, last=st.booleans())
def test_legacy_confirmations_keep_good_and_scrap(good: Decimal, lost: Decimal, when: datetime, last: bool) -> None:
    row = {
        "record_no": "1",
        "order_no": "0001",
        "operation": "0010",
        "item_no": "A",
        "lot_no": "",
        "reason": "R",
        "good_qty": comma(good),
        "scrap_qty": comma(lost),
        "unit": "BX",
        "last": "X" if last else "",
        "posted_on": when.strftime("%d.%m.%Y"),
        "posted_time": when.strftime("%H%M%S"),
    }

    events = mapped("legacy_files", "legacy.confirmation", row)

    assert received(events) == Counter({("A", "BOX"): good + lost})
    assert events[-1].data["final"] is last


MOVEMENTS = st.sampled_from([("101", 2, 1), ("261", 1, 1), ("311", 1, 1), ("551", 1, 1), ("551", -1, 0)])


@given(movement=MOVEMENTS, amount=AMOUNTS, when=LOCAL_TIMES)
def test_legacy_movements_keep_the_amount(movement: tuple[str, int, int], amount: Decimal, when: datetime) -> None:
    code, times, has_order = movement
    row = {
        "record_no": "1",
        "movement": code,
        "item_no": "A",
        "quantity": comma(amount),
        "unit": "PC",
        "from_storage": "F",
        "to_storage": "T",
        "order_no": "7" * has_order,
        "lot_no": "",
        "posted_at": when.strftime("%Y%m%d%H%M%S"),
    }

    events = mapped("legacy_files", "legacy.movement", row)

    assert received(events) == Counter({("A", "EA"): amount * times})


def document(family: str, kind: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
    event = Event(kind, contract.validate(kind, {"event_time": "2026-01-01T08:00:00Z", **data}))
    posted = OUTBOUND[family, kind].to_document(event, OutboundContext(PLANT, family, "LSKEY", ITEMS))
    assert posted is not None
    return posted


def in_base_units(lines: Sequence[tuple[str, Decimal, str]]) -> Counter[str]:
    totals: Counter[str] = Counter()
    for item, amount, unit in lines:
        totals[item] += amount * FACTOR[UNITS[unit]]  # type: ignore[assignment]
    return totals


def told(lines: Sequence[Mapping[str, Any]], name: str) -> Counter[str]:
    totals: Counter[str] = Counter()
    for line in lines:
        assert line[name]["uom"] == "EA"
        totals[line["item"]] += Decimal(line[name]["value"])  # type: ignore[assignment]
    return totals


@given(lines=LINES)
def test_targets_are_told_every_amount_in_base_units(lines: Sequence[tuple[str, Decimal, str]]) -> None:
    parts = [{"item": item, "quantity": {"value": str(amount), "uom": UNITS[unit]}} for item, amount, unit in lines]
    done = {"order_id": "1", "outputs": parts}
    released = {"order_id": "1", "item": "A", "quantity": parts[0]["quantity"], "materials": parts}

    put_away = document("wms", "production.completed.v1", done)
    signal = document("planning", "production.completed.v1", done)
    order = document("mes", "production.order.released.v1", released)

    assert told(put_away["lines"], "quantity") == in_base_units(lines)
    assert told(signal["changes"], "delta") == in_base_units(lines)
    assert told(order["materials"], "quantity") == in_base_units(lines)


@given(amount=AMOUNTS, unit=st.sampled_from(["PC", "BX"]))
def test_what_is_moved_received_or_lost_is_told_in_base_units(amount: Decimal, unit: str) -> None:
    quantity = {"value": str(amount), "uom": UNITS[unit]}
    moved = {"item": "A", "quantity": quantity, "from": {"storage": "F"}, "to": {"storage": "T"}}
    lost = {"order_id": "1", "item": "A", "quantity": quantity, "reason": "R"}
    base = amount * FACTOR[UNITS[unit]]

    task = document("wms", "inventory.moved.v1", moved)
    rows = document("legacy_erp", "inventory.moved.v1", moved)["rows"]
    signal = document("planning", "production.scrapped.v1", lost)

    assert told(task["lines"], "quantity") == {"A": base}
    assert [Decimal(row["quantity"].replace(",", ".")) for row in rows] == [base]
    assert told(signal["changes"], "delta") == {"A": -base}
