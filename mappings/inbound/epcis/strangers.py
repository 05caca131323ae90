"""What stands in an event although EPCIS 2.0 has no place for it. Nothing of it is used, and each thing is noted.

Extensions have a namespace (``example:myField``, or a URI): they are at home in an event and not noted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mappings.context import Deviations
from mappings.formats.epcis import RawEvent

_OBJECTS = frozenset({"epcList", "quantityList", "ilmd"})
_CHILDREN = frozenset({"parentID", "childEPCs", "childQuantityList"})
_OF_ITS_TYPE = {
    "ObjectEvent": _OBJECTS,
    "AggregationEvent": _CHILDREN,
    "AssociationEvent": _CHILDREN,
    "TransactionEvent": frozenset({"parentID", "epcList", "quantityList"}),
    "TransformationEvent": frozenset(
        {"inputEPCList", "inputQuantityList", "outputEPCList", "outputQuantityList", "transformationID", "ilmd"}
    ),
}
_OF_ALL = frozenset({"type", "isA", "eventTime", "recordTime", "eventTimeZoneOffset", "eventID", "certificationInfo"})
_OF_ALL |= {"errorDeclaration", "action", "bizStep", "disposition", "persistentDisposition", "readPoint", "bizLocation"}
_OF_ALL |= {"bizTransactionList", "sourceList", "destinationList", "sensorElementList"}
_ELEMENT = frozenset({"epcClass", "quantity", "uom"})
_MEMBERS = {
    "quantityList": _ELEMENT,
    "childQuantityList": _ELEMENT,
    "inputQuantityList": _ELEMENT,
    "outputQuantityList": _ELEMENT,
    "bizTransactionList": frozenset({"type", "bizTransaction"}),
    "sourceList": frozenset({"type", "source"}),
    "destinationList": frozenset({"type", "destination"}),
}


def note_strangers(raw: RawEvent, values: Mapping[str, Any], deviations: Deviations) -> None:
    """Fields without a namespace that this type of event does not have, at each level that is read."""
    known = _OF_ALL | _OF_ITS_TYPE[raw.type]
    for place, name in _strangers(raw, values, known):
        deviations.allow("field_unknown", f"{name[:60]!r} is no field here, and has no namespace", place)
    if not _is_certificate(values.get("certificationInfo", "")):
        told = "certificationInfo is neither a URI nor a list of them"
        deviations.allow("certificate_form", told, raw.at("certificationInfo"))


def _strangers(raw: RawEvent, values: Mapping[str, Any], known: frozenset[str]) -> Iterator[tuple[str, str]]:
    for name in values:
        if name not in known and ":" not in name and not name.startswith("@"):
            yield raw.at(name[:40]), name
    for path in _MEMBERS.keys() & values.keys():
        members = values[path] if isinstance(values[path], list) else []
        for index, member in enumerate(members):
            if isinstance(member, Mapping) and not member.keys() <= _MEMBERS[path]:
                yield raw.at(f"{path}[{index}]"), min(member.keys() - _MEMBERS[path])
    master_data = values.get("ilmd")
    if isinstance(master_data, Mapping):
        yield from ((raw.at(f"ilmd.{name[:40]}"), name) for name in master_data if ":" not in name)


def _is_certificate(value: Any) -> bool:
    texts = value if isinstance(value, list) else [value]
    return all(isinstance(text, str) for text in texts)


def note_names(raw: RawEvent, checked: Mapping[str, Any], deviations: Deviations) -> None:
    """Events and documents are named by URIs; a bare number is taken as the number that it is."""
    named = [("eventID", checked["event_id"])] if "event_id" in checked else []
    transactions = enumerate(checked["transactions"])
    named += [(f"bizTransactionList[{index}].bizTransaction", one["id"]) for index, one in transactions]
    for path, text in named:
        if ":" not in text:
            deviations.allow("uri_expected", f"{text[:60]!r} is no URI", raw.at(path))
