"""EDIFACT and X12 files that other people's systems wrote: mapped to the unit, or refused with the place.

What they hold is counted here by regular expressions over the text of each file, not by our readers.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mappings.canonical import contract
from mappings.context import Deviations, Event, InboundContext, MappingError, PlantFacts
from mappings.formats import edifact, x12
from mappings.formats.documents import Document
from mappings.registry import INBOUND
from tests.interop.samples import sample

FOLDER = "edi"
PLANT = PlantFacts("P200", "Machining", "Europe/Paris")


def mapped(name: str, kind: str, deviations: Deviations | None = None, **options: Any) -> list[Event]:
    """The sample's events, each of which keeps its contract."""
    mapping, deviations = INBOUND[kind.partition(".")[0], kind], deviations or Deviations()
    context = InboundContext(PLANT, "s", "m", datetime(2026, 1, 1, tzinfo=UTC), {}, options, deviations)
    events = mapping.to_canonical(mapping.read(sample(f"{FOLDER}/{name}").read_bytes(), deviations), context)
    for event in events:
        contract.validate(event.type, event.data)
    return list(events)


def text_of(name: str) -> str:
    return sample(f"{FOLDER}/{name}").read_bytes().decode("utf-8-sig")


def shipped(events: Sequence[Event]) -> list[dict[str, Any]]:
    """Every line of these shipments, in a package or not."""
    return [
        line
        for event in events
        for line in [
            *event.data.get("lines", []),
            *(line for package in event.data.get("packages", []) for line in package.get("lines", [])),
        ]
    ]


def by_item(lines: Sequence[Any]) -> Counter[str]:
    found: Counter[str] = Counter()
    for line in lines:
        found[line["item"]] += Decimal(line["quantity"]["value"])  # type: ignore[assignment]
    return found


@pytest.mark.parametrize("name", ["gpl-2.0/desadv1.edi", "gpl-2.0/desadv2.edi"])
def test_despatch_advices_are_mapped_to_the_unit(name: str) -> None:
    expected: Counter[str] = Counter()
    for block in re.split(r"LIN\+", text_of(name).replace("UNT+", "LIN+UNT"))[1:]:
        item = re.search(r"PIA\+1\+(\w+):IN", block) or re.match(r"\d+\+\+(\d+):EN", block)
        if amount := re.search(r"QTY\+12:(\d+)", block):
            assert item
            expected[item.group(1)] += int(amount.group(1))

    events = mapped(name, "edifact.DESADV")

    assert [event.data["delivery_id"] for event in events] == re.findall(r"BGM\+\d*\+(\w+)'", text_of(name))
    assert by_item(shipped(events)) == expected


def test_a_package_is_known_by_its_sscc_and_what_is_none_is_no_package() -> None:
    deviations = Deviations()

    events = mapped("gpl-2.0/desadv1.edi", "edifact.DESADV", deviations)

    told = {package["sscc"] for event in events for package in event.data.get("packages", [])}
    assert told == set(re.findall(r"GIN\+BJ\+(\d{18})'", text_of("gpl-2.0/desadv1.edi")))
    assert {one.code for one in deviations.noted} == {"sscc_repeated"}


def test_purchase_orders_of_one_interchange_are_mapped_to_the_unit() -> None:
    text = text_of("gpl-2.0/orders02.edi")

    events = mapped("gpl-2.0/orders02.edi", "edifact.ORDERS")

    assert [event.data["purchase_order"] for event in events] == re.findall(r"BGM\+50E\+([^+]+)\+", text)
    lines = [line for event in events for line in event.data["lines"]]
    assert [line["item"] for line in lines] == re.findall(r"LIN\+\d+\+\+(\d+):EN", text)
    assert sum(Decimal(line["quantity"]["value"]) for line in lines) == sum(
        map(Decimal, re.findall(r"QTY\+21:([\d.]+)", text))
    )


@pytest.mark.parametrize(
    "name", ["gpl-2.0/850-004010-01.x12", "gpl-2.0/850-004010-05.x12", "mit/x12.850.edi", "mit/x12.850a.edi"]
)
def test_x12_purchase_orders_are_mapped_to_the_unit(name: str) -> None:
    text = text_of(name)
    ordered = re.findall(r"PO1\*[^*]*\*([\d.]+)\*(\w\w)", text)

    events = mapped(name, "x12.850")

    assert [event.data["purchase_order"] for event in events] == re.findall(r"BEG\*00\*\w\w\*([^*]+)\*", text)
    lines = [line for event in events for line in event.data["lines"]]
    assert [(line["quantity"]["value"], line["quantity"]["uom"]) for line in lines] == ordered
    assert all(line["item"] in text for line in lines)


