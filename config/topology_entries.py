"""The blocks of all files by section, each checked against its schema, with the place of everything in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from marshmallow import ValidationError

from config.exception_schema import MEND_OF_OWNER, OWNER_NAME, ExceptionsSchema, OwnerSchema
from config.strict_schema import Path, StrictSchema, nearest, problems
from config.topology_faults import TopologyFault
from config.topology_includes import TopologyText
from config.topology_schema import (
    DOMAINS,
    RETENTION_DOMAINS,
    PlantSchema,
    RetentionSchema,
    RouteSchema,
    ServiceLevelSchema,
    SourceSchema,
    SystemOfRecordSchema,
    TargetSchema,
    WebhooksSchema,
)
from config.yaml_tree import Node

VERSION = 1
LISTS: Mapping[str, type[StrictSchema]] = {
    "plants": PlantSchema,
    "sources": SourceSchema,
    "targets": TargetSchema,
    "routes": RouteSchema,
}
BLOCKS: Mapping[str, type[StrictSchema]] = {
    "systems_of_record": SystemOfRecordSchema,
    "service_levels": ServiceLevelSchema,
    "retention": RetentionSchema,
    "exceptions": ExceptionsSchema,
    "owners": OwnerSchema,
    "webhooks": WebhooksSchema,
}
BY_DOMAIN: Mapping[str, tuple[str, ...]] = {"systems_of_record": DOMAINS, "retention": RETENTION_DOMAINS}
KEYS = ("version", "include", *LISTS, *BLOCKS)


@dataclass(eq=False)
class Entry:
    """One block. ``raw`` is what the file says; ``values`` what the schema made of it, and None where it refused."""

    path: str
    file: str
    node: Node
    line: int
    raw: Any
    values: Any = None

    def place(self, path: Path = ()) -> str:
        return f"{self.file}:{self.node.line_of(path) if path else self.line}"

    def blocks(self, key: str) -> Iterator[tuple[Path, Mapping[str, Any]]]:
        """The blocks of the list at this key, each with its path; other kinds are the schema's business."""
        value = self.raw.get(key) if isinstance(self.raw, dict) else None
        for index, block in enumerate(value if isinstance(value, list) else []):
            if isinstance(block, dict):
                yield (key, index), block

    def fault(self, path: Path, reason: str, mend: str) -> TopologyFault:
        dotted = ".".join([self.path, *map(str, path)])
        line = self.node.line_of(path) if path else self.line
        return TopologyFault(self.file, line, dotted, reason, mend)


@dataclass
class Entries:
    """``lists`` hold the blocks of a section in the order of the files; ``blocks`` those that are known by a key."""

    lists: dict[str, list[Entry]] = field(default_factory=lambda: {name: [] for name in LISTS})
    blocks: dict[str, dict[str, Entry]] = field(default_factory=lambda: {name: {} for name in BLOCKS})
    faults: list[TopologyFault] = field(default_factory=list)
    positions: dict[str, str] = field(default_factory=dict)

    def every(self) -> Iterator[Entry]:
        for entries in self.lists.values():
            yield from entries
        for block in self.blocks.values():
            yield from block.values()


def gather(texts: list[TopologyText]) -> Entries:
    """Every block of every file, checked by itself; what refers from one block to another is checked elsewhere."""
    entries = Entries()
    for index, text in enumerate(texts):
        entries.faults.extend(_faults_of_keys(text, is_main=index == 0))
        for section in LISTS:
            _gather_list(entries, text, section)
        for section in BY_DOMAIN:
            _gather_domains(entries, text, section)
        _gather_service_levels(entries, text)
        _gather_exceptions(entries, text)
        _gather_owners(entries, text)
        _gather_webhooks(entries, text)
    for entry in entries.every():
        entries.positions[entry.path] = entry.place()
        entries.positions |= {path: f"{entry.file}:{line}" for path, line in entry.node.lines_below(entry.path)}
    return entries


def _faults_of_keys(text: TopologyText, *, is_main: bool) -> Iterator[TopologyFault]:
    children = text.root.children or {}
    for key in children:
        if key not in KEYS:
            line = text.root.lines[key]
            yield TopologyFault(text.file, line, str(key), f"{key!r} is no key here", nearest(str(key), KEYS))
    version = children.get("version")
    if version is None and is_main:
        yield TopologyFault(text.file, 1, "version", "it is missing", f"write `version: {VERSION}` on the first line")
    elif version is not None and (version.value != VERSION or isinstance(version.value, bool)):
        line = text.root.lines["version"]
        yield TopologyFault(text.file, line, "version", "this version is not known", f"write `version: {VERSION}`")


