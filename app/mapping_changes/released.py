"""Another release's mappings, asked from here: its files in a folder of their own, its code in a process of its own."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import mappings
from app.mapping_changes import released_side
from app.mapping_changes.comparing import Today
from app.mapping_changes.comparison import Outcome
from app.mapping_changes.stored_messages import StoredMessage
from app.mapping_changes.trying import WAITING, Fault
from mappings.context import Crosswalks

GIT_SECONDS = 60
END_SECONDS = 5
CROSSWALK_MISSING = "crosswalk_missing"
CHECKOUT = Path(mappings.__file__).resolve().parents[1]


class ReleasedUnusable(Exception):
    """There are no such mappings, or they cannot be run; the text says why and what to give instead."""


@contextmanager
def released_folder(named: str, checkout: Path = CHECKOUT) -> Iterator[tuple[Path, str]]:
    """A folder with the released ``mappings``, and what to call it: a folder that holds them, such as an installed
    package's, or a commit, branch or tag of the checkout that this code runs from. Raises ReleasedUnusable."""
    if (Path(named) / "mappings" / "registry.py").is_file():
        yield Path(named).resolve(), named
        return
    commit = _commit(named, checkout)
    with tempfile.TemporaryDirectory(prefix="released-mappings-") as folder:
        archive = Path(folder) / "mappings.zip"
        _git(checkout, "archive", "--format=zip", f"--output={archive}", commit, "mappings")
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(folder)
        yield Path(folder).resolve(), f"{named} ({commit[:12]})"


def _commit(named: str, checkout: Path) -> str:
    try:
        return _git(checkout, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{named}^{{commit}}").strip()
    except ReleasedUnusable:
        raise ReleasedUnusable(
            f"{named!r} is no folder with a `mappings` package in it, and no commit, branch or tag of {checkout}."
        ) from None


def _git(checkout: Path, *arguments: str) -> str:
    command = ["git", "-C", str(checkout), *arguments]
    try:
        done = subprocess.run(  # noqa: S603 - git with our own arguments; the name is behind --end-of-options
            command, capture_output=True, text=True, timeout=GIT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ReleasedUnusable(f"git does not answer ({error}); give a folder with the released mappings.") from None
    if done.returncode:
        raise ReleasedUnusable(f"git: {done.stderr.strip() or 'no such commit'}")
    return done.stdout


@contextmanager
def running_release(folder: Path, today: Today) -> Iterator[ReleasedMappings]:
    """The mappings of this folder, ready to be asked. Raises ReleasedUnusable where they cannot be run."""
    # Isolated: neither the folder that we are in nor a variable decides what it imports. In a session of its own, so
    # that a Ctrl-C reaches only who has to print what was found.
    command = [sys.executable, "-I", released_side.__file__, str(folder)]
    with tempfile.TemporaryFile(mode="w+") as told:
        process = subprocess.Popen(  # noqa: S603 - our own program
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=told, text=True, start_new_session=True
        )
        running = ReleasedMappings(process, told, today)
        try:
            running.greet()
            yield running
        finally:
            running.end()


class ReleasedMappings:
    """Asks the released code about one message at a time."""

    def __init__(self, process: subprocess.Popen[str], told: IO[str], today: Today) -> None:
        self._process = process
        self._told = told
        self._today = today

    def greet(self) -> None:
        if self._line() != released_side.READY:
            raise self._failed()

    def outcome(self, stored: StoredMessage) -> Outcome:
        """The events that the released mapping makes of it, or why it makes none; with today's topology."""
        request = self._request(stored)
        if isinstance(request, Fault):
            return request
        try:
            print(json.dumps(request, default=str), file=_open(self._process.stdin), flush=True)
        except BrokenPipeError:
            raise self._failed() from None
        answer = self._line()
        if "refused" in answer:
            fault = Fault(**answer["refused"])
            return Fault(WAITING, fault.reason) if fault.code == CROSSWALK_MISSING else fault
        events: list[dict[str, Any]] = answer["events"]
        return events

    def end(self) -> None:
        with suppress(BrokenPipeError):
            _open(self._process.stdin).close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        _open(self._process.stdout).close()

    def _line(self) -> dict[str, Any]:
        line = _open(self._process.stdout).readline()
        if not line:
            raise self._failed()
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _failed(self) -> ReleasedUnusable:
        self._process.kill()
        self._process.wait()
        self._told.seek(0)
        last = (self._told.read().strip().splitlines() or ["it says nothing"])[-1]
        return ReleasedUnusable(f"The released mappings cannot be run: {last}. Name a later release.")

    def _request(self, stored: StoredMessage) -> dict[str, Any] | Fault:
        message, payload = stored.message, stored.payload
        topology, tables = self._today.topology, self._today.crosswalks.get(message.source, Crosswalks())
        source, plant = topology.sources.get(message.source), topology.plants.get(message.plant)
        if source is None or plant is None:
            return Fault("not_in_topology", "The topology no longer knows its source or its plant.")
        facts = {"code": plant.code, "name": plant.name, "timezone": plant.timezone, "options": dict(plant.options)}
        return {
            "family": source.mapping,
            "type": message.type,
            "content_type": payload.content_type,
            "body": base64.b64encode(payload.body).decode(),
            "attributes": dict(payload.attributes),
            "plant": facts,
            "source": source.code,
            "source_message_id": message.source_message_id,
            "received_at": message.received_at.isoformat(),
            "units": dict(source.units),
            "options": dict(source.options),
            "crosswalks": {"system": tables.system, "used": list(tables.used), "tables": tables.tables},
            "strict": source.conformance == "strict",
        }


def _open(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream
