"""One YAML file as a bounded tree of plain values that knows the line of every key.

Only plain YAML comes through: no tags that build objects, no key twice, no nesting without end, and no aliases that
unfold a small file into a huge one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.nodes import ScalarNode

MAX_DEPTH = 32
MAX_NODES = 100_000
MAX_NUMBER_CHARACTERS = 40
_CORE = "tag:yaml.org,2002:"
_CORE_TAGS = {_CORE + name for name in ("str", "int", "float", "bool", "null", "seq", "map")}


class YamlFault(Exception):
    """The text is not YAML as Lineside takes it; ``line`` counts from 1."""

    def __init__(self, line: int, reason: str, mend: str) -> None:
        super().__init__(f"line {line}: {reason}; {mend}")
        self.line = line
        self.reason = reason
        self.mend = mend


@dataclass
class Node:
    """A scalar, or the children by key or index. ``nodes`` counts what is below it with every alias unfolded;
    ``lines`` holds the line of each child's key; ``bases`` are the
    blocks that ``<<`` names, each with its line."""

    line: int
    value: Any = None
    children: dict[str | int, Node] | None = None
    lines: dict[str | int, int] = field(default_factory=dict)
    bases: list[tuple[Node, int]] = field(default_factory=list)
    is_list: bool = False
    is_open: bool = False
    nodes: int = 1

    def plain(self) -> Any:
        if self.children is None:
            return self.value
        if self.is_list:
            return [child.plain() for child in self.children.values()]
        return {key: child.plain() for key, child in self.children.items()}

    def line_of(self, path: tuple[str | int, ...]) -> int:
        """The line of the deepest part of ``path`` that the file has, so that a missing key points at its block."""
        node, line = self, self.line
        for part in path:
            if node.children is None or part not in node.children:
                break
            line = node.lines[part]
            node = node.children[part]
        return line

    def lines_below(self, path: str) -> Iterator[tuple[str, int]]:
        """The dotted path and the line of everything below this node."""
        for key, child in (self.children or {}).items():
            yield f"{path}.{key}", self.lines[key]
            yield from child.lines_below(f"{path}.{key}")


def read_yaml(text: str) -> Node:
    """The tree of one YAML document; raises YamlFault at the first place that cannot be read."""
    builder = _Builder()
    yaml = YAML(typ="safe", pure=True)
    try:
        for event in yaml.parse(text):
            builder.take(event, yaml)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = " ".join(str(part) for part in (error.context, error.problem) if part)
        raise YamlFault(
            mark.line + 1 if mark else 1, f"this is not YAML: {reason}", "mend the indentation or the quotes there"
        ) from None
    except YAMLError as error:
        position = getattr(error, "position", 0)
        raise YamlFault(
            text.count("\n", 0, position) + 1, "the file holds a character that YAML does not allow", "remove it"
        ) from None
    if builder.root is None:
        raise YamlFault(1, "the file is empty", "begin it with `version: 1`")
    return builder.root


class _Builder:
    """Takes the parser's events one at a time, so that a bound stops the reading where it is passed."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self._open: list[Node] = []
        self._keys: list[Node | None] = []
        self._anchors: dict[str, Node] = {}
        self._documents = 0

    def take(self, event: Any, yaml: YAML) -> None:
        line = event.start_mark.line + 1
        if isinstance(event, DocumentStartEvent):
            self._begin_document(line)
        elif isinstance(event, ScalarEvent):
            self._place(event, Node(line, _scalar(event, yaml, line)))
        elif isinstance(event, AliasEvent):
            self._attach(self._alias(event.anchor, line), line)
        elif isinstance(event, (SequenceStartEvent, MappingStartEvent)):
            self._begin(event, line)
        elif isinstance(event, (SequenceEndEvent, MappingEndEvent)):
            self._merge_bases(self._open[-1])
            self._open.pop().is_open = False
            self._keys.pop()

    def _begin_document(self, line: int) -> None:
        self._documents += 1
        if self._documents > 1:
            raise YamlFault(line, "a second YAML document begins here", "remove the `---`, or include a second file")

    def _alias(self, anchor: str, line: int) -> Node:
        node = self._anchors.get(anchor)
        if node is None:
            raise YamlFault(
                line, f"the alias *{anchor} names no anchor above it", f"write &{anchor} at the first place"
            )
        if node.is_open:
            raise YamlFault(line, f"the alias *{anchor} stands inside its own anchor", "write the block out instead")
        return node

    def _begin(self, event: Any, line: int) -> None:
        _check_tag(event, line)
        if len(self._open) >= MAX_DEPTH:
            raise YamlFault(line, f"blocks are nested more than {MAX_DEPTH} deep", "flatten the block")
        node = Node(line, children={}, is_list=isinstance(event, SequenceStartEvent), is_open=True)
        self._place(event, node)
        self._open.append(node)
        self._keys.append(None)

    def _place(self, event: Any, node: Node) -> None:
        if event.anchor:
            self._anchors[event.anchor] = node
        self._attach(node, node.line)

    def _attach(self, node: Node, line: int) -> None:
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        assert parent.children is not None
        if parent.is_list:
            self._add(parent, len(parent.children), node, line)
        elif self._keys[-1] is None:
            self._keys[-1] = _key(node, line)
        else:
            key, self._keys[-1] = self._keys[-1], None
            self._add_to_mapping(parent, key, node)

    def _add_to_mapping(self, parent: Node, key: Node, node: Node) -> None:
        if key.value == "<<":
            parent.bases.append((node, key.line))
            return
        first = parent.lines.get(key.value)
        if first is not None:
            raise YamlFault(
                key.line,
                f"the key {key.value!r} stands here a second time (first on line {first})",
                "keep one of the two",
            )
        self._add(parent, key.value, node, key.line)

    def _merge_bases(self, node: Node) -> None:
        """``<<: *base`` takes the keys of another block; the block's own keys win, wherever they stand."""
        for base, line in node.bases:
            for block in (base.children or {}).values() if base.is_list else [base]:
                if block.children is None or block.is_list:
                    raise YamlFault(line, "<< merges something that is no block of keys", "alias a block of keys")
                for key, child in block.children.items():
                    if node.children is not None and key not in node.children:
                        self._add(node, key, child, block.lines[key])

    def _add(self, parent: Node, key: str | int, node: Node, line: int) -> None:
        assert parent.children is not None
        parent.children[key] = node
        parent.lines[key] = line
        for ancestor in self._open:
            ancestor.nodes += node.nodes
        if self._open[0].nodes > MAX_NODES:
            raise YamlFault(
                line,
                f"the file unfolds to more than {MAX_NODES:,} values",
                "use fewer aliases, or split it by `include`",
            )


