"""What a system that reads dropped files answers: taken as posted, refused with its reason, and never read half."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters import file
from app.adapters.base import PostingRequest, TargetAnswer, TargetSettings
from app.adapters.file import FileAdapter
from app.adapters.file_answers import FileAnswer, FileAnswers
from app.adapters.file_writing import write_through
from app.errors import NotTaken, OutcomeUnknown, Refused
from tests.fakes import Killed

KEY = "LSAAAA22"
NAME = f"{KEY}.csv"
NOON = 1_770_000_000.0


class Legacy:
    """A drop folder with an old ERP behind it, at a time that is turned by hand."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.folder, self.now = folder, NOON
        known = {"name": "{posting_key}.csv", "format": "csv", "acknowledged": True, **options}
        self.ack = Path(known.get("ack_dir", folder / "ack"))
        self.adapter = FileAdapter(TargetSettings("old-erp", "", 5.0, known, None, folder), lambda: self.now)

    def request(self, item: str = "A", *, again: bool = False) -> PostingRequest:
        return PostingRequest(KEY, "inventory.moved.v1", "P300", {"item": item}, again)

    def hand_over(self, item: str = "A", *, again: bool = False) -> TargetAnswer | None:
        """Post it; None as long as nothing has been answered."""
        try:
            return self.adapter.post(self.request(item, again=again))
        except OutcomeUnknown:
            return None

    def find(self) -> TargetAnswer | None:
        return self.adapter.find(self.request())

    def answer(self, ending: str, text: bytes, seconds_ago: float = 10.0) -> Path:
        """The ERP takes the file away and leaves an answer, last changed so long ago."""
        (self.folder / NAME).unlink(missing_ok=True)
        self.ack.mkdir(parents=True, exist_ok=True)
        path = self.ack / f"{NAME}{ending}"
        path.write_bytes(text)
        os.utime(path, (self.now - seconds_ago,) * 2)
        return path

    def handed_over(self) -> list[str]:
        return sorted(path.read_text() for path in self.folder.glob("*.csv"))


def test_an_acknowledgement_is_kept_as_proof(tmp_path: Path) -> None:
    legacy = Legacy(tmp_path)
    assert legacy.hand_over() is None
    with pytest.raises(OutcomeUnknown, match="not acknowledged"):
        legacy.find()

    legacy.answer(".ack", b"booked as 4711\n")

    found = legacy.find()
    assert found is not None
    assert found.body["acknowledgement"] == "booked as 4711"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"unknown item A\r\nat line 2", "unknown item A at line 2"),
        (b"", "it gave no reason"),
        ("\ufeffgesperrt: Läger".encode(), "gesperrt: Läger"),
        ("gesperrt: Läger".encode("cp1252"), "gesperrt: Läger"),
        (b"\x81\xff\x00 odd", "odd"),
    ],
)
def test_an_error_file_is_a_refusal_with_its_text(tmp_path: Path, text: bytes, reason: str) -> None:
    legacy = Legacy(tmp_path)
    legacy.hand_over()
    legacy.answer(".err", text)

    with pytest.raises(NotTaken) as told:
        legacy.find()

    assert told.value.code == "target_refused"
    assert told.value.reason.startswith(f"target old-erp refused {NAME}: ")
    assert reason in told.value.reason


@given(st.binary(max_size=20_000))
def test_a_reason_is_one_line_of_bounded_length_whatever_the_file_holds(
    tmp_path_factory: pytest.TempPathFactory, text: bytes
) -> None:
    folder = tmp_path_factory.mktemp("answers")
    (folder / f"{NAME}.err").write_bytes(text)

    answer = FileAnswers(folder, {"ack_settle_seconds": 0}).read(NAME, folder / "mark")

    assert answer is not None
    assert len(answer.text) <= 500
    assert answer.text.isprintable()


def test_the_endings_and_the_folder_are_as_the_topology_says(tmp_path: Path) -> None:
    legacy = Legacy(tmp_path / "out", ack_dir=str(tmp_path / "in"), ack_suffix=".done", error_suffix=".rejected")
    legacy.hand_over()
    legacy.answer(".err", b"of another system")
    with pytest.raises(OutcomeUnknown):
        legacy.find()

    legacy.answer(".rejected", b"lot is blocked")

    with pytest.raises(Refused, match="lot is blocked"):
        legacy.find()


