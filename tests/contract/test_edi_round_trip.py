"""A shipment that is written for a partner is read back as it was, by our reader and to the standard."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings.canonical import contract
from mappings.context import Crosswalks, Deviations, Event, InboundContext, MappingError, OutboundContext, PlantFacts
from mappings.gs1 import check_digit
from mappings.registry import INBOUND, OUTBOUND

PLANT = PlantFacts("P200", "Machining", "Europe/Paris")
TYPE = "shipment.confirmed.v1"
FAMILIES = {"edifact": "edifact.DESADV", "x12": "x12.856"}
PARTNERS = {"sender": "OURS", "receiver": "THEIRS"}
SUMMER = datetime(2026, 4, 1)
BACK = {"PCE": "EA", "EA": "EA", "KGM": "KG", "KG": "KG", "LTR": "L", "LT": "L"}

# With what EDIFACT has to release, and without what X12 cannot hold.
CODES = st.text("AZ09+:'?-./ ", min_size=1, max_size=12).map(str.strip).filter(bool)
AMOUNTS = st.decimals("0.001", "99999", places=3).map(lambda value: format(value.normalize(), "f"))
ORDERS = st.fixed_dictionaries(
    {"type": st.just("purchase_order"), "id": CODES}, optional={"line": st.from_regex(r"[0-9]{1,6}", fullmatch=True)}
)
LINES = st.fixed_dictionaries(
    {"item": CODES, "quantity": st.fixed_dictionaries({"value": AMOUNTS, "uom": st.sampled_from(["EA", "KG", "L"])})},
    optional={"lot": CODES, "serials": st.lists(CODES, min_size=1, max_size=7, unique=True), "order_ref": ORDERS},
)
SSCCS = st.integers(0, 10**17 - 1).map(lambda number: f"{number:017d}{check_digit(f'{number:017d}')}")
PACKAGES = st.lists(SSCCS, max_size=3, unique=True).flatmap(
    lambda ssccs: st.tuples(
        *(
            st.fixed_dictionaries({"sscc": st.just(sscc)}, optional={"lines": st.lists(LINES, min_size=1, max_size=3)})
            for sscc in ssccs
        )
    ).map(list)
)
SHIPMENTS = st.fixed_dictionaries(
    {
        "event_time": st.integers(0, 100_000).map(lambda minutes: f"{SUMMER + timedelta(minutes=minutes):%FT%TZ}"),
        "delivery_id": CODES,
        "packages": PACKAGES,
        "lines": st.lists(LINES, max_size=3),
    },
    optional={"carrier": CODES, "ship_from": CODES, "ship_to": CODES},
).filter(lambda data: data["packages"] or data["lines"])


def written(family: str, data: Any, **options: Any) -> Any:
    event = Event(TYPE, contract.validate(TYPE, data))
    document = OUTBOUND[family, TYPE].to_document(event, OutboundContext(PLANT, "partner", "LSKEY", {}, options))
    assert document
    return document


def read_back(family: str, text: str, *, strict: bool = True) -> Any:
    mapping, deviations = INBOUND[family, FAMILIES[family]], Deviations(strict=strict)
    context = InboundContext(PLANT, "s", "m", datetime(2026, 1, 1, tzinfo=UTC), BACK, {}, deviations)
    (event,) = mapping.to_canonical(mapping.read(text.encode("latin-1"), deviations), context)
    return contract.validate(event.type, event.data)


def without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_empty(inner) for key, inner in value.items() if inner not in ([], {})}
    return [without_empty(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=25, deadline=None)
@given(data=SHIPMENTS)
def test_a_strict_source_reads_what_was_written_as_it_was(family: str, data: Any) -> None:
    told = read_back(family, written(family, data, **PARTNERS)["text"])

    assert without_empty(told) == without_empty(data) | {"location": {"site": "P200"}}


SHIPMENT: dict[str, Any] = {
    "event_time": "2026-02-03T13:30:00Z",
    "delivery_id": "D1",
    "lines": [{"item": "A", "quantity": {"value": "5", "uom": "BOX-10"}}],
}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_repeat_writes_the_same_bytes_and_a_reversal_another_reference(family: str) -> None:
    options = PARTNERS | {"units": {"BOX-10": "BX"}}
    first, again = (written(family, SHIPMENT, **options) for _ in range(2))

    assert first == again
    assert first["text"].splitlines()[-1] != first["reversal_text"].splitlines()[-1]
    with pytest.raises(MappingError, match="a cancellation"):
        read_back(family, first["reversal_text"])


def test_a_target_with_a_crosswalk_of_units_is_told_its_own_codes() -> None:
    tables = Crosswalks("partner", ("units",), {"units": {"BOX-10": "XBX"}})
    context = OutboundContext(PLANT, "partner", "LSKEY", {}, PARTNERS, tables)

    document = OUTBOUND["edifact", TYPE].to_document(Event(TYPE, SHIPMENT), context)

    assert document
    assert "QTY+12:5:XBX'" in document["text"]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_test_is_marked_as_one(family: str) -> None:
    text = written(family, SHIPMENT, **PARTNERS, usage="test", units={"BOX-10": "EA"})["text"]

    with pytest.raises(MappingError, match="marked as a test"):
        read_back(family, text)
    assert read_back(family, text, strict=False)["delivery_id"] == "D1"


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    ("change", "options", "code", "place"),
    [
        ({}, {"sender": "OURS", "units": {"BOX-10": "BX"}}, "option_missing", "receiver"),
        ({}, PARTNERS, "unit_unknown", "lines[0].quantity.uom"),
        ({"delivery_id": "D" * 40}, PARTNERS, "text_too_long", "delivery_id"),
        ({"delivery_id": "Ж"}, PARTNERS, "character_unwritable", "delivery_id"),
    ],
)
def test_what_the_format_cannot_hold_is_refused_with_its_place(
    family: str, change: dict[str, Any], options: dict[str, Any], code: str, place: str
) -> None:
    with pytest.raises(MappingError) as caught:
        written(family, SHIPMENT | change, **options)

    assert (caught.value.code, caught.value.field) == (code, place)


def test_a_separator_in_a_code_is_released_in_edifact_and_refused_in_x12() -> None:
    data = SHIPMENT | {"delivery_id": "Dü+1:'?*~"}
    options = PARTNERS | {"units": {"BOX-10": "EA"}}

    assert read_back("edifact", written("edifact", data, **options)["text"])["delivery_id"] == "Dü+1:'?*~"
    with pytest.raises(MappingError, match="character_unwritable"):
        written("x12", data, **options)


def test_an_isa_has_its_width() -> None:
    text = written("x12", SHIPMENT, **PARTNERS, units={"BOX-10": "BX"})["text"]

    assert text.index("~") == 105
