"""Hands documents to a system that reads dropped files, such as an old ERP.

A file appears whole or not at all, under a name made from the posting key, so that a repeat overwrites nothing and
doubles nothing. What the other system does with it is read from where it moves the file and from the acknowledgement
that it writes: ``NAME.ack``, or ``NAME.err`` with the reason in its first line.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from app.adapters.base import Document, PostingRequest, TargetAnswer, TargetSettings
from app.adapters.file_options import FileOptions
from app.adapters.file_rows import Row, file_text, reversed_rows, rows_of
from app.adapters.json_answers import printable
from app.errors import OutcomeUnknown, Refused, Transient

MAX_ACKNOWLEDGEMENT_BYTES = 10_000


class FileAdapter:
    """One drop folder. With ``acknowledged`` a file counts as posted only once its acknowledgement is there."""

    options_schema = FileOptions

    def __init__(self, settings: TargetSettings) -> None:
        options = settings.options
        directory = options.get("directory") or settings.drop_dir
        if directory is None:
            raise ValueError(f"target {settings.code} has neither a drop folder nor an option `directory`")
        self._code = settings.code
        self._options = options
        self._directory = Path(directory)
        self._archive = Path(options.get("archive_dir", self._directory / "archive"))
        self._acknowledgements = Path(options.get("ack_dir", self._directory / "ack"))
        self._handed_over = self._directory / ".handed-over"

    def post(self, request: PostingRequest) -> TargetAnswer:
        return self._hand_over(request, rows_of(request.document, self._options))

    def find(self, request: PostingRequest) -> TargetAnswer | None:
        return self._find(self._name(request))

    def reverse(self, request: PostingRequest, reference: str) -> TargetAnswer:
        rows = rows_of(request.document, self._options)
        return self._hand_over(request, reversed_rows(rows, self._options, reference))

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
            acknowledgement = self._acknowledgement(name)
            if acknowledgement is not None:
                return acknowledgement
            if not self._was_handed_over(name):
                return None
        except OSError as error:
            raise Transient(f"target {self._code}: the drop folder cannot be read ({error.strerror})") from None
        if self._options.get("acknowledged", False):
            raise OutcomeUnknown(f"target {self._code} has not acknowledged {name} yet", alone=True)
        return TargetAnswer(name, {"file": name})

    def _acknowledgement(self, name: str) -> TargetAnswer | None:
        error = _first_line(self._acknowledgements / f"{name}.err")
        if error is not None:
            raise Refused("target_refused", f"target {self._code} refused {name}: {error or 'it gave no reason'}")
        note = _first_line(self._acknowledgements / f"{name}.ack")
        return None if note is None else TargetAnswer(name, {"file": name, "acknowledgement": note})

    def _was_handed_over(self, name: str) -> bool:
        """The outbox before the archive: a file moves from the one to the other, and must not slip past both.

        A system that deletes what it has read leaves the mark alone; the mark stands from just before the file
        appears, so with the unfinished file still beside it, the crash came in between.
        """
        if (self._directory / name).exists() or (self._archive / name).exists():
            return True
        return self._mark(name).exists() and not self._part(name).exists()

    def _hand_over(self, request: PostingRequest, rows: list[Row]) -> TargetAnswer:
        name = self._name(request)
        found = self._find(name)
        if found is not None:
            return found
        text = file_text(rows, self._options)
        try:
            self._make_folders()
            self._mark(name).parent.mkdir(parents=True, exist_ok=True)
            _write_through(self._part(name), text)
            _write_through(self._mark(name), b"")
        except OSError as error:
            raise Transient(self._cannot_write(error)) from None
        try:
            self._part(name).replace(self._directory / name)
            _sync(self._directory)
        except OSError as error:
            raise OutcomeUnknown(self._cannot_write(error)) from None
        if self._options.get("acknowledged", False):
            raise OutcomeUnknown(f"target {self._code} has {name}, and has not acknowledged it yet", alone=True)
        return TargetAnswer(name, {"file": name, "bytes": len(text), "rows": len(rows)})

    def _part(self, name: str) -> Path:
        return self._directory / f".{name}.part"

    def _mark(self, name: str) -> Path:
        """An empty file for each document ever handed over, some thousand folders wide at the most."""
        stem = name.rsplit(".", 1)[0]
        return self._handed_over / stem[-2:] / name

    def _make_folders(self) -> None:
        for folder in (self._directory, self._archive, self._acknowledgements, self._handed_over):
            folder.mkdir(parents=True, exist_ok=True)

    def _cannot_write(self, error: OSError) -> str:
        return f"target {self._code}: the drop folder {self._directory} cannot be written ({error.strerror})"


def _plain(character: str) -> str:
    return character if character.isascii() and (character.isalnum() or character in "._-") else "_"


def _first_line(path: Path) -> str | None:
    """The first line of a small text file; None where there is no file."""
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_ACKNOWLEDGEMENT_BYTES)
    except FileNotFoundError:
        return None
    lines = raw.decode("utf-8-sig", errors="replace").splitlines()
    return printable(lines[0]) if lines else ""


def _write_through(path: Path, text: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    _sync(path.parent)


def _sync(folder: Path) -> None:
    """Makes a new name in a folder last through a power cut."""
    descriptor: Any = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