@pytest.mark.parametrize("ending", [".ack", ".err"])
def test_an_answer_that_is_still_being_written_is_not_read(tmp_path: Path, ending: str) -> None:
    legacy = Legacy(tmp_path, ack_settle_seconds=5.0)
    legacy.hand_over()
    legacy.answer(ending, b"lot is", seconds_ago=4.9)
    with pytest.raises(OutcomeUnknown):
        legacy.find()

    legacy.answer(ending, b"lot is blocked", seconds_ago=5.0)

    if ending == ".ack":
        assert legacy.find() == TargetAnswer(NAME, {"file": NAME, "acknowledgement": "lot is blocked"})
    else:
        with pytest.raises(NotTaken, match="lot is blocked"):
            legacy.find()


def test_an_answer_stamped_by_a_clock_far_ahead_is_read(tmp_path: Path) -> None:
    legacy = Legacy(tmp_path)
    legacy.hand_over()
    legacy.answer(".ack", b"booked", seconds_ago=-3_600)

    assert legacy.find() is not None


@pytest.mark.parametrize("answers", ["keep", "delete"])
def test_after_a_refusal_the_document_is_handed_over_once_more_and_answered_anew(tmp_path: Path, answers: str) -> None:
    legacy = Legacy(tmp_path, answers=answers)
    legacy.hand_over("WRONG")
    legacy.answer(".err", b"unknown item WRONG")
    with pytest.raises(NotTaken):
        legacy.find()

    assert legacy.hand_over("RIGHT") is None
    waiting = legacy.handed_over()
    with pytest.raises(OutcomeUnknown):
        legacy.find()
    legacy.answer(".ack", b"booked")

    assert waiting == ["item\nRIGHT\n"]
    assert legacy.find() is not None
    kept = {path.name.removeprefix(NAME)[:4] for path in legacy.ack.iterdir()}
    assert kept == ({".err", ".ack"} if answers == "keep" else set())


@pytest.mark.parametrize("ending", [".ack", ".err"])
def test_what_is_deleted_is_known_for_ever(tmp_path: Path, ending: str) -> None:
    legacy = Legacy(tmp_path, answers="delete")
    legacy.hand_over()
    path = legacy.answer(ending, b"the text")
    (legacy.folder / NAME).write_text("left lying")

    told = []
    for _ in range(2):
        try:
            told.append(str(legacy.find()))
        except NotTaken as error:
            told.append(error.reason)

    assert not path.exists()
    assert (legacy.folder / NAME).exists() == (ending == ".ack")
    assert told[0] == told[1]
    assert "the text" in told[0]


@pytest.mark.parametrize("step", ["mark", "rename"])
def test_a_crash_while_it_is_handed_over_once_more_leaves_it_to_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    legacy = Legacy(tmp_path)
    legacy.hand_over("WRONG")
    legacy.answer(".err", b"unknown item WRONG")
    (tmp_path / "archive" / NAME).write_text("kept by the old ERP")

    write = write_through

    def killed(path: Path, text: bytes) -> None:
        if text == b"":
            raise Killed
        write(path, text)

    with monkeypatch.context() as patch:
        if step == "mark":
            patch.setattr(file, "write_through", killed)
        else:
            patch.setattr(Path, "replace", Mock(side_effect=Killed))
        with pytest.raises(Killed):
            legacy.hand_over("RIGHT")

    assert legacy.find() is None
    legacy.hand_over("RIGHT")
    assert legacy.handed_over() == ["item\nRIGHT\n"]


@pytest.mark.parametrize("acknowledged", [True, False])
def test_what_a_person_says_was_never_taken_is_handed_over_once_more(tmp_path: Path, acknowledged: bool) -> None:
    legacy = Legacy(tmp_path, acknowledged=acknowledged)
    legacy.hand_over()
    (tmp_path / NAME).unlink()

    legacy.hand_over()
    without_a_word = legacy.handed_over()
    legacy.hand_over(again=True)

    assert (without_a_word, legacy.handed_over()) == ([], ["item\nA\n"])


@pytest.mark.parametrize("seconds_ago", [0.0, 10.0])
def test_an_acknowledgement_that_is_there_counts_for_more_than_a_person_s_word(
    tmp_path: Path, seconds_ago: float
) -> None:
    legacy = Legacy(tmp_path)
    legacy.hand_over()
    legacy.answer(".ack", b"booked", seconds_ago)

    legacy.hand_over(again=True)

    assert legacy.handed_over() == []


def test_a_mark_that_is_no_answer_is_none(tmp_path: Path) -> None:
    answers = FileAnswers(tmp_path, {})
    for text in ("", "{", "[]", json.dumps({"taken": True})):
        (tmp_path / "mark").write_text(text)
        assert answers.read(NAME, tmp_path / "mark") is None
    (tmp_path / "mark").write_text(json.dumps({"taken": True, "text": "booked"}))

    assert answers.read(NAME, tmp_path / "mark") == FileAnswer(True, "booked")