def _gather_list(entries: Entries, text: TopologyText, section: str) -> None:
    node = (text.root.children or {}).get(section)
    if node is None:
        return
    if not node.is_list:
        line = text.root.lines[section]
        mend = "write one `- ` entry a line, or remove the key"
        entries.faults.append(TopologyFault(text.file, line, section, "this should be a list", mend))
        return
    for child in (node.children or {}).values():
        name = _code(child) or str(len(entries.lists[section]))
        entry = Entry(f"{section}.{name}", text.file, child, child.line, child.plain())
        _check(entries, entry, LISTS[section])
        entries.lists[section].append(entry)


def _code(node: Node) -> str:
    code = (node.children or {}).get("code")
    return code.value if code is not None and isinstance(code.value, str) else ""


def _block(entries: Entries, text: TopologyText, section: str) -> Node | None:
    node = (text.root.children or {}).get(section)
    if node is not None and (node.children is None or node.is_list):
        line = text.root.lines[section]
        fault = TopologyFault(text.file, line, section, "this should be a block of keys", "write `key: value` lines")
        entries.faults.append(fault)
        return None
    return node


def _gather_domains(entries: Entries, text: TopologyText, section: str) -> None:
    domains = BY_DOMAIN[section]
    node = _block(entries, text, section)
    for key, child in ((node and node.children) or {}).items():
        assert node is not None
        entry = Entry(f"{section}.{key}", text.file, child, node.lines[key], child.plain())
        if key not in domains:
            entries.faults.append(entry.fault((), f"{key!r} is no domain", nearest(str(key), domains)))
        _check(entries, entry, BLOCKS[section])
        _keep_once(entries, section, str(key), entry)


def _gather_service_levels(entries: Entries, text: TopologyText) -> None:
    section = "service_levels"
    node = _block(entries, text, section)
    if node is None:
        return
    whole = Entry(section, text.file, node, text.root.lines[section], node.plain())
    _check(entries, whole, ServiceLevelSchema)
    for key, child in (node.children or {}).items():
        values = (whole.values or {}).get(key)
        _keep_once(
            entries, section, str(key), Entry(f"{section}.{key}", text.file, child, node.lines[key], None, values)
        )


def _gather_exceptions(entries: Entries, text: TopologyText) -> None:
    section = "exceptions"
    node = _block(entries, text, section)
    if node is not None:
        entry = Entry(section, text.file, node, text.root.lines[section], node.plain())
        _check(entries, entry, ExceptionsSchema)
        _keep_once(entries, section, section, entry)


def _gather_owners(entries: Entries, text: TopologyText) -> None:
    section = "owners"
    node = _block(entries, text, section)
    for key, child in ((node and node.children) or {}).items():
        assert node is not None
        entry = Entry(f"{section}.{key}", text.file, child, node.lines[key], child.plain())
        if not re.fullmatch(OWNER_NAME, str(key)):
            entries.faults.append(entry.fault((), f"{key!r} is not allowed here", MEND_OF_OWNER))
        _check(entries, entry, OwnerSchema)
        _keep_once(entries, section, str(key), entry)


def _gather_webhooks(entries: Entries, text: TopologyText) -> None:
    section = "webhooks"
    node = _block(entries, text, section)
    if node is not None:
        entry = Entry(section, text.file, node, text.root.lines[section], node.plain())
        _check(entries, entry, WebhooksSchema)
        _keep_once(entries, section, section, entry)


def _keep_once(entries: Entries, section: str, key: str, entry: Entry) -> None:
    first = entries.blocks[section].setdefault(key, entry)
    if first is not entry:
        entries.faults.append(
            entry.fault((), f"it is given a second time (first at {first.place()})", "keep one of the two")
        )


def _check(entries: Entries, entry: Entry, schema: type[StrictSchema]) -> None:
    if not isinstance(entry.raw, dict):
        entries.faults.append(entry.fault((), "this should be a block of keys", "write `key: value` lines"))
        return
    try:
        entry.values = schema().load(entry.raw)
    except ValidationError as error:
        for path, problem in problems(error.messages):
            entries.faults.append(entry.fault(path, problem.reason, problem.mend))
