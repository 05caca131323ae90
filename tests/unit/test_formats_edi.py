"""EDIFACT and X12 bodies: what is read, what is taken with a note, what is refused, and at which place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mappings.context import Deviations, MappingError
from mappings.formats import edi_segments, edifact, x12

MESSAGE = "UNH+7+ORDERS:D:96A:UN'\nBGM+220+A?+1?'?:??+9'\nDTM+137:20260203:102'\nUNT+4+7'\n"
EDIFACT = f"UNB+UNOC:3+SENDER:14+RECEIVER:14+260203:0915+IC1'\n{MESSAGE}UNZ+1+IC1'\n"
ISA = "ISA*00*          *00*          *01*SENDER         *ZZ*RECEIVER       *260203*0915*U*00401*000000101*0*P*>~\n"
SETS = "GS*PO*S*R*20260203*0915*1*X*004010~\nST*850*0001~\nBEG*00*SA*1**20260203~\nSE*3*0001~\nGE*1*1~\n"
X12 = f"{ISA}{SETS}IEA*1*000000101~\n"
READERS = {"edifact": (edifact.read, EDIFACT), "x12": (x12.read, X12)}


def deviations_of(read: Callable[[bytes, Deviations], Any], body: str) -> list[tuple[str, str | None]]:
    deviations = Deviations()
    read(body.encode(), deviations)
    return [(one.code, one.place) for one in deviations.noted]


def refusal(read: Callable[[bytes], Any], body: bytes | str) -> tuple[str, str | None]:
    with pytest.raises(MappingError) as caught:
        read(body if isinstance(body, bytes) else body.encode())
    assert caught.value.reason
    return caught.value.code, caught.value.field


def test_an_interchange_is_read_with_the_place_of_each_segment() -> None:
    (message,) = edifact.read(EDIFACT.encode())["messages"]

    assert {name: message[name] for name in ("kind", "release", "reference", "sender", "receiver", "interchange")} == {
        "kind": "ORDERS",
        "release": "D:96A:UN",
        "reference": "7",
        "sender": "SENDER",
        "receiver": "RECEIVER",
        "interchange": "IC1",
    }
    assert [segment["place"] for segment in message["segments"]] == [
        "segment 3 (BGM) in line 3 column 1",
        "segment 4 (DTM) in line 4 column 1",
    ]


def test_released_characters_are_text() -> None:
    (message,) = edifact.read(EDIFACT.encode())["messages"]

    assert message["segments"][0]["elements"] == ["220", "A+1':?", "9"]
    assert message["segments"][1]["elements"] == [["137", "20260203", "102"]]


def test_separators_are_those_that_una_names() -> None:
    body = EDIFACT.translate(str.maketrans(":+?'", "|*!~"))

    (message,) = edifact.read(f"UNA|*.! ~{body}".encode())["messages"]

    assert message["segments"][0]["elements"] == ["220", "A*1~|!", "9"]


@pytest.mark.parametrize("una", ["UNA:+.? ", "UNA++.? '", "UNA:+.?  ", "UNAA+.? '", "UNA:+.+ '"])
def test_a_service_string_that_names_no_separators_is_refused(una: str) -> None:
    assert refusal(edifact.read, una)[0] == "separators_invalid"


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\r", "\n\n"])
def test_line_ends_behind_segments_mean_nothing(end: str) -> None:
    for read, body in READERS.values():
        assert deviations_of(read, body.replace("\n", end)) == []


def test_segments_of_one_line_are_told_apart_by_their_column() -> None:
    body = EDIFACT.replace("\n", "")

    (message,) = edifact.read(body.encode())["messages"]

    assert message["segments"][0]["place"] == f"segment 3 (BGM) in line 1 column {body.index('BGM') + 1}"


@pytest.mark.parametrize("form", READERS)
def test_a_body_that_was_cut_off_anywhere_is_refused_with_its_place(form: str) -> None:
    read, body = READERS[form]
    last = body.rstrip()[:-1]

    for size in range(1, len(last)):
        _, place = refusal(read, body[:size])
        assert place


@pytest.mark.parametrize("form", READERS)
def test_a_body_that_lacks_its_beginning_is_refused(form: str) -> None:
    read, body = READERS[form]
    opening = body.index("\n", body.index("UNH" if form == "edifact" else "ST*")) + 1

    assert refusal(read, body[opening:])[0] in ("document_unknown", "message_incomplete")


@pytest.mark.parametrize(
    ("form", "right", "wrong", "code", "place"),
    [
        ("edifact", "UNT+4+7", "UNT+9+7", "count_wrong", "segment 5 (UNT) in line 5 column 1"),
        ("edifact", "UNT+4+7", "UNT+4+8", "reference_wrong", "segment 5 (UNT) in line 5 column 1"),
        ("edifact", "UNZ+1+IC1", "UNZ+2+IC1", "count_wrong", "segment 6 (UNZ) in line 6 column 1"),
        ("edifact", "UNZ+1+IC1", "UNZ+1+IC2", "reference_wrong", "segment 6 (UNZ) in line 6 column 1"),
        ("edifact", "IC1'\nUNH", "IC1++++++1'\nUNH", "test_indicator", "segment 1 (UNB) in line 1 column 1"),
        ("edifact", "UNOC:3", "UNOA:1", "none", None),
        ("edifact", "\nDTM", "\n\tDTM", "segment_indented", "segment 4 (DTM) in line 4 column 2"),
        ("edifact", "DTM+137:2026", "DTM+137:20\n26", "line_wrapped", "segment 4 (DTM) in line 4 column 1"),
        ("edifact", "\nDTM", "\n'DTM", "segment_empty", "line 4 column 1"),
        ("edifact", "IC1'\n", "IC1\n", "terminator_wrong", "line 6 column 1"),
        ("x12", "SE*3*", "SE*4*", "count_wrong", "segment 5 (SE) in line 5 column 1"),
        ("x12", "SE*3*0001", "SE*3*1", "reference_wrong", "segment 5 (SE) in line 5 column 1"),
        ("x12", "GE*1*1~\n", "", "envelope_missing", "segment 6 (IEA) in line 6 column 1"),
        ("x12", "IEA*1*000000101", "IEA*1*000000001", "reference_wrong", "segment 7 (IEA) in line 7 column 1"),
        ("x12", "*0*P*>", "*0*T*>", "test_indicator", "segment 1 (ISA) in line 1 column 1"),
        ("x12", "*P*>~", "*P*~", "isa_width_wrong", "line 1"),
        ("x12", "SENDER         ", "SENDER", "isa_width_wrong", "line 1"),
        ("x12", "SENDER         ", "SENDER        \n ", "isa_width_wrong", "line 1"),
    ],
)
def test_what_departs_from_the_standard_and_is_beyond_doubt_is_noted_with_its_place(
    form: str, right: str, wrong: str, code: str, place: str | None
) -> None:
    read, body = READERS[form]
    assert right in body
    at = body.rindex(right) if code == "terminator_wrong" else body.index(right)
    changed = body[:at] + wrong + body[at + len(right) :]

    assert deviations_of(read, changed) == ([] if code == "none" else [(code, place)])


@pytest.mark.parametrize("form", READERS)
def test_a_strict_source_is_refused_where_a_lenient_one_gets_a_note(form: str) -> None:
    read, body = READERS[form]
    wrong = body.replace("UNT+4", "UNT+5").replace("SE*3", "SE*4")

    with pytest.raises(MappingError) as caught:
        read(wrong.encode(), Deviations(strict=True))

    assert caught.value.code == "count_wrong"
    assert "read strictly" in caught.value.reason


def test_lines_without_terminators_are_segments() -> None:
    body = EDIFACT.replace("'\n", "\r\n").replace("?'", "")

    deviations = Deviations()
    (message,) = edifact.read(body.encode(), deviations)["messages"]

    assert [segment["tag"] for segment in message["segments"]] == ["BGM", "DTM"]
    assert [one.code for one in deviations.noted] == ["terminator_wrong"]


@pytest.mark.parametrize(
    ("body", "first"),
    [(SETS, "envelope_missing"), ("ST*850*0001~BEG*00*SA*1**20260203~SE*3*0001~", "envelope_missing")],
)
def test_sets_without_an_interchange_are_read_with_a_note(body: str, first: str) -> None:
    deviations = Deviations()

    (message,) = x12.read(body.encode(), deviations)["messages"]

    assert (message["kind"], deviations.noted[0].code) == ("850", first)


def test_several_interchanges_of_one_body_are_read() -> None:
    body = "UNA:+.? '" + EDIFACT + "UNA:+.? '" + EDIFACT

    assert len(edifact.read(body.encode())["messages"]) == 2
    assert refusal(edifact.read, EDIFACT + "UNA|*.! ~" + EDIFACT)[0] == "separators_invalid"


def test_a_group_counts_its_messages() -> None:
    group = f"UNG+ORDERS+S+R+260203:0915+G1+UN+D:96A'\n{MESSAGE}UNE+1+G1'\n"

    assert deviations_of(edifact.read, EDIFACT.replace(MESSAGE, group)) == []
    assert deviations_of(edifact.read, EDIFACT.replace(MESSAGE, group.replace("UNE+1", "UNE+2"))) == [
        ("count_wrong", "segment 7 (UNE) in line 7 column 1")
    ]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (EDIFACT.encode("utf-16"), "encoding_invalid"),
        (EDIFACT.encode("utf-16-le"), "encoding_invalid"),
        (EDIFACT.replace("UNOC", "UNOY").replace("220", "\xfc").encode("latin-1"), "encoding_invalid"),
        (EDIFACT.replace("220", "\x81").encode("latin-1"), "encoding_invalid"),
        (EDIFACT.replace("UNOC", "UNOX").replace("220", "\xfc").encode("latin-1"), "encoding_unknown"),
        (EDIFACT.replace("220", "\x00"), "segment_invalid"),
        (EDIFACT.replace("DTM+", "dtm+"), "segment_invalid"),
        (EDIFACT.replace("BGM", "UNZ+1+IC1'BGM"), "message_incomplete"),
        (EDIFACT.replace("UNH+7", "LIN+1'UNH+7"), "segment_misplaced"),
        ("UNB+UNOC:3+A+B+260203:0915+IC1'UNZ+0+IC1'", "document_empty"),
        ("HEADESADVD96AUNEAN005  8712345678910", "document_unknown"),
        ("", "document_unknown"),
    ],
)
def test_what_is_no_sound_interchange_is_refused(body: bytes | str, code: str) -> None:
    found, place = refusal(edifact.read, body)

    assert found == code
    assert place


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("ISA", "separators_invalid"),
        (X12.replace("*00401*", "*"), "separators_invalid"),
        (X12.replace("GS*PO", "XX*PO"), "separators_invalid"),
        ("ST*850*0001", "separators_invalid"),
        (EDIFACT, "document_unknown"),
    ],
)
def test_what_is_no_sound_x12_interchange_is_refused(body: str, code: str) -> None:
    found, place = refusal(x12.read, body)

    assert found == code
    assert place


def test_bytes_that_are_not_what_was_declared_are_read_with_a_note() -> None:
    utf_8, latin = Deviations(), Deviations()

    first = edifact.read(EDIFACT.replace("220", "ü").encode(), utf_8)
    second = edifact.read(EDIFACT.replace("UNOC", "UNOA").replace("220", "ü").encode("latin-1"), latin)

    assert [one["messages"][0]["segments"][0]["elements"][0] for one in (first, second)] == ["ü", "ü"]
    assert [one.code for one in (*utf_8.noted, *latin.noted)] == ["encoding_wrong", "encoding_wrong"]


@pytest.mark.parametrize(
    ("filling", "code"),
    [
        ("+" * 600_000, "body_too_large"),
        (":'" * 100_001, "body_too_large"),
        ("A" * 25_000, "segment_too_long"),
        ("?'" * 12_000, "segment_too_long"),
    ],
)
def test_a_body_beyond_its_bounds_is_refused(filling: str, code: str) -> None:
    assert edi_segments.MAX_SEGMENT_CHARACTERS < 25_000

    assert refusal(edifact.read, EDIFACT.replace("+9'", f"+{filling}'"))[0] == code


def of_syntax(version: int, advice: str, name: str) -> dict[str, Any]:
    """An ORDERS whose buyer is named so, in this version of the syntax."""
    body = (
        f"{advice}UNB+UNOC:{version}+S:14+R:14+20260203:0915+1'UNH+1+ORDERS:D:01B:UN'BGM+220+A?*7+9'"
        f"NAD+BY+{name}'UNT+4+1'UNZ+1+1'"
    )
    deviations = Deviations(strict=True)
    (found,) = edifact.read(body.encode(), deviations)["messages"]
    return {"elements": found["segments"][1]["elements"], "number": found["segments"][0]["elements"][1]} | {
        "told": deviations.told()
    }


@pytest.mark.parametrize("advice", ["", "UNA:+.?*'"])
def test_in_syntax_4_the_first_of_an_elements_repetitions_is_read_with_a_note(advice: str) -> None:
    found = of_syntax(4, advice, "A*B::9*C+D?*E")

    assert found["elements"] == ["BY", "A", "D*E"]
    assert found["number"] == "A*7"
    assert "an element is repeated, of which the first is read (segment 4 (NAD)" in str(found["told"])


def test_components_of_the_first_repetition_are_kept_and_another_separator_is_the_one_of_una() -> None:
    assert of_syntax(4, "UNA:+.?^'", "A:1*:9^B")["elements"] == ["BY", ["A", "1*", "9"]]


@pytest.mark.parametrize(("version", "advice"), [(3, ""), (3, "UNA:+.?*'"), (4, "UNA:+.? '")])
def test_an_asterisk_is_text_where_no_repetition_separator_is_in_use(version: int, advice: str) -> None:
    found = of_syntax(version, advice, "A*B")

    assert (found["elements"], found["told"]) == (["BY", "A*B"], None)


def test_a_repetition_separator_that_is_another_separator_as_well_is_refused() -> None:
    with pytest.raises(MappingError) as caught:
        of_syntax(4, "UNA:+.?+'", "A")

    assert caught.value.code == "separators_invalid"
