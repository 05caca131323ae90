"""The block of a new source in the topology file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from app.new_sources.roles import Guesses
from app.new_sources.sample import Sample

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_. -]{0,60}[A-Za-z0-9_]|[A-Za-z_]")
_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}


class NoPlace(Exception):
    """The file has no list of sources that a block can be added to."""


def source_block(
    code: str, family: str, kind: str, plant: str, sample: Sample, guesses: Guesses, file_name: str
) -> str:
    """YAML of one entry under ``sources``, without indentation; what is guessed is marked."""
    lines = [
        f"- code: {code}",
        "  kind: MES                       # guessed: what it is, for people",
        f"  plants: [{plant}]",
        f"  mapping: {family}",
    ]
    is_file = sample.format in ("csv", "fixed_width")
    lines += ["  intake: drop"] if is_file else []
    lines.append(f"  units: {_flow(guesses.units)}")
    return "\n".join([*lines, *(_files(kind, sample, guesses, file_name) if is_file else [])]) + "\n"


def _files(kind: str, sample: Sample, guesses: Guesses, file_name: str) -> list[str]:
    suffix = PurePath(file_name).suffix or ".csv"
    lines = [
        "  files:",
        f"    - pattern: {_text('*' + suffix)}              # guessed: of the sample's name only the ending is taken",
        f"      type: {kind}",
        f"      format: {sample.format}",
        "      options:",
    ]
    for name, value in sample.options.items():
        if name == "layout":
            lines.append("        # guessed: where columns begin and end; a wider value would run into its neighbour")
            lines += ["        layout:", *(f"          - {_flow(entry)}" for entry in value)]
        else:
            lines.append(f"        {name}: {_flow(value)}")
    return [*lines, *_id_lines(guesses)]


def _id_lines(guesses: Guesses) -> list[str]:
    if "id" not in guesses.roles:
        why = "no column tells one row from another, so a corrected file is taken again in full"
        return [f"        # guessed: {why}"]
    found = guesses.roles["id"]
    doubt = [f"        # guessed: {found.doubt}"] if found.doubt else []
    return [*doubt, f"        id: {_flow([found.field.path[-1]])}"]


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_text(key)}: {_flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_flow(inner) for inner in value) + "]"
    return _text(value) if isinstance(value, str) else json.dumps(value)


def _text(value: str) -> str:
    is_plain = _PLAIN.fullmatch(value) is not None and value.lower() not in _WORDS
    return value if is_plain else json.dumps(value, ensure_ascii=False)


def with_source(text: str, block: str) -> str:
    """The file's text with the block behind its last source; every other character stays. Raises NoPlace."""
    sources = _sources(text)
    lines = text.split("\n")
    indent = " " * _dash_column(lines, sources.value[0])
    last = max(_last_line(node) for node in sources.value)
    added = [indent + line for line in block.rstrip("\n").split("\n")]
    return "\n".join([*lines[: last + 1], *added, *lines[last + 1 :]])


def _sources(text: str) -> SequenceNode:
    try:
        root = YAML(typ="rt").compose(text)
    except YAMLError as error:
        raise NoPlace(f"it is no YAML: {error}") from None
    pairs = root.value if isinstance(root, MappingNode) else []
    found = next((value for key, value in pairs if key.value == "sources"), None)
    if not isinstance(found, SequenceNode) or found.flow_style or not found.value:
        raise NoPlace("it has no list of sources, one entry a line, that the block could stand in")
    return found


def _dash_column(lines: Sequence[str], first: Node) -> int:
    line = lines[first.start_mark.line]
    return len(line) - len(line.lstrip())


def _last_line(node: Node) -> int:
    """The last line that something of this node stands on; comments behind it are not of it."""
    if isinstance(node, ScalarNode) or getattr(node, "flow_style", False):
        end = node.end_mark
        is_behind = end.column == 0 and end.line > node.start_mark.line
        return int(end.line) - 1 if is_behind else int(end.line)
    inner = [part for pair in node.value for part in pair] if isinstance(node, MappingNode) else list(node.value)
    return max([int(node.start_mark.line), *(_last_line(part) for part in inner)])
