"""Which mapping reads a real file of other people's systems, and whether it does; for the table of formats.

The files lie in a folder of their own and are no part of Lineside. Of dropped tables (CSV) the rows are counted by the
tests, since each needs its own columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mappings.canonical import contract
from mappings.context import Deviations, InboundContext, MappingError, PlantFacts
from mappings.registry import INBOUND

LARGEST_BYTES = 5_000_000
_PLANT = PlantFacts("P100", "P100", "UTC")
_B2MML = re.compile(rb"<(?:\w+:)?(?:Sync|Process|Notify|Show)?(\w+)[\s>]")
_X12_SET = re.compile(rb"[~\n\r]\s*ST.(\d{3})")
_EDIFACT_TYPE = re.compile(rb"UNH.[^+]*.([A-Z]{6})")


@dataclass(frozen=True)
class Sent:
    """A file and what its sender would say that it is. ``format`` is its name in the table."""

    path: Path
    format: str
    family: str
    type: str


@dataclass(frozen=True)
class Read:
    """``events``: how many it became. ``refused``: why it became none, with the place."""

    sent: Sent
    events: int
    refused: str | None


def sent_in(folder: Path) -> Iterator[Sent]:
    """Every message below the folder, in the order of their names."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".md" and path.stat().st_size <= LARGEST_BYTES:
            found = _kind(path)
            if found is not None:
                yield Sent(path, *found)


def read(sent: Sent) -> Read:
    """Read leniently, without any option of a source: what a user meets who has set nothing."""
    mapping, deviations = INBOUND[sent.family, sent.type], Deviations()
    context = InboundContext(_PLANT, "samples", "1", datetime(2026, 1, 1, tzinfo=UTC), deviations=deviations)
    try:
        events = mapping.to_canonical(mapping.read(sent.path.read_bytes(), deviations), context)
        for event in events:
            contract.validate(event.type, event.data)
    except MappingError as error:
        return Read(sent, 0, f"{error.code} at {error.field or 'the whole'}")
    return Read(sent, len(events), None)


def _kind(path: Path) -> tuple[str, str, str] | None:
    """(format, family, type) by what stands in the file, as a person would tell it."""
    head = path.read_bytes()[:4_000]
    if path.suffix == ".json" and "schema" not in path.parts:
        return "EPCIS 2.0", "epcis", "epcis.EPCISDocument"
    if path.suffix == ".xml":
        nouns = [name.decode() for name in _B2MML.findall(head)]
        kind = next((f"b2mml.{noun}" for noun in nouns if ("mes_b2mml", f"b2mml.{noun}") in INBOUND), None)
        return ("B2MML", "mes_b2mml", kind or "b2mml.ProductionPerformance")
    if b"ISA" in head[:40]:
        return "X12", "x12", _known("x12", "x12.{}", _X12_SET.search(head), "x12.850")
    if head.lstrip(b"\xef\xbb\xbf \r\n")[:3] in (b"UNA", b"UNB", b"UNH"):
        return "EDIFACT", "edifact", _known("edifact", "edifact.{}", _EDIFACT_TYPE.search(head), "edifact.DESADV")
    return None


def _known(family: str, form: str, found: re.Match[bytes] | None, otherwise: str) -> str:
    """The type that stands in the file, where a mapping reads it; else one whose mapping refuses it by name."""
    kind = form.format(found[1].decode()) if found else otherwise
    return kind if (family, kind) in INBOUND else otherwise
