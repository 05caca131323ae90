"""The drop-file adapter: whole files, once each, and what the other system says about them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.base import PostingRequest, TargetSettings
from app.adapters.file import FileAdapter
from app.adapters.file_rows import file_text
from app.errors import Refused, Transient

NAME = "inventory.moved.v1-LSAAAA22.csv"
CSV: dict[str, Any] = {"name": "{kind}-{posting_key}.csv", "format": "csv", "delimiter": ";"}
FIXED: dict[str, Any] = {
    "name": "{posting_key}.txt",
    "format": "fixed_width",
    "layout": [["item", 1, 8], ["quantity", 9, 7], ["reversal_of", 20, 14]],
    "right": ["quantity"],
}


def request(document: dict[str, Any], key: str = "LSAAAA22") -> PostingRequest:
    return PostingRequest(key, "inventory.moved.v1", "P300", document)


def adapter(folder: Path, options: dict[str, Any] = CSV, **more: Any) -> FileAdapter:
    return FileAdapter(TargetSettings("legacy-erp", "", 5.0, {**options, **more}, None, folder))


def posted(folder: Path, document: dict[str, Any], options: dict[str, Any] = CSV, **more: Any) -> bytes:
    answer = adapter(folder, options, **more).post(request(document))
    return (folder / answer.reference).read_bytes()


def test_a_document_becomes_a_row_under_its_header(tmp_path: Path) -> None:
    assert posted(tmp_path, {"item": "TUBE-1", "quantity": "-4.0"}) == b"item;quantity\r\nTUBE-1;-4.0\r\n"


def test_a_document_with_rows_becomes_as_many_lines(tmp_path: Path) -> None:
    document = {"rows": [{"item": "A", "quantity": 1}, {"item": "B", "last": True}]}

    assert posted(tmp_path, document, line_end="lf") == b"item;quantity;last\nA;1;\nB;;1\n"


def test_named_columns_keep_their_order_and_leave_the_rest(tmp_path: Path) -> None:
    text = posted(tmp_path, {"item": "A", "note": "x"}, columns=["quantity", "item"], header=False)

    assert text == b";A\r\n"


def test_delimiters_quotes_and_line_breaks_stay_inside_their_value(tmp_path: Path) -> None:
    text = posted(tmp_path, {"a": 'x;"y"\nz', "b": "1"})

    assert text == b'a;b\r\n"x;""y""\nz";1\r\n'


@pytest.mark.parametrize("value", ["=cmd()", "+x", "-x", "@x", "\tx"])
def test_text_that_a_spreadsheet_would_run_is_made_harmless(tmp_path: Path, value: str) -> None:
    assert posted(tmp_path, {"a": value}).splitlines()[1].strip(b'"') == b"'" + value.encode()
    assert posted(tmp_path / "raw", {"a": value}, guard_formulas=False).splitlines()[1].strip(b'"') == value.encode()


def test_fixed_width_puts_each_value_at_its_place(tmp_path: Path) -> None:
    text = posted(tmp_path, {"item": "TUBE-1", "quantity": "4.50"}, FIXED)

    assert text == b"TUBE-1     4.50" + b" " * 18 + b"\r\n"


@pytest.mark.parametrize(
    ("document", "more", "reason"),
    [
        ({"item": "TOO-LONG-1"}, {}, "takes 8 characters"),
        ({"item": "A\nB"}, {}, "control character"),
        ({"item": {"code": "A"}}, {}, "plain values"),
        ({"item": "\u20ac"}, {"encoding": "latin-1"}, "does not exist in latin-1"),
        ({"rows": []}, {}, "no list of rows"),
        ({"rows": ["A"]}, {}, "no list of rows"),
        ({"item": "A"}, {"rows": "lines"}, "no list of rows"),
    ],
)
def test_what_does_not_fit_is_refused_and_no_file_appears(
    document: dict[str, Any], more: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    with pytest.raises(Refused, match=reason):
        adapter(tmp_path, FIXED, **more).post(request(document))

    assert not list(tmp_path.rglob("*.txt"))


def test_a_repeat_leaves_the_file_as_it_is(tmp_path: Path) -> None:
    subject = adapter(tmp_path)
    subject.post(request({"item": "A"}))
    subject.post(request({"item": "B"}))

    assert (tmp_path / NAME).read_bytes() == b"item\r\nA\r\n"


def test_a_file_that_the_other_system_moved_to_the_archive_is_found(tmp_path: Path) -> None:
    subject = adapter(tmp_path)
    subject.post(request({"item": "A"}))
    (tmp_path / NAME).rename(tmp_path / "archive" / NAME)

    subject.post(request({"item": "A"}))

    assert subject.find(request({})) is not None
    assert not (tmp_path / NAME).exists()


def test_a_file_that_the_other_system_read_and_deleted_is_not_written_again(tmp_path: Path) -> None:
    subject = adapter(tmp_path)
    subject.post(request({"item": "A"}))
    (tmp_path / NAME).unlink()

    subject.post(request({"item": "A"}))

    assert not (tmp_path / NAME).exists()


def test_a_crash_before_the_file_appeared_leaves_it_to_be_written(tmp_path: Path) -> None:
    subject = adapter(tmp_path)
    subject.post(request({"item": "A"}))
    (tmp_path / NAME).rename(tmp_path / f".{NAME}.part")

    assert subject.find(request({})) is None

    subject.post(request({"item": "A"}))
    assert (tmp_path / NAME).read_bytes() == b"item\r\nA\r\n"
    assert not (tmp_path / f".{NAME}.part").exists()


def test_nothing_but_whole_files_is_ever_to_be_seen(tmp_path: Path) -> None:
    posted(tmp_path, {"item": "A"})

    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [NAME]


def test_a_reversal_names_its_original_and_negates_the_amounts(tmp_path: Path) -> None:
    subject = adapter(tmp_path, FIXED, negate=["quantity"])
    original = subject.post(request({"item": "A", "quantity": "4,50"}))

    answer = subject.reverse(request({"item": "A", "quantity": "4,50"}, "LSBBBB33"), original.reference)

    assert (tmp_path / answer.reference).read_bytes() == b"A         -4,50    LSAAAA22.txt  \r\n"


def test_a_negative_number_is_no_formula(tmp_path: Path) -> None:
    assert posted(tmp_path, {"a": "-4,50", "b": "+1.0"}).splitlines()[1] == b"-4,50;+1.0"


def test_a_reversal_that_would_look_like_its_original_is_refused(tmp_path: Path) -> None:
    subject = adapter(tmp_path, columns=["item"])

    with pytest.raises(Refused, match="look like the original"):
        subject.reverse(request({"item": "A"}), "x.csv")


def test_a_folder_that_cannot_be_written_is_transient_and_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")

    with pytest.raises(Transient, match="cannot be"):
        adapter(blocked / "below").post(request({"item": "A"}))


@pytest.mark.parametrize("kind", ["../../etc/passwd", "a/b", "..", "\x00"])
def test_no_value_leads_out_of_the_drop_folder(kind: str, tmp_path: Path) -> None:
    answer = adapter(tmp_path / "out").post(PostingRequest("LSAAAA22", kind, "P300", {"item": "A"}))

    assert (tmp_path / "out" / answer.reference).is_file()
    assert "/" not in answer.reference


WIDTHS = st.lists(st.integers(1, 12), min_size=1, max_size=6)


@given(WIDTHS, st.data())
def test_fixed_width_reads_back_as_it_was_written(widths: list[int], data: st.DataObject) -> None:
    starts = [1 + sum(widths[:index]) for index in range(len(widths))]
    layout = [[f"c{index}", start, width] for index, (start, width) in enumerate(zip(starts, widths, strict=True))]
    letters = st.characters(min_codepoint=33, max_codepoint=126)
    row = {name: data.draw(st.text(letters, max_size=width)) for name, _, width in layout}

    line = file_text([row], {"format": "fixed_width", "layout": layout, "line_end": "lf"}).decode()

    assert {name: line[first - 1 : first - 1 + width].rstrip() for name, first, width in layout} == row


TEXT: dict[str, Any] = {"name": "{posting_key}.edi", "format": "text", "encoding": "latin-1"}


def test_a_text_is_written_as_the_mapping_made_it(tmp_path: Path) -> None:
    assert posted(tmp_path, {"text": "UNH+1+DESADV'\nÄ"}, TEXT) == "UNH+1+DESADV'\nÄ".encode("latin-1")


def test_a_text_is_undone_by_the_text_that_its_mapping_gives_for_it(tmp_path: Path) -> None:
    document = {"text": "101 4 EA", "reversal_text": "102 4 EA"}

    answer = adapter(tmp_path, TEXT).reverse(request(document), "LSORIGINAL.edi")

    assert (tmp_path / answer.reference).read_bytes() == b"102 4 EA"


@pytest.mark.parametrize("document", [{}, {"rows": []}, {"text": ""}, {"text": 4}])
def test_a_document_without_text_is_refused(tmp_path: Path, document: dict[str, Any]) -> None:
    with pytest.raises(Refused) as caught:
        posted(tmp_path, document, TEXT)

    assert caught.value.code == "document_has_no_text"


def test_a_text_that_nothing_undoes_is_not_reversed(tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        adapter(tmp_path, TEXT).reverse(request({"text": "101 4 EA"}), "LSORIGINAL.edi")

    assert caught.value.code == "reversal_not_possible"
    assert list(tmp_path.glob("*.edi")) == []
