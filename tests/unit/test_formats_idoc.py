"""IDocs, flat and as XML: what is read, what is noted, and where a fault is said to be."""

from __future__ import annotations

from typing import Any

import pytest

from mappings.context import Deviations, MappingError
from mappings.formats import idoc
from mappings.formats.idoc_records import CONTROL_COLUMNS, HEAD_COLUMNS, columns, segment_type
from tests.idocs import FlatIdoc, movement

CONTROL_XML = "<EDI_DC40 SEGMENT='1'><MESTYP>MATMAS</MESTYP></EDI_DC40>"


def segments(body: bytes, deviations: Deviations | None = None) -> list[tuple[str, str]]:
    (found,) = idoc.read(body, deviations)["idocs"]
    return [(segment["name"], segment["data"]) for segment in found["segments"]]


def refusal(body: bytes, **how: Any) -> tuple[str, str | None]:
    with pytest.raises(MappingError) as caught:
        idoc.read(body, Deviations(**how))
    return caught.value.code, caught.value.field


def xml(inner: str, root: str = "MATMAS05") -> bytes:
    return f'<{root}>\n<IDOC BEGIN="1">\n{CONTROL_XML}\n{inner}</IDOC></{root}>'.encode()


def test_records_are_as_long_as_sap_writes_them() -> None:
    assert columns(CONTROL_COLUMNS)[-1].end == 524
    assert columns(HEAD_COLUMNS)[-1].end == 63


@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("padded", [True, False], ids=["padded", "trimmed"])
def test_a_flat_idoc_is_the_same_however_its_records_end(padded: bool, line_end: str) -> None:
    noted = Deviations()

    found = segments(movement(padded=padded).body(line_end), noted)

    assert found == segments(movement().body())
    assert noted.told() is None


def test_columns_count_characters_not_bytes() -> None:
    body = FlatIdoc("MATMAS").add("E2MAKTM001", SPRAS="D", MAKTX="Räder für Körbe", SPRAS_ISO="DE").body()

    assert segments(body)[0][1].endswith("DE")
    assert segments(body)[0][1][44:] == "DE"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("E2EDL24006", "E1EDL24"),
        ("E2EDL24", "E1EDL24"),
        ("E1EDL24", "E1EDL24"),
        ("E2BP2017_GM_HEAD_01", "E1BP2017_GM_HEAD_01"),
        ("E2BP2017_GM_ITEM_CREATE003", "E1BP2017_GM_ITEM_CREATE"),
        ("E2RESBL004", "E1RESBL"),
        ("_-SPE_-E1BP2017_GM_REF_EWM", "/SPE/E1BP2017_GM_REF_EWM"),
        ("Z1OWN001", "Z1OWN001"),
    ],
)
def test_a_segments_release_is_no_part_of_its_type(name: str, kind: str) -> None:
    assert segment_type(name) == kind


def test_several_idocs_of_a_body_are_told_apart() -> None:
    body = movement("0000000000000001").body() + movement("0000000000000002").body()

    found = idoc.read(body)["idocs"]

    assert [one["control"]["DOCNUM"] for one in found] == ["0000000000000001", "0000000000000002"]
    assert found[1]["segments"][0]["place"] == "line 6, segment 000001 (E2MBGMCR)"


def shifted(line: int, change: Any) -> bytes:
    lines = movement().text().splitlines()
    lines[line - 1] = change(lines[line - 1])
    return ("\n".join(lines) + "\n").encode()


@pytest.mark.parametrize(
    ("body", "code", "place"),
    [
        (b"", "control_missing", "line 1"),
        (b"hello\n", "control_missing", "line 1"),
        (shifted(1, lambda line: "EDI_DC  " + line[8:]), "control_unknown", "line 1"),
        (shifted(1, lambda line: line.ljust(524) + "E2MBGMCR"), "record_too_long", "line 1, EDI_DC40"),
        (shifted(3, lambda line: " " + line), "segment_unnamed", "line 3"),
        (
            shifted(3, lambda line: line.ljust(1064, "x")),
            "record_too_long",
            "line 3, segment 000002 (E2BP2017_GM_HEAD_01)",
        ),
        (
            shifted(3, lambda line: line.replace("4711", "4712", 1)),
            "idoc_mixed",
            "line 3, segment 000002 (E2BP2017_GM_HEAD_01)",
        ),
        (movement().text().encode("utf-16"), "encoding_wrong", "line 1"),
        (movement(padded=True).body()[:-400], "record_cut", "line 4"),
    ],
)
def test_what_is_no_flat_idoc_is_refused_with_its_place(body: bytes, code: str, place: str) -> None:
    assert refusal(body) == (code, place)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (FlatIdoc("MATMAS").add("E2MAKTM001", MAKTX="Lack grün").text().encode("latin-1"), "encoding_assumed"),
        (movement().body().rstrip(b"\n"), "line_end_missing"),
        (shifted(3, lambda line: line.replace("000002", "000003")), "segment_order"),
        (shifted(3, lambda line: line.replace("000002", "      ")), "segment_unnumbered"),
    ],
)
def test_what_can_be_understood_is_noted_or_in_strict_mode_refused(body: bytes, code: str) -> None:
    noted = Deviations()

    idoc.read(body, noted)

    assert code in {one.code for one in noted.noted}
    assert refusal(body, strict=True)[0] == code


def test_xml_segments_come_in_their_order_whatever_their_nesting() -> None:
    body = xml('<E1MARAM SEGMENT="1"><MATNR>A </MATNR><E1MAKTM SEGMENT="1"><MAKTX>x</MAKTX></E1MAKTM>'
               "<MEINS/></E1MARAM><E1MARMM SEGMENT='1'/>")  # fmt: skip

    (found,) = idoc.read(body)["idocs"]

    assert [(one["name"], one["fields"]) for one in found["segments"]] == [
        ("E1MARAM", {"MATNR": "A"}),
        ("E1MAKTM", {"MAKTX": "x"}),
        ("E1MARMM", {}),
    ]
    assert found["segments"][0]["place"] == "line 4, segment 1 (E1MARAM)"


def test_xml_is_read_with_a_namespace_and_without_its_outer_element() -> None:
    inner = f'<IDOC xmlns="urn:sap">{CONTROL_XML}<E1MARAM SEGMENT="1"><MATNR>A</MATNR></E1MARAM></IDOC>'

    (found,) = idoc.read(inner.encode())["idocs"]

    assert found["segments"][0]["fields"] == {"MATNR": "A"}


@pytest.mark.parametrize(
    ("body", "code", "place"),
    [
        (b"<Receive><x/></Receive>", "document_unknown", "line 1"),
        (b"<MATMAS05>\n<IDOC><E1MARAM SEGMENT='1'/></IDOC></MATMAS05>", "control_missing", "line 2, IDOC"),
        (xml("<E1MARAM SEGMENT='1'><A>1</A><A>2</A></E1MARAM>"), "field_twice", "line 4, segment 1 (E1MARAM)"),
        (xml("<E1MARAM SEGMENT='1'>"), "xml_invalid", "line 4 column 29"),
        (b"<!DOCTYPE a><a/>", "xml_forbidden", None),
    ],
)
def test_what_is_no_idoc_in_xml_is_refused_with_its_place(body: bytes, code: str, place: str | None) -> None:
    assert refusal(body) == (code, place)


def test_an_idoc_of_too_many_segments_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idoc, "MAX_SEGMENTS", 2)

    assert refusal(movement().body())[0] == "too_many_segments"
    assert refusal(xml("<A SEGMENT='1'/>" * 3))[0] == "too_many_segments"
