"""Dropped files of EPCIS events: each event is a message in its document's envelope, with what packs the packages that
it names; a bad one costs its neighbours nothing, and memory does not grow with the file."""

from __future__ import annotations

import io
import json
import tracemalloc
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from mappings.context import Deviations
from mappings.formats import epcis, epcis_files, json_stream
from mappings.formats.documents import MAX_DOCUMENT_BYTES, Document
from mappings.formats.lines import BadRow, FileFault

CONTEXT = ["https://ref.gs1.org/standards/epcis/epcis-context.jsonld", {"example": "http://ns.example.com/epcis/"}]
ENVELOPE = {
    "@context": CONTEXT,
    "type": "EPCISDocument",
    "schemaVersion": "2.0",
    "creationDate": "2026-03-02T00:00:00Z",
}


def moved(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "type": "ObjectEvent",
        "eventID": f"urn:uuid:{number}",
        "eventTime": "2026-03-02T09:15:00Z",
        "eventTimeZoneOffset": "+00:00",
        "action": "OBSERVE",
        "bizStep": "storing",
        **fields,
    }


def packing(number: int, parent: str, *children: str, step: str = "packing") -> dict[str, Any]:
    named = {"type": "AggregationEvent", "action": "ADD", "bizStep": step, "parentID": parent}
    return moved(number, **named, childEPCs=list(children))


def document(*events: Mapping[str, Any], **more: Any) -> bytes:
    return json.dumps({**ENVELOPE, "epcisBody": {"eventList": list(events)}, **more}).encode()


def opened(file: bytes, skip: int = 0) -> list[Any]:
    return list(epcis_files.open_events(io.BytesIO(file), {}, skip))


def ids_within(piece: Document) -> list[str]:
    return [raw.value["eventID"][9:] for raw in epcis.events_in(epcis.read(piece.body), Deviations(strict=True))]


