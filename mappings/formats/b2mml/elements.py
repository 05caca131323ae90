"""The elements of a B2MML document by their local names, each with its line and path, held against its schema.

Built in one pass, and walked by the readers afterwards. Nothing of it leaves the readers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from lxml import etree

from mappings.context import Deviations, MappingError
from mappings.formats.b2mml.schema import TIME, Child, Model, Version

MAX_ELEMENTS = 100_000
MAX_DEPTH = 64
_PATH_CHARACTERS = 160
_TIME = re.compile(r"-?\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?", re.ASCII)
# xsd:decimal, which allows more than a plain number: a plus sign, no digit before the point, none behind it.
_DECIMAL = re.compile(r"(?:\+|(-))?(\d*)\.?(\d*)", re.ASCII)
_Trail = tuple["_Trail | None", str, int]
"""The trail of the element around it, its name, and which of that name it is there, counted from 1."""
# Of every node without children; ``Node.add`` adds to none of the two.
_NONE: list[Any] = []
_NONE_BY_NAME: dict[str, list[Any]] = {}
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"


class Node:
    """One element. ``children`` keeps the document's order; ``path`` begins at the noun, counts from the second on.

    Most elements of a document hold a text and are asked for nothing else. So a node keeps what its path is told from,
    and not its path; of the nodes above it only their names, since nodes that know each other are freed late."""

    __slots__ = ("_by_name", "_trail", "children", "element", "name")

    def __init__(self, element: etree._Element, name: str, trail: _Trail | None = None) -> None:
        self.element = element
        self.name = name
        self.children: list[Node] = _NONE
        self._by_name: dict[str, list[Node]] = _NONE_BY_NAME
        self._trail = trail or (None, name, 1)

    def add(self, element: etree._Element, name: str) -> Node:
        same = self._by_name.get(name)
        if same is None:
            if not self._by_name:
                self.children, self._by_name = [], {}
            same = self._by_name[name] = []
        child = Node(element, name, (self._trail, name, len(same) + 1))
        same.append(child)
        self.children.append(child)
        return child

    @property
    def path(self) -> str:
        trail: _Trail | None = self._trail
        steps: list[str] = []
        while trail is not None:
            trail, name, number = trail
            steps.append(name if number == 1 else f"{name}[{number}]")
        return "/".join(reversed(steps))

    def all(self, *names: str) -> Sequence[Node]:
        """Its children of these names, as they stand in the document."""
        found = [self._by_name[name] for name in names if name in self._by_name]
        if len(found) > 1:
            return [child for child in self.children if child.name in names]
        return found[0] if found else ()

    def first(self, *names: str) -> Node | None:
        return next((self._by_name[name][0] for name in names if name in self._by_name), None)

    def text(self, *names: str) -> str | None:
        """The trimmed text of the first child that has any, of the name that comes first among ``names``."""
        for name in names:
            for child in self._by_name.get(name, ()):
                if (found := child.own_text) is not None:
                    return found
        return None

    def texts(self, name: str) -> list[str]:
        return [found for child in self._by_name.get(name, ()) if (found := child.own_text) is not None]

    @property
    def own_text(self) -> str | None:
        return (self.element.text or "").strip() or None

    @property
    def place(self) -> str:
        """``line 13, ProductionPerformance/ProductionResponse[2]/SegmentResponse``, of bounded length."""
        path = self.path if len(self.path) <= _PATH_CHARACTERS else "..." + self.path[-_PATH_CHARACTERS:]
        return f"line {self.element.sourceline}, {path}"


class Builder:
    """Makes nodes of one document. ``version`` is None where the document's namespace is none of B2MML's: there is
    nothing then to hold it against."""

    def __init__(self, version: Version | None, namespace: str, deviations: Deviations) -> None:
        self._version = version
        self._prefix = f"{{{namespace}}}" if namespace else ""
        self._deviations = deviations
        self._known: dict[Any, str] = {}

    def node(self, element: etree._Element, kind: str | None = None) -> Node:
        """The element and all below it. ``kind`` is its type in the schema; unless told, the one of its own name."""
        name = local_name(element)
        node = Node(element, name)
        self._fill(node, name if kind is None else kind, 1)
        return node

    def _fill(self, node: Node, kind: str, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise MappingError("document_too_deep", f"the document nests deeper than {MAX_DEPTH} levels.", node.place)
        model = self._version.models.get(kind) if self._version else None
        if model is None:
            self._fill_unchecked(node, depth)
        else:
            self._fill_checked(node, model, depth)

    def _fill_unchecked(self, node: Node, depth: int) -> None:
        for element in node.element:
            child = node.add(element, local_name(element))
            if len(element):
                self._fill(child, "", depth + 1)

    def _fill_checked(self, node: Node, model: Model, depth: int) -> None:
        """Children in one pass: known, in order, not too many; then what is missing."""
        reached, last, seen = -1, "", set[int]()
        known, models = self._known, model.children
        for element in node.element:
            name = known.get(element.tag) or self._name(element, model)
            if name is None:
                continue
            child = node.add(element, name)
            told = models.get(name)
            if told is None:
                self._note("element_unknown", f"{name} is no part of {node.name}", child)
                if len(element):
                    self._fill(child, "", depth + 1)
                continue
            place, many, kind, looked_into, has_words = told
            if place < reached:
                self._note("element_order", f"{name} stands behind {last}, not before it", child)
            elif place in seen and not many:
                self._note("element_repeated", f"{node.name} holds more than one {name}", child)
            else:
                reached, last = place, name
            seen.add(place)
            if has_words:
                self._check_words(child, told)
            if looked_into or len(element):
                self._fill(child, kind, depth + 1)
        for place, name in model.required:
            if place not in seen:
                self._note("element_missing", f"{node.name} lacks {name}", node)

    def _name(self, element: etree._Element, model: Model) -> str | None:
        """Its local name; None for a part of somebody's extension, which stands in a namespace of its own."""
        tag = str(element.tag)
        if self._prefix and tag.startswith(self._prefix):
            name = self._known[tag] = tag[len(self._prefix) :]
            return name
        namespace, name = etree.QName(tag).namespace or "", local_name(element)
        if namespace == (self._prefix[1:-1]):
            return name
        if name not in model.children or namespace.endswith("Extensions"):
            return None
        where = f"namespace {namespace[:80]!r}" if namespace else "no namespace"
        told = f"{name} stands in {where}, not in its document's"
        self._deviations.allow("b2mml_namespace_mixed", told, f"line {element.sourceline}")
        return name

    def _check_words(self, child: Node, told: Child) -> None:
        if child.element.get(_NIL) in ("true", "1"):
            return
        text = child.element.text or ""
        if told.kind == TIME:
            if not _TIME.fullmatch(text.strip()):
                self._note("time_format", f"{child.name} is {text[:40]!r}, which is no xsd:dateTime", child)
        elif self._version and text not in self._version.words[told.kind]:
            self._note("word_unknown", f"{child.name} is {text[:40]!r}, which the schema does not list", child)

    def _note(self, code: str, reason: str, node: Node) -> None:
        version = self._version.code if self._version else "B2MML"
        self._deviations.allow(f"b2mml_{code}", f"{reason} in B2MML {version}", node.place)


