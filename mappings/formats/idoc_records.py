"""The columns of IDoc records: control record, head of a data record, and the fields within a segment's data.

The control record EDI_DC40 has 524 characters; a data record EDI_DD40 has a head of 63 and up to 1,000 of segment data
(SAP Help Portal, IDoc Interface/ALE, "Record structures", and transaction WE60). Fields of segments stand in
``idoc_segments.json`` and are from public lists, which it names; SAP only ever appends fields to a released segment, so
what is given there holds for all its releases, and what stands behind it is passed over. No such list is SAP's word:
compare them with WE60 of the system that sends, and where its segments differ, give its columns in a layout file of the
source (option ``layouts``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from operator import itemgetter
from pathlib import Path

SEGMENT_DATA_MOST = 1_000


@dataclass(frozen=True)
class Column:
    """From ``start`` up to ``end``, in characters from 0."""

    name: str
    start: int
    end: int


class Columns(tuple[Column, ...]):
    """Columns of one record. ``take`` gives a record's pieces in their order, all at once: a record has up to fifty
    columns, and to cut them one at a time is most of what reading it costs."""

    names: tuple[str, ...]
    take: Callable[[str], Iterable[str]]

    def __new__(cls, among: Iterable[Column] = ()) -> Columns:
        self = super().__new__(cls, among)
        self.names = tuple(column.name for column in self)
        # A getter of one piece alone would give the piece itself; the empty one behind has no name, and is passed over.
        slices = [slice(column.start, column.end) for column in self]
        self.take = itemgetter(*slices, slice(0, 0), slice(0, 0))
        return self


CONTROL_COLUMNS = (
    "TABNAM 10 MANDT 3 DOCNUM 16 DOCREL 4 STATUS 2 DIRECT 1 OUTMOD 1 EXPRSS 1 TEST 1 IDOCTYP 30 CIMTYP 30 MESTYP 30 "
    "MESCOD 3 MESFCT 3 STD 1 STDVRS 6 STDMES 6 SNDPOR 10 SNDPRT 2 SNDPFC 2 SNDPRN 10 SNDSAD 21 SNDLAD 70 "
    "RCVPOR 10 RCVPRT 2 RCVPFC 2 RCVPRN 10 RCVSAD 21 RCVLAD 70 CREDAT 8 CRETIM 6 REFINT 14 REFGRP 14 REFMES 14 "
    "ARCKEY 70 SERIAL 20"
)
HEAD_COLUMNS = "SEGNAM 30 MANDT 3 DOCNUM 16 SEGNUM 6 PSGNUM 6 HLEVEL 2"

# The segments that mappings read, up to the last field that they need. It is a layout file as a source may name its own
# (docs/topology.md); as JSON, which YAML takes too, since each process reads it at its start.
DATA = Path(__file__).with_name("idoc_segments.json").read_bytes()

# Read by mappings too, but by XML or by the source's own columns alone: no public list says in which order their fields
# stand.
_WITHOUT_COLUMNS = ("E1AFFLL", "E1AFVOL", "E1RESBL", "E1STZUM", "E1MASTM", "E1STKOM", "E1STPOM")
_VERSION = re.compile(r"[0-9]{3}", re.ASCII)


def _segments() -> Iterator[tuple[str, Columns]]:
    for name, entries in json.loads(DATA)["segments"].items():
        yield name, placed(tuple((entry["name"], entry["length"]) for entry in entries))


def knows(segment: str) -> bool:
    return segment in _SEGMENTS


@lru_cache(maxsize=1_000)
def segment_type(name: str) -> str:
    """The type of a segment by the name it has in a file: ``E2EDL24006`` is release 006 of ``E1EDL24``. In XML the
    ``/`` of a namespace is written ``_-``."""
    name = name.replace("_-", "/")
    if name[:2] in ("E2", "E3", "Z2", "Z3"):
        name = f"{name[0]}1{name[2:]}"
    if name not in _SEGMENTS and (released := without_release(name)) in _SEGMENTS:
        return released
    return name


def without_release(name: str) -> str:
    """``Z1LOT000`` as ``Z1LOT``; a name that ends with no release as it is."""
    return name[:-3] if _VERSION.fullmatch(name[-3:]) else name


def segment_columns(segment: str) -> Columns:
    """The known columns of a segment's data; empty where there are none."""
    return _SEGMENTS.get(segment, _NO_COLUMNS)


@cache
def columns(text: str) -> Columns:
    """``POSNR 6 MATNR 18`` as columns that follow each other."""
    words = text.split()
    return placed(tuple(zip(words[::2], map(int, words[1::2]), strict=True)))


@lru_cache(maxsize=1_000)
def placed(widths: tuple[tuple[str, int], ...]) -> Columns:
    found: list[Column] = []
    for name, width in widths:
        start = found[-1].end if found else 0
        found.append(Column(name, start, start + width))
    return Columns(found)


def cut(data: str, among: Columns) -> dict[str, str]:
    """The fields that are not blank. A record may end anywhere: blanks at its end are often dropped."""
    return {name: value for name, value in zip(among.names, map(str.strip, among.take(data)), strict=False) if value}


_NO_COLUMNS = Columns()
_SEGMENTS: Mapping[str, Columns] = {**dict.fromkeys(_WITHOUT_COLUMNS, _NO_COLUMNS), **dict(_segments())}