def query(events: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {"queryResults": {"queryName": "q", "resultsBody": {"eventList": list(events)}}}


TWO = [moved(1), moved(2)]


@pytest.mark.parametrize(
    "file",
    [
        document(*TWO),
        json.dumps({"epcisBody": {"eventList": TWO}, **ENVELOPE}).encode(),
        json.dumps({**ENVELOPE, "type": "EPCISQueryDocument", "epcisBody": query(TWO)}, indent=2).encode(),
        json.dumps(TWO).encode(),
        document(*TWO, epcisHeader={"epcisMasterData": {"vocabularyList": [{"eventList": [1]}]}}),
        b"\xef\xbb\xbf" + document(*TWO),
    ],
    ids=["document", "list first", "query", "list alone", "master data", "byte order mark"],
)
def test_each_event_of_a_file_is_a_document_in_its_own_envelope(file: bytes) -> None:
    pieces = opened(file)

    assert [(piece.number, piece.own_id) for piece in pieces] == [(1, "urn:uuid:1"), (2, "urn:uuid:2")]
    assert [ids_within(piece) for piece in pieces] == [["1"], ["2"]]


def test_a_file_is_cut_whatever_stands_in_its_texts_and_wherever_its_chunks_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    events = [moved(number, **{"example:text": '}],[{"\\"' * number}) for number in range(1, 5)]

    for size in (1, 2, 3, 7, 65_536):
        monkeypatch.setattr(json_stream, "_CHUNK_BYTES", size)

        assert [json.loads(piece.body)["epcisBody"]["eventList"] for piece in opened(document(*events))] == [
            [event] for event in events
        ]


def test_an_event_keeps_its_bytes_and_so_the_digits_of_its_numbers() -> None:
    text = b'{ "type":"ObjectEvent", "eventID":"urn:uuid:1", "x:n":1.10000000000000000001 }'

    (piece,) = opened(document().replace(b"[]", b"[" + text + b"]"))

    assert text in piece.body


def test_an_event_of_another_document_is_the_same_where_its_own_bytes_are() -> None:
    (first,), (again,) = opened(document(moved(1))), opened(document(moved(1), creationDate="2026-03-09T00:00:00Z"))

    assert (first.own_id, first.said) == (again.own_id, again.said)
    assert first.body != again.body


def test_a_declaration_is_another_message_than_the_event_that_it_declares_wrong() -> None:
    pieces = opened(document(moved(1), moved(1, errorDeclaration={"declarationTime": "2026-03-03T00:00:00Z"})))

    assert [piece.own_id for piece in pieces] == ["urn:uuid:1", "urn:uuid:1|declared wrong"]


def test_reading_goes_on_behind_what_was_taken_before() -> None:
    assert [piece.number for piece in opened(document(*TWO, moved(3)), skip=2)] == [3]


def test_an_event_that_is_no_json_is_bad_and_its_neighbours_are_taken() -> None:
    pieces = opened(document(moved(1), moved(2), moved(3)).replace(b'"urn:uuid:2"', b"urn"))

    assert [type(piece) for piece in pieces] == [Document, BadRow, Document]
    assert (pieces[1].number, "not JSON" in pieces[1].reason) == (2, True)


def test_what_is_no_event_stands_in_the_errors() -> None:
    pieces = opened(document(moved(1)).replace(b"}]", b'}, 7, "x"]'))

    assert [type(piece) for piece in pieces] == [Document, BadRow]
    assert pieces[1].raw == ', 7, "x"'


@pytest.mark.parametrize(
    ("file", "code"),
    [
        (b" \n", "document_empty"),
        (document(*TWO)[:-1], "json_invalid"),
        (document(*TWO)[:-40], "json_invalid"),
        (document(*TWO)[:300], "json_invalid"),
        (document(*TWO) + b"]", "json_invalid"),
        (document(*TWO).replace(b'"type": "EPCIS', b'"type" "EPCIS'), "json_invalid"),
        (document(*TWO, **{"@context": ["x" * 70_000]}), "document_too_large"),
        (b"[" * 100 + b"]" * 100, "json_too_deep"),
    ],
)
def test_a_file_that_is_not_whole_is_refused_before_anything_is_taken(file: bytes, code: str) -> None:
    with pytest.raises(FileFault) as caught:
        opened(file)

    assert caught.value.code == code


def test_a_bare_event_and_what_is_no_epcis_are_one_message_each() -> None:
    assert [piece.number for piece in opened(json.dumps(moved(1)).encode())] == [1]
    assert [piece.body for piece in opened(b'{"a": 1}')] == [b'{"a": 1}']


def test_packing_goes_with_each_event_that_names_its_package_and_else_is_a_message_of_its_own() -> None:
    box, pallet, lost = "urn:box", "urn:pallet", "urn:lost"
    events = [
        packing(1, box, "urn:item"),
        packing(2, lost, "urn:item"),
        packing(3, pallet, box, step="https://ref.gs1.org/cbv/BizStep-packing"),
        moved(4),
        moved(5, bizStep="shipping", epcList=[pallet]),
        moved(6, epcList=[box]),
    ]

    pieces = opened(document(*events))

    assert [ids_within(piece) for piece in pieces] == [["4"], ["1", "3", "5"], ["1", "6"], ["2"]]
    assert [piece.own_id for piece in pieces] == ["urn:uuid:4", "urn:uuid:5", "urn:uuid:6", "urn:uuid:2"]


def test_packing_events_that_name_each_other_in_a_circle_are_taken_once() -> None:
    pieces = opened(document(packing(1, "urn:a", "urn:b"), packing(2, "urn:b", "urn:a"), moved(3, epcList=["urn:a"])))

    assert [ids_within(piece) for piece in pieces] == [["1", "2", "3"]]


def test_no_more_packing_is_kept_than_the_bound_and_none_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(epcis_files, "KEPT_PACKINGS", 2)

    pieces = opened(document(*(packing(number, f"urn:{number}") for number in range(1, 6))))

    assert [piece.number for piece in pieces] == [1, 2, 3, 4, 5]


def most_memory(path: Path, events: int) -> int:
    """Bytes at most while a file of so many events is read."""
    head, tail = document().split(b"[]")
    event = json.dumps(moved(1, **{"example:text": "x" * 2_000})).encode()
    path.write_bytes(head + b"[" + b",".join([event] * events) + b"]" + tail)
    with path.open("rb") as stream:
        tracemalloc.start()
        count = sum(1 for _ in epcis_files.open_events(stream, {}))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert count == events
    return most


@pytest.mark.slow
def test_a_file_larger_than_any_document_is_cut_within_a_bound_on_memory(tmp_path: Path) -> None:
    few, many = most_memory(tmp_path / "few.json", 300), most_memory(tmp_path / "many.json", 4_000)

    assert (tmp_path / "many.json").stat().st_size > MAX_DOCUMENT_BYTES
    assert many < few * 1.5 < 2_000_000
