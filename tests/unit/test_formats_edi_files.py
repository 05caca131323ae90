"""Dropped files of EDI interchanges: each message is a document, a bad one costs its neighbours nothing."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mappings.context import Deviations
from mappings.formats import documents, edi_stream, edifact, x12
from mappings.formats.documents import Document
from mappings.formats.lines import BadRow, FileFault

UNA, UNB = "UNA:+.? '\r\n", "UNB+UNOC:3+SENDER:14+R:14+260203:0915+IC?+1'\r\n"
ISA = "ISA*00*          *00*          *01*SENDER         *ZZ*RECEIVER       *260203*0915*U*00401*000000101*0*P*>~\n"
GS = "GS*PO*S*R*20260203*0915*7*X*004010~\n"


def message(reference: str, text: str = "PO?'1") -> str:
    return f"UNH+{reference}+ORDERS:D:96A:UN'\r\nBGM+220+{text}+9'\r\nUNT+3+{reference}'\r\n"


def transaction(reference: str) -> str:
    return f"ST*850*{reference}~\nBEG*00*SA*1**20260203~\nSE*3*{reference}~\n"


def opened(file: str, read: Callable[..., Iterator[Document | BadRow]] = edifact.open_messages, skip: int = 0) -> Any:
    return list(read(io.BytesIO(file.encode()), {}, skip))


def test_each_message_of_a_file_is_a_document_in_its_own_envelope() -> None:
    file = UNA + UNB + message("1") + message("2") + "UNZ+2+IC?+1'\r\n"

    pieces = opened(file)

    assert [(piece.number, piece.own_id) for piece in pieces] == [(1, "SENDER|IC+1|1"), (2, "SENDER|IC+1|2")]
    assert pieces[1].body.decode() == (UNA + UNB + message("2")).rstrip() + "\nUNZ+1+IC?+1'"
    for piece in pieces:
        deviations = Deviations(strict=True)
        (read,) = edifact.read(piece.body, deviations)["messages"]
        assert (read["kind"], read["segments"][0]["elements"][1]) == ("ORDERS", "PO'1")


def test_each_set_of_a_file_is_a_document_in_its_own_group() -> None:
    file = ISA + GS + transaction("0001") + transaction("0002") + "GE*2*7~\nIEA*1*000000101~\n"

    pieces = opened(file, x12.open_messages)

    assert [piece.own_id for piece in pieces] == ["SENDER|000000101|7|0001", "SENDER|000000101|7|0002"]
    for piece in pieces:
        (read,) = x12.read(piece.body, Deviations(strict=True))["messages"]
        assert (read["kind"], len(read["segments"])) == ("850", 1)


def test_several_interchanges_of_a_file_may_have_their_own_separators() -> None:
    other = (UNB + message("9") + "UNZ+1+IC?+1'").translate(str.maketrans("':+?", "~|*!"))
    file = UNB + message("1") + "UNZ+1+IC?+1'\n" + "UNA|*.! ~" + other

    assert [piece.own_id for piece in opened(file)] == ["SENDER|IC+1|1", "SENDER|IC*1|9"]


@pytest.mark.parametrize(
    ("file", "told"),
    [
        (UNB + message("1") + "UNH+2+ORDERS:D:96A:UN'BGM+220+X+9'" + message("3") + "UNZ+3+IC?+1'", "'2' has no UNT"),
        (UNB + message("1") + "FTX+A'" + message("3") + "UNZ+2+IC?+1'", "FTX stands outside any message"),
        (
            UNB + message("1") + message("2", "X" * 70_000) + message("3") + "UNZ+3+IC?+1'",
            "'2' was not taken: a segment",
        ),
        (UNB + message("1") + message("3") + "UNZ+3+IC?+1'", "UNZ counts '3' and there are 2"),
        (UNB + message("1") + message("3") + "UNZ+2+IC2'", "UNZ says 'IC2'"),
        (UNB + message("1") + message("3"), "the interchange has no UNZ: the file ends behind 2 messages"),
        (UNB + message("1") + message("3") + "UNZ+2+IC?+1'\nGarbage", "what follows the last interchange is none"),
    ],
)
def test_what_is_wrong_is_told_and_the_others_are_taken(file: str, told: str) -> None:
    pieces = opened(file)

    assert [piece.own_id.rpartition("|")[2] for piece in pieces if isinstance(piece, Document)] == ["1", "3"]
    (bad,) = (piece for piece in pieces if isinstance(piece, BadRow))
    assert told in bad.reason


def test_a_message_that_is_cut_off_at_the_files_end_is_told_beside_its_interchange() -> None:
    *taken, cut, unclosed = opened(UNB + message("1") + message("2")[:-8])

    assert [piece.own_id for piece in taken] == ["SENDER|IC+1|1"]
    assert "'2' has no UNT: the file ends" in cut.reason
    assert "has no UNZ" in unclosed.reason


def test_a_message_larger_than_a_document_may_be_is_told_and_the_next_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mappings.formats.edi_files.MAX_DOCUMENT_BYTES", 500)

    bad, good = opened(UNB + message("1", "X" * 600) + message("2") + "UNZ+2+IC?+1'")

    assert "larger than 500 bytes" in bad.reason
    assert good.own_id == "SENDER|IC+1|2"
    assert documents.MAX_DOCUMENT_BYTES > 500


@pytest.mark.parametrize("skip", [0, 1, 2, 3, 4])
def test_a_file_is_gone_on_with_at_the_piece_where_it_stopped(skip: int) -> None:
    file = UNB + message("1") + "UNH+2+ORDERS'" + message("3") + "UNZ+3+IC?+1'"

    assert opened(file, skip=skip) == opened(file)[skip:]


@pytest.mark.parametrize(
    ("file", "code"),
    [
        (b"", "document_empty"),
        (b" \r\n", "document_empty"),
        (b"HEADESADVD96AUNEAN005", "document_unknown"),
        (UNB.encode("utf-16"), "encoding_wrong"),
        (b"UNA++++++", "separators_invalid"),
    ],
)
def test_a_file_that_holds_no_interchange_is_refused_whole(file: bytes, code: str) -> None:
    with pytest.raises(FileFault) as caught:
        list(edifact.open_messages(io.BytesIO(file), {}))

    assert caught.value.code == code


def test_a_message_without_references_has_no_id_of_its_own() -> None:
    assert [piece.own_id for piece in opened(message("1"))] == [None]


def test_chunks_may_end_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    file = UNA + UNB + "".join(message(str(number), "??A?'") for number in range(20)) + "UNZ+20+IC?+1'"
    whole = opened(file)

    for size in (1, 2, 3, 7, 64):
        monkeypatch.setattr(edi_stream, "_CHUNK_BYTES", size)
        assert opened(file) == whole


def test_a_file_of_any_size_is_read_in_the_memory_of_a_message() -> None:
    parts = message("1", "X" * 1_000) * 2_000
    file = io.BytesIO((UNB + parts + "UNZ+2000+IC?+1'").encode())

    tracemalloc.start()
    count = sum(1 for _ in edifact.open_messages(file, {}))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert count == 2_000
    assert peak_bytes < 500_000
