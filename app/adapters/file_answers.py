"""What a system that reads dropped files says about one: an acknowledgement, or an error file whose text is the reason.

An answer is read once it is whole: nobody has written to it for the settle time, since such systems write in place and
a reason, or the name of what was booked, must not be cut off. Where answers are deleted, they are first kept in the
mark that stands for the document for ever.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app.adapters.file_writing import write_through
from app.adapters.json_answers import printable

MAX_ANSWER_BYTES = 10_000
# A file that was changed further ahead than this was stamped by another machine's clock: it says nothing of its age.
CLOCKS_DIFFER_SECONDS = 60.0


@dataclass(frozen=True)
class FileAnswer:
    """``taken`` False: the system did not take the file, and ``text`` says why."""

    taken: bool
    text: str


class FileAnswers:
    """The answers in one folder. What has been read is found again, whatever became of the file that it stood in."""

    def __init__(self, folder: Path, options: Mapping[str, Any], clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._endings = {False: options.get("error_suffix", ".err"), True: options.get("ack_suffix", ".ack")}
        self._settle_seconds = options.get("ack_settle_seconds", 2.0)
        self._deletes = options.get("answers", "keep") == "delete"
        self._encoding = options.get("encoding", "utf-8")
        self._clock = clock

    def read(self, name: str, mark: Path) -> FileAnswer | None:
        """The answer about the file ``name``; None where there is none, or none that is whole yet. A refusal goes
        before an acknowledgement. May raise OSError."""
        for taken, ending in self._endings.items():
            text = self._whole_text(self._folder / f"{name}{ending}")
            if text is not None:
                answer = FileAnswer(taken, text)
                self._clean(answer, name, mark)
                return answer
        return _marked(mark)

    def has_any(self, name: str) -> bool:
        """Whether an answer is there, be it one that is still being written."""
        return any((self._folder / f"{name}{ending}").exists() for ending in self._endings.values())

    def set_aside(self, name: str) -> None:
        """The refusal was told and a person has the document handed over again: what comes next is a new answer."""
        path = self._folder / f"{name}{self._endings[False]}"
        with suppress(FileNotFoundError):
            path.rename(path.with_name(f"{path.name}.{path.stat().st_mtime_ns}"))

    def _clean(self, answer: FileAnswer, name: str, mark: Path) -> None:
        if not self._deletes:
            return
        # Without rights to do so the answer stays where it is, and is read there again.
        with suppress(OSError):
            mark.parent.mkdir(parents=True, exist_ok=True)
            write_through(mark, json.dumps(asdict(answer)).encode())
            (self._folder / f"{name}{self._endings[answer.taken]}").unlink(missing_ok=True)

    def _whole_text(self, path: Path) -> str | None:
        try:
            age_seconds = self._clock() - path.stat().st_mtime
            if -CLOCKS_DIFFER_SECONDS < age_seconds < self._settle_seconds:
                return None
            with path.open("rb") as stream:
                raw = stream.read(MAX_ANSWER_BYTES)
        except FileNotFoundError:
            return None
        return printable(self._decoded(raw))

    def _decoded(self, raw: bytes) -> str:
        """A reason with odd letters is better than none."""
        try:
            return raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            return raw.decode("cp1252" if self._encoding == "utf-8" else self._encoding, errors="replace")


def _marked(mark: Path) -> FileAnswer | None:
    try:
        text = mark.read_bytes()
        return FileAnswer(**json.loads(text)) if text else None
    except (FileNotFoundError, ValueError, TypeError):
        return None
