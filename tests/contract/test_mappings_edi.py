"""What EDI mappings make of what partners leave out, double or say otherwise: exactly what it means, or a refusal."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from mappings.context import Crosswalks, Deviations, Event, InboundContext, MappingError, PlantFacts
from mappings.registry import INBOUND

PLANT = PlantFacts("P200", "Machining", "Europe/Paris")
ORDER = "BGM+220+PO1+9'DTM+137:20260203:102'"
LINE = "LIN+1++A:IN'QTY+21:5:PCE'"
ADVICE = "BGM+351+D1+9'DTM+11:202602031430:203'"
GOODS = "LIN+1++A:IN'QTY+12:5:PCE'"
RECEIPT = "BGM+632+W1+9'DTM+50:20260204:102'RFF+ON:PO1'LIN+1++A:IN'"
STOCK = "BGM+35+I1+9'DTM+137:20260204:102'"
SCHEDULE = "BGM+241+S1+9'DTM+137:20260204:102'LIN+1++A:IN'"
BEG = "BEG*00*SA*PO1**20260203~"
BSN = "BSN*00*D1*20260203*1430~HL*1**S~"
RCD = "BRA*W1*20260204*00*1~PRF*PO1~"
SSCC = "340000010000000013"


def edifact(kind: str, body: str, una: str = "") -> bytes:
    message = f"UNH+1+{kind}:D:96A:UN'{body}UNT+{body.count(chr(39)) + 2}+1'"
    return f"{una}UNB+UNOC:3+S+R+260203:0915+1'{message}UNZ+1+1'".encode()


def x12(kind: str, body: str) -> bytes:
    isa = "ISA*00*          *00*          *01*S              *ZZ*R              *260203*0915*U*00401*000000001*0*P*>~"
    inner = f"GS*PO*S*R*20260203*0915*1*X*004010~ST*{kind}*0001~{body}SE*{body.count('~') + 2}*0001~GE*1*1~"
    return f"{isa}{inner}IEA*1*000000001~".encode()


def events(kind: str, body: str, una: str = "", **options: Any) -> tuple[list[Event], list[str]]:
    """The events of one message of this body, and the codes of what was noted."""
    family, _, name = kind.partition(".")
    mapping, deviations = INBOUND[family, kind], Deviations()
    units = {"PCE": "EA", "EA": "EA"}
    context = InboundContext(PLANT, "s", "m", datetime(2026, 1, 1, tzinfo=UTC), units, options, deviations)
    raw = edifact(name, body, una) if family == "edifact" else x12(name, body)
    return list(mapping.to_canonical(mapping.read(raw, deviations), context)), [one.code for one in deviations.noted]


def data_of(kind: str, body: str, una: str = "", **options: Any) -> Any:
    (event,), _ = events(kind, body, una, **options)
    return event.data


@pytest.mark.parametrize(
    ("kind", "body", "code", "place"),
    [
        ("edifact.ORDERS", ORDER.replace("+9'", "+1'") + LINE, "function_unsupported", "(BGM)"),
        ("edifact.ORDERS", ORDER.replace("PO1", "") + LINE, "segment_invalid", "(BGM)"),
        ("edifact.ORDERS", ORDER, "segment_missing", "(UNH)"),
        ("edifact.ORDERS", ORDER.partition("DTM")[0] + LINE, "time_missing", "(UNH)"),
        ("edifact.ORDERS", ORDER.replace("20260203", "20261303") + LINE, "time_invalid", "(DTM)"),
        ("edifact.ORDERS", ORDER.replace(":102", ":718") + LINE, "time_invalid", "(DTM)"),
        ("edifact.ORDERS", ORDER + LINE + LINE, "line_repeated", "segment 7 (LIN)"),
        ("edifact.ORDERS", ORDER + LINE.replace("LIN+1+", "LIN+1+2"), "function_unsupported", "(LIN)"),
        ("edifact.ORDERS", ORDER + LINE.replace(":IN", ":ZZZ"), "item_missing", "(LIN)"),
        ("edifact.ORDERS", ORDER + LINE + "PIA+1+B:IN'", "item_ambiguous", "(LIN)"),
        ("edifact.ORDERS", ORDER + LINE + "QTY+21:6'", "quantity_ambiguous", "(QTY)"),
        ("edifact.ORDERS", ORDER + LINE.replace("21:", "59:"), "quantity_missing", "(LIN)"),
        ("edifact.ORDERS", ORDER + LINE.replace(":5:", ":5x:"), "quantity_invalid", "(QTY)"),
        ("edifact.ORDERS", ORDER + LINE.replace(":5:", ":-5:"), "quantity_invalid", "(QTY)"),
        ("edifact.ORDERS", ORDER + LINE.replace(":5:", ":1.000,5:"), "quantity_invalid", "(QTY)"),
        ("edifact.ORDERS", ORDER + LINE.replace("PCE", "XBX"), "unit_unknown", "(QTY)"),
        ("edifact.DESADV", ADVICE + GOODS + "PIA+1+L1:NB+L2:NB'", "lot_ambiguous", "(LIN)"),
        ("edifact.DESADV", ADVICE + f"CPS+1'GIN+BJ+{SSCC}:1'" + GOODS, "sscc_range_invalid", "(GIN)"),
        ("edifact.DESADV", ADVICE.replace("+9'", "+31'") + GOODS, "function_unsupported", "(BGM)"),
        ("edifact.RECADV", RECEIPT.replace("RFF+ON:PO1'", "") + "QTY+194:5:PCE'", "reference_missing", "(LIN)"),
        ("edifact.RECADV", RECEIPT + "QTY+48:5:PCE'QTY+194:4:PCE'QTY+195:2:PCE'", "quantity_ambiguous", "(LIN)"),
        ("edifact.RECADV", RECEIPT + "QTY+194:0:PCE'", "nothing_reported", "QTY"),
        ("edifact.INVRPT", STOCK + "LIN+1++A:IN'INV+2'QTY+145:5:PCE'", "movement_unsupported", "(INV)"),
        ("edifact.DELFOR", SCHEDULE + "QTY+113:5:PCE'", "time_missing", "(QTY)"),
        ("edifact.DELFOR", SCHEDULE + "DTM+2:20260301:102'", "quantity_missing", "(LIN)"),
        ("x12.850", BEG.replace("*00*", "*01*") + "PO1*1*5*EA***BP*A~", "function_unsupported", "(BEG)"),
        ("x12.850", BEG.replace("PO1", "") + "PO1*1*5*EA***BP*A~", "segment_invalid", "(BEG)"),
        ("x12.850", BEG + "PO1*1**EA***BP*A~", "segment_invalid", "(PO1)"),
        ("x12.850", BEG, "segment_missing", "(ST)"),
        ("x12.850", BEG + "PO1*1*5*EA***ZZ*A~", "item_missing", "(PO1)"),
        ("x12.850", BEG.replace("20260203", "") + "PO1*1*5*EA***BP*A~", "time_missing", "(BEG)"),
        ("x12.856", BSN + "HL*2*9*I~LIN**BP*A~SN1**5*EA~", "hierarchy_wrong", "(HL)"),
        ("x12.856", BSN + "HL*2*1*X~LIN**BP*A~SN1**5*EA~", "level_unknown", "(HL)"),
        ("x12.856", BSN + "HL*2*1*I~LIN**BP*A~", "segment_missing", "(HL)"),
        ("x12.856", BSN, "nothing_reported", "(ST)"),
        ("x12.861", RCD + "RCD*1*5*EA*6*EA~LIN**BP*A~", "quantity_ambiguous", "(RCD)"),
        ("x12.861", RCD.replace("PRF*PO1~", "") + "RCD*1*5*EA~LIN**BP*A~", "reference_missing", "(RCD)"),
        ("x12.846", "BIA*00*MM*I1*20260201~LIN**BP*A~", "quantity_missing", "(LIN)"),
        ("x12.830", "BFR*00*S1**DL*A*20260202***~LIN**BP*A~FST*5*M*D*20260301~", "forecast_unsupported", "(FST)"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(kind: str, body: str, code: str, place: str) -> None:
    with pytest.raises(MappingError) as caught:
        events(kind, body)

    assert caught.value.code == code
    assert place in (caught.value.field or "")


def test_the_topology_says_by_whose_number_an_item_is_known() -> None:
    line = "LIN+1++4000001111115:EN'PIA+1+OURS:IN+THEIRS:SA'QTY+21:5:PCE'"

    named = [
        data_of("edifact.ORDERS", ORDER + line, **options)["lines"][0]["item"]
        for options in ({}, {"item_codes": ["SA", "EN"]}, {"item_codes": ["EN"]})
    ]

    assert named == ["OURS", "THEIRS", "4000001111115"]


def test_a_code_without_its_kind_is_the_item_where_there_is_no_other() -> None:
    (event,), noted = events("edifact.ORDERS", ORDER + LINE.replace(":IN", ""))

    assert (event.data["lines"][0]["item"], noted) == ("A", ["item_unqualified"])


def test_a_quantity_without_a_unit_is_in_the_unit_that_the_topology_says() -> None:
    body = ORDER + LINE.replace(":PCE", "")

    assert data_of("edifact.ORDERS", body)["lines"][0]["quantity"] == {"value": "5", "uom": "EA"}
    told = data_of("edifact.ORDERS", body, unit_if_missing="KG")["lines"][0]["quantity"]
    assert told == {"value": "5", "uom": "KG"}


def test_a_source_with_a_crosswalk_of_units_is_not_asked_for_one_that_was_not_sent() -> None:
    mapping = INBOUND["edifact", "edifact.ORDERS"]
    tables = Crosswalks("s", ("units",), {"units": {"XBX": "BOX"}})
    context = InboundContext(PLANT, "s", "m", datetime(2026, 1, 1, tzinfo=UTC), crosswalks=tables)
    lines = LINE.replace("PCE", "XBX") + "LIN+2++B:IN'QTY+21:6'"

    (event,) = mapping.to_canonical(mapping.read(edifact("ORDERS", ORDER + lines), Deviations()), context)

    assert [line["quantity"]["uom"] for line in event.data["lines"]] == ["BOX", "EA"]


@pytest.mark.parametrize(
    ("text", "value"), [("1,5", "1.5"), ("1.5", "1.5"), ("1,500", "1.5"), (",5", "0.5"), ("+2", "2")]
)
def test_either_mark_is_a_decimal_mark_where_una_names_none(text: str, value: str) -> None:
    line = LINE.replace(":5:", f":{text}:").replace("+2:", "?+2:")

    assert data_of("edifact.ORDERS", ORDER + line)["lines"][0]["quantity"]["value"] == value


def test_the_other_mark_than_una_names_is_noted_and_refused_where_it_may_part_thousands() -> None:
    (event,), noted = events("edifact.ORDERS", ORDER + LINE.replace(":5:", ":1,5:"), "UNA:+.? '")
    with pytest.raises(MappingError, match="quantity_ambiguous"):
        events("edifact.ORDERS", ORDER + LINE.replace(":5:", ":1,500:"), "UNA:+.? '")

    assert (event.data["lines"][0]["quantity"]["value"], noted) == ("1.5", ["decimal_mark_wrong"])


@pytest.mark.parametrize(
    ("date", "instant"),
    [
        ("20260203:102", "2026-02-02T23:00:00Z"),
        ("260203:101", "2026-02-02T23:00:00Z"),
        ("202602031430:203", "2026-02-03T13:30:00Z"),
        ("20260203143005:204", "2026-02-03T13:30:05Z"),
        ("202602031430UTC:303", "2026-02-03T14:30:00Z"),
        ("202602031430?+0200:303", "2026-02-03T12:30:00Z"),
        ("20260203143005GMT:304", "2026-02-03T14:30:05Z"),
        ("202602031430Z?+0530:205", "2026-02-03T09:00:00Z"),
    ],
)
def test_a_date_is_read_by_its_form(date: str, instant: str) -> None:
    assert data_of("edifact.ORDERS", ORDER.replace("20260203:102", date) + LINE)["event_time"] == instant


def test_a_date_whose_digits_are_another_form_is_taken_with_a_note() -> None:
    (event,), noted = events("edifact.ORDERS", ORDER.replace(":102", ":203") + LINE)

    assert (event.data["event_time"], noted) == ("2026-02-02T23:00:00Z", ["date_form_wrong"])


def test_a_wrong_control_total_is_noted() -> None:
    _, of_edifact = events("edifact.ORDERS", ORDER + LINE + "UNS+S'CNT+2:3'")
    _, of_x12 = events("x12.850", BEG + "PO1*1*5*EA***BP*A~CTT*3~")

    assert (of_edifact, of_x12) == (["count_wrong"], ["count_wrong"])


def test_goods_are_in_the_package_that_theirs_stands_in() -> None:
    inner = f"CPS+1'GIN+BJ+{SSCC}'CPS+2+1'PAC+4++BX'{GOODS}"

    assert data_of("edifact.DESADV", ADVICE + inner)["packages"] == [
        {"sscc": SSCC, "lines": [{"item": "A", "quantity": {"value": "5", "uom": "EA"}}]}
    ]


def test_goods_of_several_packages_are_told_beside_them() -> None:
    data = data_of("edifact.DESADV", ADVICE + f"CPS+1'GIN+BJ+{SSCC}+340000010000000020'{GOODS}")

    assert [package["sscc"] for package in data["packages"]] == [SSCC, "340000010000000020"]
    assert data["lines"] == [{"item": "A", "quantity": {"value": "5", "uom": "EA"}}]


@pytest.mark.parametrize("number", ["8712345678906", "340000010000000014", "34000001000000001"])
def test_what_is_no_sscc_is_noted_and_its_goods_are_taken_without_a_package(number: str) -> None:
    (event,), noted = events("edifact.DESADV", ADVICE + f"CPS+1'GIN+BJ+{number}'{GOODS}")

    assert "packages" not in event.data
    assert (len(event.data["lines"]), noted) == (1, ["sscc_invalid"])


@pytest.mark.parametrize(
    ("quantities", "expected"),
    [
        ("QTY+194:5:PCE'", ("5", "5", "0")),
        ("QTY+48:5:PCE'", ("5", "5", "0")),
        ("QTY+48:5:PCE'QTY+195:2:PCE'", ("5", "3", "2")),
        ("QTY+48:5:PCE'QTY+194:4:PCE'", ("5", "4", "0")),
        ("QTY+194:3:PCE'QTY+196:2:PCE'", ("5", "3", "2")),
        ("QTY+48:5'QVR+-2:124+AF'", ("5", "3", "2")),
        ("QTY+48:5:PCE'QVR+-2:12+BP'", ("5", "5", "0")),
    ],
)
def test_a_receiving_advice_adds_up(quantities: str, expected: tuple[str, str, str]) -> None:
    data = data_of("edifact.RECADV", RECEIPT + quantities)

    assert tuple(data[name]["value"] for name in ("received", "accepted", "rejected")) == expected


@pytest.mark.parametrize(
    ("kind", "rcd", "expected"),
    [
        ("1", "RCD*1*5*EA~", ("5", "5", "0")),
        ("1", "RCD*1*5*EA*2*EA~", ("5", "3", "2")),
        ("1", "RCD*1*5*EA***1*EA*01~", ("5", "4", "0")),
        ("1", "RCD*1*5*EA***1*EA*02~", ("5", "5", "0")),
        ("8", "RCD*1*5*EA*2*EA~", ("7", "5", "2")),
    ],
)
def test_an_x12_receiving_advice_adds_up(kind: str, rcd: str, expected: tuple[str, str, str]) -> None:
    data = data_of("x12.861", RCD.replace("*00*1~", f"*00*{kind}~") + rcd + "LIN**BP*A~")

    assert tuple(data[name]["value"] for name in ("received", "accepted", "rejected")) == expected


def test_a_package_below_its_item_holds_it() -> None:
    body = BSN + f"HL*2*1*O~PRF*PO1~HL*3*2*I~LIN**BP*A~SN1**5*EA~HL*4*3*P~MAN*GM*00{SSCC}~"

    assert data_of("x12.856", body)["packages"] == [
        {
            "sscc": SSCC,
            "lines": [
                {
                    "item": "A",
                    "quantity": {"value": "5", "uom": "EA"},
                    "order_ref": {"type": "purchase_order", "id": "PO1"},
                }
            ],
        }
    ]


def test_a_level_that_names_no_parent_stands_in_the_nearest_higher_one() -> None:
    body = BSN + f"HL*2**O~PRF*PO1~HL*3**P~MAN*GM*{SSCC}~HL*4**I~LIN**BP*A~SN1**5*EA~"

    (event,), noted = events("x12.856", body)

    (package,) = event.data["packages"]
    assert package["lines"][0]["order_ref"]["id"] == "PO1"
    assert noted == ["hierarchy_wrong"] * 3
