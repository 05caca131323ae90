"""How a document is written: elements in the order of its version's schema, in a BOD, as text for any file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lxml import etree

from mappings.context import OutboundContext
from mappings.formats.b2mml.document import VERSIONS
from mappings.formats.b2mml.schema import Model, Version
from mappings.outbound.lines import base_quantity, site

_BY_CODE = {version.code: version for version in VERSIONS}
VERSION_CODES = tuple(_BY_CODE)
_NEWEST = VERSION_CODES[-1]
_LEVELS = (("area", "Area"), ("work_center", "WorkCenter"), ("work_unit", "WorkUnit"))
# Unicode's two characters that XML does not have and a text for people may still hold.
_NO_XML = {0xFFFE: None, 0xFFFF: None}


@dataclass(frozen=True)
class Entry:
    """One element to be written, with a text or elements of its own; without either it is left out."""

    name: str
    content: str | Sequence[Entry] | None
    other_value: str | None = None


def version_of(context: OutboundContext) -> Version:
    return _BY_CODE[context.options.get("version", _NEWEST)]


def is_first(version: Version) -> bool:
    """Whether it is V0401, which knows production alone and not yet the other operations."""
    return version.code == VERSION_CODES[0]


def document(noun: str, entries: Iterable[Entry], event_time: str, context: OutboundContext) -> Mapping[str, Any]:
    """``text`` and ``reversal_text``. Entries that the version has no place for are left out."""
    version = version_of(context)
    texts = {}
    for key, verb in (("text", "Sync"), ("reversal_text", "Cancel")):
        prefixes: Any = {None: version.namespace}
        root = etree.Element(_tag(version, f"{verb}{noun}"), {"releaseID": version.code}, prefixes)
        area = [
            Entry("Sender", [Entry("LogicalID", "Lineside")]),
            Entry("CreationDateTime", event_time),
            Entry("BODID", context.posting_key),
        ]
        _write(root, Entry("ApplicationArea", area), "TransApplicationArea", version)
        data = etree.SubElement(root, _tag(version, "DataArea"))
        etree.SubElement(data, _tag(version, verb))
        _write(data, Entry(noun, tuple(entries)), noun, version)
        texts[key] = _text(root)
    return texts


def _text(root: etree._Element) -> str:
    """All beyond ASCII as character references: the text is what it says in whatever encoding the file is written."""
    etree.indent(root)
    body = etree.tostring(root, encoding="us-ascii", xml_declaration=False).decode("ascii")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _tag(version: Version, name: str) -> str:
    return f"{{{version.namespace}}}{name}"


def _write(parent: etree._Element, entry: Entry, kind: str, version: Version) -> None:
    element = etree.SubElement(parent, _tag(version, entry.name))
    if entry.other_value is not None:
        element.set("OtherValue", entry.other_value)
    if isinstance(entry.content, str):
        element.text = entry.content.translate(_NO_XML)
        return
    model = version.models[kind]
    for child in _in_order(entry.content or (), model):
        _write(element, child, model.children[child.name].kind, version)


def _in_order(entries: Iterable[Entry], model: Model) -> list[Entry]:
    known = [one for one in entries if one.name in model.children and one.content is not None and one.content != []]
    return sorted(known, key=lambda one: model.children[one.name].place)


def scope(levels: Iterable[tuple[str, str | None]]) -> list[Entry]:
    """Equipment from the largest level to the smallest, under every name that a version has for it."""
    inner: list[Entry] = []
    for level, code in reversed(list(levels)):
        if code:
            here = [Entry("EquipmentID", code), Entry("EquipmentElementLevel", level)]
            names = ("Location", "HierarchyScope", "HierarchyScopeChild")
            inner = [Entry(name, here + inner) for name in names]
    # The outermost is never a child; the model of its parent leaves out the name that it does not have.
    return inner


def site_scope(context: OutboundContext) -> list[Entry]:
    return scope([("Site", site(context))])


def event_scope(data: Mapping[str, Any]) -> list[Entry]:
    """Where in the plant the event was, below the site."""
    location = data.get("location", {})
    return scope([(level, location.get(name)) for name, level in _LEVELS])


def material(
    number: int, line: Mapping[str, Any], use: Entry, more: Iterable[Entry], context: OutboundContext
) -> list[Entry]:
    """A MaterialRequirement or MaterialActual, in the item's base unit; ``number`` tells it from its neighbours."""
    amount = base_quantity(line["item"], line["quantity"], context).wire()
    quantity = [
        Entry("QuantityString", amount["value"]),
        Entry("DataType", "decimal"),
        Entry("UnitOfMeasure", amount["uom"]),
    ]
    return [
        Entry("ID", str(number)),
        Entry("MaterialDefinitionID", line["item"]),
        Entry("MaterialLotID", line.get("lot")),
        Entry("MaterialSubLotID", line.get("sub_lot")),
        use,
        Entry("Quantity", quantity),
        *more,
    ]


def storage_of(storage: str | None, version: Version) -> list[Entry]:
    """A storage location: a piece of equipment in V0401, a text in V0600, a resource location in V0700."""
    if not storage:
        return []
    if is_first(version):
        return scope([("StorageZone", storage)])
    if version.code == _NEWEST:
        return [
            Entry("StorageLocation", [Entry("Location", storage), Entry("LocationType", "Operational Location ID")])
        ]
    return [Entry("StorageLocation", storage)]


def property_of(name: str, values: Sequence[str]) -> Entry:
    """A MaterialActualProperty with these values."""
    told = [
        Entry("Value", [Entry("ValueString", one), Entry("DataType", "string"), Entry("UnitOfMeasure", "")])
        for one in values
    ]
    return Entry("MaterialActualProperty", [Entry("ID", name), *told])
