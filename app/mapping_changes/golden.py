"""A stored message as a golden pair: what was received, masked, and what its mapping makes of it, or why it makes
nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.mapping_changes.comparing import Today, outcome_now
from app.mapping_changes.comparison import Outcome
from app.mapping_changes.masking import Kind, mask, xml_as_text
from app.mapping_changes.stored_messages import StoredMessage
from app.mapping_changes.trying import WAITING, Fault
from app.pipeline.transform import CLOUDEVENT_JSON
from app.store.documents import StoredPayload
from config.topology import Source
from mappings.canonical import contract
from mappings.context import MappingError
from mappings.formats import json_body
from mappings.registry import INBOUND

# What a fault of the code says is no promise, and the envelope and the size of a message are checked elsewhere.
_NOT_THE_MAPPINGS = {"internal_error", "sequence_invalid", "partitionkey_invalid", "too_many_events", WAITING}
# As the contract suite reads every pair.
_MESSAGE_ID, _RECEIVED_AT = "message-1", datetime(2026, 1, 1, tzinfo=UTC)


class NoPair(Exception):
    """No golden pair can be made of this message; the text says why."""


@dataclass(frozen=True)
class Masking:
    """``stays``: values that may be shown. None of the payload is masked where ``salt`` is None."""

    stays: Callable[[str], bool]
    salt: bytes | None


@dataclass(frozen=True)
class Pair:
    """``files``: name -> text. ``outcome`` is that of the input that is written; ``kept``: values that could not be
    replaced without the mapping doing something else."""

    family: str
    type: str
    files: Mapping[str, str]
    outcome: Outcome
    kept: tuple[str, ...]


def make_pair(today: Today, stored: StoredMessage, masking: Masking) -> Pair:
    """Raises NoPair, or TooLarge where it holds more values than can be masked."""
    message, topology = stored.message, today.topology
    source = topology.sources.get(message.source)
    if source is None or message.plant not in topology.plants:
        raise NoPair("The topology no longer knows its source or its plant.")
    if contract.is_canonical(message.type):
        raise NoPair(f"It is canonical ({message.type}), and no mapping is asked about it.")
    if (source.mapping, message.type) not in INBOUND:
        raise NoPair(f"Mapping {source.mapping} has no type {message.type}; add the mapping first.")
    text, kind = _text(stored)

    def run(changed: str) -> Outcome:
        return outcome_now(today, _with_body(stored, changed))

    outcome, kept = run(text), tuple[str, ...]()
    if masking.salt is not None:
        done = mask(text, kind, run, masking.stays, masking.salt)
        text, outcome, kept = done.text, done.outcome, done.kept
    if isinstance(outcome, Fault) and outcome.code in _NOT_THE_MAPPINGS:
        raise NoPair(f"No mapping decides this ({outcome.code}): {outcome.reason}")
    files = {_input_name(kind): text, **_expected(outcome), **_context(today, source, stored)}
    return Pair(source.mapping, message.type, files, outcome, kept)


def _text(stored: StoredMessage) -> tuple[str, Kind]:
    """The data that the mapping's reader gets, as text: of a CloudEvent only its data."""
    payload = stored.payload
    body, content_type = payload.body, payload.content_type
    try:
        if content_type.startswith(CLOUDEVENT_JSON):
            data = json_body.read(body)["data"]
            body = data.encode() if isinstance(data, str) else _json_text(data).encode()
            content_type = "application/json"
        text = xml_as_text(body) if "xml" in content_type else body.decode("utf-8-sig")
    except (MappingError, UnicodeDecodeError, KeyError, TypeError):
        raise NoPair("Its payload is no text, or no CloudEvent, so no golden pair of it can be read.") from None
    return text, "json" if "json" in content_type else "xml" if "xml" in content_type else "other"


def _json_text(value: Any) -> str:
    """Decimals as the numbers that they were."""
    marked = json.dumps(value, ensure_ascii=False, indent=2, default=lambda number: f"\0{number}\0")
    return marked.replace('"\\u0000', "").replace('\\u0000"', "")


def _with_body(stored: StoredMessage, text: str) -> StoredMessage:
    content_type = stored.payload.content_type
    if content_type.startswith(CLOUDEVENT_JSON):
        content_type = "application/json"
    message = replace(stored.message, source_message_id=_MESSAGE_ID, received_at=_RECEIVED_AT)
    return replace(stored, message=message, payload=StoredPayload(content_type, text.encode(), {}))


def _input_name(kind: Kind) -> str:
    return {"json": "input.json", "xml": "input.xml", "other": "input.txt"}[kind]


def _expected(outcome: Outcome) -> dict[str, str]:
    if isinstance(outcome, Fault):
        return {"refused.json": _laid_out({"code": outcome.code, "field": outcome.field})}
    return {"expected.json": _laid_out(outcome)}


def _context(today: Today, source: Source, stored: StoredMessage) -> dict[str, str]:
    """In which context it is read: what the suite would not suppose by itself."""
    plant = today.topology.plants[stored.message.plant]
    told: dict[str, Any] = {"plant": plant.code, "timezone": plant.timezone, "units": dict(source.units)}
    told |= {"options": dict(source.options)} if source.options else {}
    if tables := today.crosswalks.get(source.code):
        told["crosswalks"] = {name: tables.tables.get(name, {}) for name in tables.used}
    told |= {"strict": True} if source.conformance == "strict" else {}
    supposed = {"storage": f"{plant.code}-ST", "site": plant.code}
    told |= {"plant_options": dict(plant.options)} if plant.options not in ({}, supposed) else {}
    return {"context.json": _laid_out(told)}


def write_pair(folder: Path, pair: Pair, case: str) -> list[Path]:
    """The files that were written; the context only where the family's is another. Raises FileExistsError where the
    case is there already."""
    place, usual = folder / pair.family / pair.type / case, folder / pair.family / "context.json"
    place.mkdir(parents=True)
    files = dict(pair.files)
    if usual.is_file() and json.loads(usual.read_text("utf-8")) == json.loads(files["context.json"]):
        del files["context.json"]
    for name, text in files.items():
        (place / name).write_text(text, encoding="utf-8")
    return [place / name for name in files]


def _laid_out(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"
