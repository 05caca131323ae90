"""Hands documents to a system that reads dropped files, such as an old ERP.

A file appears whole or not at all, under a name made from the posting key, so that a repeat overwrites nothing and
doubles nothing. What the other system does with it is read from where it moves the file and from the answer that it
writes: ``NAME.ack``, or ``NAME.err`` with the reason.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from app.adapters.base import Document, PostingRequest, TargetAnswer, TargetSettings
from app.adapters.file_answers import FileAnswers
from app.adapters.file_contents import Contents, contents_of, contents_of_reversal
from app.adapters.file_options import FileOptions
from app.adapters.file_writing import sync_folder, write_through
from app.errors import NotTaken, OutcomeUnknown, Refused, Transient


class FileAdapter:
    """One drop folder. With ``acknowledged`` a file counts as posted only once its acknowledgement is there."""

    options_schema = FileOptions

    def __init__(self, settings: TargetSettings, clock: Callable[[], float] = time.time) -> None:
        options = settings.options
        directory = options.get("directory") or settings.drop_dir
        if directory is None:
            raise ValueError(f"target {settings.code} has neither a drop folder nor an option `directory`")
        self._code = settings.code
        self._timeout_seconds = settings.timeout_seconds
        self._options = options
        self._directory = Path(directory)
        self._archive = Path(options.get("archive_dir", self._directory / "archive"))
        self._answers_dir = Path(options.get("ack_dir", self._directory / "ack"))
        self._answers = FileAnswers(self._answers_dir, options, clock)
        self._handed_over = self._directory / ".handed-over"

    def post(self, request: PostingRequest) -> TargetAnswer:
        return self._hand_over(request, contents_of(request.document, self._options))

    def find(self, request: PostingRequest) -> TargetAnswer | None:
        return self._find(self._name(request))

    def reverse(self, request: PostingRequest, reference: str) -> TargetAnswer:
        return self._hand_over(request, contents_of_reversal(request.document, self._options, reference))

    def read(self, domain: str, since: datetime | None = None) -> Iterator[Document]:
        raise Refused("domain_not_readable", f"target {self._code} takes files and gives no {domain}")

    @staticmethod
    def why_not_read(domain: str, options: Mapping[str, Any]) -> str | None:
        return "name a target that can be asked; a system that reads dropped files gives nothing"

    def check(self) -> None:
        """Writes and removes a file, since rights and space show in no other way."""
        probe = self._directory / ".lineside-check"
        try:
            self._make_folders()
            probe.write_bytes(b"check")
            probe.unlink()
        except OSError as error:
            raise Transient(self._cannot_write(error)) from None

    def _name(self, request: PostingRequest) -> str:
        values = {"kind": request.kind, "plant": request.plant, "posting_key": request.posting_key}
        plain = {name: "".join(_plain(character) for character in value) for name, value in values.items()}
        return str(self._options["name"]).format(**plain)

    def _find(self, name: str) -> TargetAnswer | None:
        try:
            if self._part(name).exists():
                return None  # handing it over, perhaps once more, was broken off: an answer is about the time before
            answer = self._answers.read(name, self._mark(name))
            if answer is not None and answer.taken:
                return TargetAnswer(name, {"file": name, "acknowledgement": answer.text})
            if answer is not None:
                told = f"target {self._code} refused {name}: {answer.text or 'it gave no reason'}"
                self._clear_refused(name)
                raise NotTaken("target_refused", told)
            if not self._was_handed_over(name):
                return None
        except OSError as error:
            raise Transient(f"target {self._code}: the drop folder cannot be read ({error.strerror})") from None
        if self._options.get("acknowledged", False):
            raise OutcomeUnknown(f"target {self._code} has not acknowledged {name} yet", alone=True)
        return TargetAnswer(name, {"file": name})

    def _was_handed_over(self, name: str) -> bool:
        """The outbox before the archive: a file moves from the one to the other, and must not slip past both.

        A system that deletes what it has read leaves the mark alone, which stands from just before the file appears.
        """
        return any(path.exists() for path in (self._directory / name, self._archive / name, self._mark(name)))

    def _hand_over(self, request: PostingRequest, contents: Contents) -> TargetAnswer:
        """A document that was handed over before is handed over once more only after a refusal, as a person requeues no
        other, and where a person said that the system does not hold it."""
        ends_at = time.monotonic() + self._timeout_seconds
        name = self._name(request)
        found = self._found_before(name, request.again)
        if found is not None:
            return found
        try:
            self._make_folders()
            self._mark(name).parent.mkdir(parents=True, exist_ok=True)
            write_through(self._part(name), contents.data)
            self._answers.set_aside(name)
            if time.monotonic() > ends_at:
                # A share that hung until now: another may have handed the file over meanwhile, and its reader taken it.
                raise Transient(f"target {self._code}: the drop folder {self._directory} answered too late")
            write_through(self._mark(name), b"")
        except OSError as error:
            raise Transient(self._cannot_write(error)) from None
        try:
            self._part(name).replace(self._directory / name)
            sync_folder(self._directory)
        except OSError as error:
            raise OutcomeUnknown(self._cannot_write(error)) from None
        if self._options.get("acknowledged", False):
            raise OutcomeUnknown(f"target {self._code} has {name}, and has not acknowledged it yet", alone=True)
        return TargetAnswer(name, {"file": name, "bytes": len(contents.data), "rows": contents.rows})

    def _found_before(self, name: str, again: bool) -> TargetAnswer | None:
        """What the system holds already. After a person's word only its own acknowledgement counts, and the word itself
        counts only as long as no answer is there, be it half written."""
        try:
            found = self._find(name)
        except NotTaken:
            return None
        except OutcomeUnknown:
            if again and not self._answers.has_any(name):
                return None
            raise
        return None if again and found is not None and "acknowledgement" not in found.body else found

    def _clear_refused(self, name: str) -> None:
        """Where answers are deleted, so is a refused file that was left lying: somebody might read it after all."""
        if self._options.get("answers", "keep") == "delete":
            with suppress(OSError):
                (self._directory / name).unlink(missing_ok=True)

    def _part(self, name: str) -> Path:
        return self._directory / f".{name}.part"

    def _mark(self, name: str) -> Path:
        """A small file for each document ever handed over, some thousand folders wide at the most."""
        stem = name.rsplit(".", 1)[0]
        return self._handed_over / stem[-2:] / name

    def _make_folders(self) -> None:
        for folder in (self._directory, self._archive, self._answers_dir, self._handed_over):
            folder.mkdir(parents=True, exist_ok=True)

    def _cannot_write(self, error: OSError) -> str:
        return f"target {self._code}: the drop folder {self._directory} cannot be written ({error.strerror})"


def _plain(character: str) -> str:
    return character if character.isascii() and (character.isalnum() or character in "._-") else "_"