def local_name(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2]


def without_none(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None and value != {}}


def nested(node: Node, *names: str) -> Iterator[Node]:
    """Its children of these names and theirs, outer before inner."""
    for child in node.all(*names):
        yield child
        yield from nested(child, *names)


def quantities(node: Node) -> list[dict[str, Any]]:
    return [
        without_none(value=plain_decimal(one.text("QuantityString")), uom=one.text("UnitOfMeasure"))
        for one in node.all("Quantity")
    ]


def plain_decimal(text: str | None) -> str | None:
    """``+5``, ``.5`` and ``5.`` are decimals of XML Schema; any other text stays as it is."""
    found = _DECIMAL.fullmatch(text) if text else None
    if found is None or not (found[2] or found[3]):
        return text
    return f"{found[1] or ''}{found[2] or '0'}" + (f".{found[3]}" if found[3] else "")


def properties(node: Node, *names: str) -> dict[str, str]:
    """First values by the properties' IDs, of the elements of these names."""
    found: dict[str, str] = {}
    for entry in node.all(*names):
        name, value = entry.text("ID"), entry.first("Value")
        text = value.text("ValueString") if value else None
        if name and text:
            found.setdefault(name, text)
    return found


def serials(node: Node, *names: str) -> list[str]:
    """B2MML has no element for serial numbers; they are the values of a property that is called so."""
    entries = [entry for entry in node.all(*names) if entry.text("ID") in ("SerialNumber", "SerialNumbers")]
    return [text for entry in entries for value in entry.all("Value") if (text := value.text("ValueString"))]


def location(node: Node) -> dict[str, str]:
    """Equipment by its level, from nested Location, HierarchyScope or StorageLocation elements."""
    found: dict[str, str] = {}
    storage = node.first("StorageLocation")
    if storage is not None and (stored := storage.text("Location") or storage.own_text):
        found["StorageZone"] = stored
    scope = node.first("Location", "HierarchyScope")
    while scope is not None:
        level, equipment = scope.text("EquipmentElementLevel", "EquipmentLevel"), scope.text("EquipmentID")
        if level and equipment:
            found[level] = equipment
        scope = scope.first("Location", "HierarchyScope", "HierarchyScopeChild")
    return found


def material(node: Node, use: str | None, property_names: tuple[str, ...]) -> dict[str, Any]:
    """A MaterialActual or MaterialRequirement. ``use``: what its name says of it; None where MaterialUse does."""
    told = node.first("MaterialUse")
    items = list(dict.fromkeys(node.texts("MaterialDefinitionID")))
    return without_none(
        place=node.place,
        item=items[0] if items else None,
        other_items=items[1:],
        lots=node.texts("MaterialLotID"),
        sub_lot=node.text("MaterialSubLotID"),
        use=use or node.text("MaterialUse"),
        other_use=told.element.get("OtherValue") if told is not None else None,
        location=location(node),
        quantities=quantities(node),
        assembly=node.first("AssemblyActual", "AssemblyRequirement", "AssemblySpecification") is not None,
        properties=properties(node, *property_names),
        serials=serials(node, *property_names),
    )
