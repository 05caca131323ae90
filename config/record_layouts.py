"""Layout files: the columns of an IDoc's flat segments as data, which a source of the topology names.

A file is taken whole or not at all. Each fault names its file, its line, the segment and the mend.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from config.topology_entries import Entries, Entry
from config.topology_faults import TopologyFault
from config.topology_includes import read_text
from config.yaml_tree import Node, YamlFault, read_yaml

VERSION = 1
MAX_LAYOUTS = 50
SEGMENT_CHARACTERS = 1_000
"""As much as the data of a segment holds (SAP Help Portal, IDoc Interface/ALE, EDI_DD40)."""
COLUMN_TYPES: Mapping[str, int | None] = {"CHARACTER": None, "NUMERIC": None, "DATE": 8, "TIME": 6}
"""The types of a column, each with the one length that it may have, where it has one."""
_KEYS = ("name", "at", "length", "type")
_NAME = re.compile(r"[A-Z0-9_/]{1,40}")

Columns = tuple[tuple[str, int], ...]
"""Name and width of each column, one behind the other."""


class _Wrong(NamedTuple):
    line: int
    path: str
    reason: str
    mend: str


def read_layout(text: str, file: str) -> tuple[dict[str, Columns], list[TopologyFault]]:
    """The columns by the type of their segment, and every fault of the file; ``file`` is its name in faults."""
    try:
        root = read_yaml(text)
    except YamlFault as fault:
        return {}, [TopologyFault(file, fault.line, "", fault.reason, fault.mend)]
    found: dict[str, Columns] = {}
    faults = [TopologyFault(file, *wrong) for wrong in _wrongs(root, found)]
    return found, faults


def add_layouts(entries: Entries, main: Path) -> list[TopologyFault]:
    """Puts the columns of the files that a source names (option ``layouts``) under its option ``segments``, where what
    the source itself says goes before them; gives every fault."""
    faults: list[TopologyFault] = []
    for entry in entries.lists["sources"]:
        options = entry.raw.get("options") if isinstance(entry.raw, dict) else None
        named = options.get("layouts") if isinstance(options, dict) else None
        if not isinstance(named, list):
            continue
        columns: dict[str, Columns] = {}
        for index, name in enumerate(named):
            _add_file(entry, ("options", "layouts", index), name, main, columns, faults)
        if len(named) > MAX_LAYOUTS:
            told = f"a source names more than {MAX_LAYOUTS} layout files"
            faults.append(entry.fault(("options", "layouts"), told, "put several segments into one file"))
        if entry.values is not None and isinstance(said := entry.values["options"].get("segments", {}), Mapping):
            entry.values["options"] = {**entry.values["options"], "segments": {**columns, **said}}
    return faults


def _add_file(
    entry: Entry,
    place: tuple[str | int, ...],
    name: Any,
    main: Path,
    columns: dict[str, Columns],
    faults: list[TopologyFault],
) -> None:
    if int(place[-1]) >= MAX_LAYOUTS:
        return
    if not isinstance(name, str) or not name.strip() or "\0" in name:
        faults.append(entry.fault(place, "this is no file name", "write for example layouts/z1lot.yaml"))
        return
    path = Path(entry.file).parent / name
    if not path.resolve().is_relative_to(main.resolve().parent):
        mend = "move it beside the main file or below"
        faults.append(entry.fault(place, f"{name!r} lies outside the topology's folder", mend))
        return
    if not path.is_file():
        told = f"there is no file {name!r} here"
        faults.append(entry.fault(place, told, "mend the name; it is relative to this file"))
        return
    try:
        found, wrong = read_layout(read_text(path), str(path))
    except YamlFault as fault:
        found, wrong = {}, [TopologyFault(str(path), fault.line, "", fault.reason, fault.mend)]
    faults.extend(wrong)
    for segment in sorted(found.keys() & columns.keys()):
        told = f"{name!r} gives columns of {segment}, and so does a file named before it"
        faults.append(entry.fault(place, told, "keep the segment in one of them"))
    columns.update(found)


def _wrongs(root: Node, found: dict[str, Columns]) -> Iterator[_Wrong]:
    """What is wrong with the file; the columns of each segment that is sound are put into ``found``."""
    children = {} if root.is_list or root.children is None else root.children
    version, segments = children.get("version"), children.get("segments")
    if version is None or type(version.value) is not int or version.value != VERSION:
        line = root.lines.get("version", root.line)
        yield _Wrong(
            line, "version", "this is no layout file of a known version", f"begin it with `version: {VERSION}`"
        )
    for key in children:
        if key not in ("version", "segments", "source"):
            yield _Wrong(root.lines[key], str(key), f"{key!r} is no key here", "write version, source or segments")
    if segments is None or segments.is_list or not segments.children:
        line = root.lines.get("segments", root.line)
        mend = "write `segments:` and below it each segment with its columns"
        yield _Wrong(line, "segments", "it names no segment", mend)
        return
    for name, node in segments.children.items():
        line, path = segments.lines[name], f"segments.{name}"
        if not _NAME.fullmatch(str(name)):
            yield _Wrong(line, path, f"{name!r} is no segment's type", "write its type, such as E1EDL24 or Z1LOT")
        elif not node.is_list or not node.children:
            yield _Wrong(line, path, "this should be a list of columns", "write `- {name: CHARG, length: 10}` lines")
        else:
            wrong, columns = _columns(node, path)
            yield from wrong
            found[str(name)] = columns


def _columns(node: Node, path: str) -> tuple[list[_Wrong], Columns]:
    wrong: list[_Wrong] = []
    columns: dict[str, int] = {}
    end = 0
    for index, column in (node.children or {}).items():
        reason = _wrong_column(column, columns, end)
        if reason is not None:
            wrong.append(_Wrong(column.line, f"{path}.{index}", *reason))
            # What follows would be told to stand wrong too, by this one's fault.
            break
        said = column.plain()
        columns[said["name"]] = said["length"]
        end += said["length"]
    return wrong, tuple(columns.items())


def _wrong_column(column: Node, before: dict[str, int], end: int) -> tuple[str, str] | None:
    """Why this column cannot stand behind those before it, which end at ``end``, and the mend; None where it can."""
    said = column.plain()
    if not isinstance(said, dict):
        return "this is no column", "write {name: CHARG, at: 1, length: 10, type: CHARACTER}"
    if unknown := [key for key in said if key not in _KEYS]:
        return f"{unknown[0]!r} is no key of a column", f"write {', '.join(_KEYS)}"
    name, at, length, kind = (said.get(key) for key in _KEYS)
    if name is None:
        return "the column has no name", "give its name as transaction WE60 shows it"
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        return f"{str(name)[:40]!r} is no field's name", "write capitals, digits and _ (in quotes where it is a number)"
    if name in before:
        return f"column {name} stands here a second time", "rename one of the two"
    if type(length) is not int or not 1 <= length <= SEGMENT_CHARACTERS:
        return f"the length of {name} is no number of characters", f"write 1 to {SEGMENT_CHARACTERS:,}"
    if kind is not None and kind not in COLUMN_TYPES:
        return f"the type {str(kind)[:40]!r} of {name} is not known", f"write one of {', '.join(COLUMN_TYPES)}"
    if kind is not None and COLUMN_TYPES[kind] not in (None, length):
        return f"{name} is a {kind} of {length} characters", f"a {kind} has {COLUMN_TYPES[kind]}; mend type or length"
    if at is not None and at != end + 1:
        return _misplaced(name, at, end, before)
    if end + length > SEGMENT_CHARACTERS:
        told = f"{name} ends at {end + length:,}, and a segment has {SEGMENT_CHARACTERS:,} characters"
        return told, "mend the lengths"
    return None


def _misplaced(name: str, at: Any, end: int, before: dict[str, int]) -> tuple[str, str]:
    if type(at) is not int or at < 1:
        return f"{name} begins at {str(at)[:20]!r}", f"count from 1 behind the record's head: at: {end + 1}"
    last = next(reversed(before), "")
    if at <= end:
        return f"{name} begins at {at}, and {last} ends at {end}: they overlap", f"write at: {end + 1}, or mend {last}"
    behind = f"{last} ends at {end}" if last else "it is the first column"
    gap = f"give the {at - 1 - end} characters before it a column (FILLER)"
    return f"{name} begins at {at}, and {behind}: a gap", f"write at: {end + 1}, or {gap}"