def _key(node: Node, line: int) -> Node:
    if node.children is not None or not isinstance(node.value, str):
        raise YamlFault(line, "this key is not text", "put the key in quotes")
    return node


def _check_tag(event: Any, line: int) -> None:
    if event.tag and event.tag not in _CORE_TAGS:
        raise YamlFault(line, f"the tag {event.tag!r} is not taken", "write the plain value")


def _scalar(event: Any, yaml: YAML, line: int) -> Any:
    _check_tag(event, line)
    tag = event.tag or str(yaml.resolver.resolve(ScalarNode, event.value, event.implicit))
    text: str = event.value
    try:
        return _READERS.get(tag.removeprefix(_CORE), str)(text)
    except ValueError:
        shown = text if len(text) <= MAX_NUMBER_CHARACTERS else text[:MAX_NUMBER_CHARACTERS] + "..."
        raise YamlFault(
            line, f"{shown!r} is not a usable number", "give a finite number, or put text in quotes"
        ) from None


def _whole(text: str) -> int:
    if len(text) > MAX_NUMBER_CHARACTERS:
        raise ValueError(text)
    digits = text.replace("_", "")
    return int(digits, 0 if digits.lstrip("+-")[:2].lower() in ("0x", "0o", "0b") else 10)


def _decimal(text: str) -> float:
    number = float(text.replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))
    if number - number != 0:
        raise ValueError(text)
    return number


_READERS: Mapping[str, Any] = {
    "int": _whole,
    "float": _decimal,
    "bool": lambda text: text.lower() in ("true", "yes", "on"),
    "null": lambda text: None,
}
