"""Files of IDocs are cut into one message an IDoc, and a bad one takes no other with it."""

from __future__ import annotations

import io

import pytest

from mappings.formats import idoc, idoc_files
from mappings.formats.documents import Document
from mappings.formats.idoc_files import open_idocs
from mappings.formats.lines import BadRow, FileFault
from tests.idocs import movement

ONE, TWO = movement("0000000000000001"), movement("0000000000000002")
CONTROL_XML = "<EDI_DC40 SEGMENT='1'><MANDT>100</MANDT><DOCNUM>{}</DOCNUM></EDI_DC40>"
FIRST_XML = f"<MBGMCR03><IDOC BEGIN='1'>{CONTROL_XML.format(1)}<E1MBGMCR SEGMENT='1'/></IDOC>"
XML = f"{FIRST_XML}<IDOC BEGIN='1'>{CONTROL_XML.format(2)}</IDOC></MBGMCR03>".encode()


def pieces(content: bytes, skip: int = 0) -> list[Document | BadRow]:
    return list(open_idocs(io.BytesIO(content), {}, skip))


def ids(found: list[Document | BadRow]) -> list[str | None]:
    return [piece.own_id if isinstance(piece, Document) else piece.reason for piece in found]


@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_a_flat_file_becomes_a_message_an_idoc_known_by_client_and_number(line_end: str) -> None:
    found = pieces(b"\xef\xbb\xbf" + ONE.body(line_end) + line_end.encode() + TWO.body(line_end))

    assert found == [
        Document(1, ONE.body(), "text/plain", "100:0000000000000001", "MBGMCR"),
        Document(2, TWO.body(), "text/plain", "100:0000000000000002", "MBGMCR"),
    ]


def test_reading_goes_on_behind_what_was_taken_before() -> None:
    assert ids(pieces(ONE.body() + TWO.body(), skip=1)) == ["100:0000000000000002"]


def test_what_stands_before_the_first_control_record_is_bad_and_the_idocs_are_taken() -> None:
    found = pieces(b"lost segment\nanother\n" + ONE.body())

    assert isinstance(found[0], BadRow)
    assert found[0].number == 1
    assert "no control record EDI_DC40 before this line" in found[0].reason
    assert ids(found[1:]) == ["100:0000000000000001"]


def test_an_idoc_with_an_endless_line_is_bad_and_its_neighbours_are_taken() -> None:
    found = pieces(ONE.body() + TWO.body() + b"x" * 70_000 + b"\n" + ONE.body())

    assert [type(piece) for piece in found] == [Document, BadRow, Document]


def test_an_idoc_beyond_the_bound_is_bad_and_its_neighbours_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idoc_files, "MAX_DOCUMENT_BYTES", 2 * len(ONE.body()))

    found = pieces(ONE.body() + TWO.body() + b"E2EDKT1\n" * 200 + ONE.body())

    assert [type(piece) for piece in found] == [Document, BadRow, Document]


def test_an_idoc_without_a_number_is_known_by_its_place_in_the_file() -> None:
    assert ids(pieces(movement(" " * 16).body())) == [None]


def test_a_cut_last_record_stays_cut() -> None:
    (found,) = pieces(ONE.body().rstrip(b"\n"))

    assert isinstance(found, Document)
    assert not found.body.endswith(b"\n")


def test_xml_with_several_idocs_becomes_a_message_each_that_stands_for_itself() -> None:
    found = pieces(XML)

    assert ids(found) == ["100:1", "100:2"]
    assert all(isinstance(piece, Document) and len(idoc.read(piece.body)["idocs"]) == 1 for piece in found)


def test_xml_with_one_idoc_is_kept_as_it_stood() -> None:
    content = f"{FIRST_XML}</MBGMCR03>".encode()

    assert pieces(content) == [Document(1, content, "application/xml", "100:1")]


def test_xml_that_is_cut_off_is_kept_as_one_message_whose_reading_tells_why() -> None:
    assert pieces(XML[:-20]) == [Document(1, XML[:-20], "application/xml")]


def test_a_file_that_is_empty_or_too_large_as_a_whole_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idoc_files, "MAX_DOCUMENT_BYTES", 100)

    for content, code in ((b" \n", "document_empty"), (XML, "document_too_large")):
        with pytest.raises(FileFault) as caught:
            pieces(content)
        assert caught.value.code == code