def test_an_x12_ship_notice_is_mapped_to_the_unit() -> None:
    text, deviations = text_of("gpl-2.0/856_1.x12"), Deviations()
    expected: Counter[str] = Counter()
    for item, amount in re.findall(r"LIN\*\d+\*UP\*\d+\*+BP\*(\w+)~\s+SN1\*\*(\d+)\*EA", text):
        expected[item] += int(amount)
    assert sum(expected.values()) == sum(map(int, re.findall(r"SN1\*\*(\d+)\*", text)))

    events = mapped("gpl-2.0/856_1.x12", "x12.856", deviations)

    assert by_item(shipped(events)) == expected
    # Its numbers are padded to 22 digits, and none of them is an SSCC.
    assert Counter(one.code for one in deviations.noted) == {"sscc_invalid": len(re.findall(r"MAN\*GM", text))}


def test_an_x12_forecast_is_mapped_to_the_unit() -> None:
    text = text_of("gpl-2.0/830-004010UCS-01.x12")

    events = mapped("gpl-2.0/830-004010UCS-01.x12", "x12.830")

    assert [event.data["item"] for event in events] == re.findall(r"LIN\*.*\*PI\*(\w+)\*", text)
    amounts = [Decimal(each["quantity"]["value"]) for event in events for each in event.data["schedule"]]
    assert amounts == [Decimal(amount) for amount in re.findall(r"FST\*(\d+)\*", text)]


@pytest.mark.parametrize(
    ("name", "kind", "code", "told", "place"),
    [
        ("gpl-2.0/desadv96.inh", "edifact.DESADV", "document_unknown", "HEADESADVD96", "line 1 column 1"),
        ("mit/edifact.ORDRSP.edi", "edifact.ORDERS", "document_unknown", "ORDRSP (purchase order response)", "UNH"),
        ("mit/edifact.01.edi", "edifact.ORDERS", "document_unknown", "QUOTES (quote)", "segment 2 (UNH) in line 3"),
        ("mit/edifact.01.multi-message.edi", "edifact.ORDERS", "document_unknown", "QUOTES", "UNH"),
        ("mit/edifact.D01B.IFCSUM.EDI", "edifact.DESADV", "document_unknown", "IFCSUM", "segment 2 (UNH) in line 2"),
        ("mit/edifact.D01B.IFCSUM.NewLines.EDI", "edifact.DESADV", "document_unknown", "IFCSUM", "line 2"),
        ("mit/204-MGCTLYST-SAMPLE.EDI", "x12.856", "document_unknown", "204 (motor carrier load tender)", "(ST)"),
        ("mit/x12.214.edi", "x12.856", "document_unknown", "214 (transportation carrier", "segment 3 (ST) in line 4"),
        ("mit/990-MGCTLYST-SAMPLE.EDI", "x12.850", "document_unknown", "990 (response to a load tender)", "(ST)"),
    ],
)
def test_what_is_not_understood_is_refused_by_its_name_and_place(
    name: str, kind: str, code: str, told: str, place: str
) -> None:
    with pytest.raises(MappingError) as caught:
        mapped(name, kind)

    assert caught.value.code == code
    assert told in caught.value.reason
    assert place in (caught.value.field or "")


@pytest.mark.parametrize("name", ["mit/edifact.ORDRSP.edi", "mit/204-MGCTLYST-SAMPLE.EDI", "mit/x12.850.edi"])
def test_a_strict_source_refuses_what_departs_from_its_standard(name: str) -> None:
    kind = "edifact.ORDERS" if "edifact" in name else "x12.850"

    with pytest.raises(MappingError, match="read strictly") as caught:
        mapped(name, kind, Deviations(strict=True))

    assert caught.value.code in ("count_wrong", "encoding_wrong")


def test_every_sample_that_is_dropped_is_parted_into_its_messages() -> None:
    for path in every_file():
        body = path.read_bytes()
        is_x12 = b"ISA" in body[:8]
        if path.suffix == ".inh":
            continue
        pieces = list((x12 if is_x12 else edifact).open_messages(io.BytesIO(body), {}))

        parted = [piece for piece in pieces if isinstance(piece, Document)]
        assert len(parted) == len(re.findall(rb"[~'\s]ST\*" if is_x12 else rb"['\s]UNH\+", body)), path.name
        assert all(piece.own_id for piece in parted), path.name
        for piece in parted:
            assert len((x12 if is_x12 else edifact).read(piece.body)["messages"]) == 1


def every_file() -> list[Path]:
    return [path for path in sample(FOLDER).glob("*/*") if path.name != "LICENSE"]


def cut_off(path: Path, body: bytes) -> str:
    """The place at which a body that was cut off is refused; the end of its last message where it is whole."""
    mapping = INBOUND["x12", "x12.850"] if b"ISA" in path.read_bytes()[:8] else INBOUND["edifact", "edifact.ORDERS"]
    try:
        return str(mapping.read(body, Deviations())["messages"][-1]["end"])
    except MappingError as refused:
        return refused.field or ""


def test_every_sample_cut_off_anywhere_is_refused_with_its_place() -> None:
    for path in every_file():
        body = path.read_bytes()
        if path.suffix == ".inh":
            continue

        places = {size: cut_off(path, body[:size]) for size in range(0, len(body) - 8, 41)}

        assert all(places.values()), path.name
        assert not [size for size, place in places.items() if place == cut_off(path, body)], path.name
