"""What a version of B2MML lets stand where, in lines that a person can hold against the published schema.

A line is ``Type = Child Child? Child* Child+``: exactly one, at most one, any number, one or more, in this order.
``A|B`` is either of them. ``Child:Type`` is looked into by that type's own line; ``Child:@Words`` has one of the words
of the line ``@Words``, and ``Child:@time`` an xsd:dateTime. A child without a type is not looked into. What a schema
takes from its Extensions stands in a namespace of its own and is passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

TIME = "@time"

_DATA_TYPES = """
Amount BinaryObject Code DateTime Identifier Indicator Measure Numeric Quantity Text string byte unsignedByte binary
integer positiveInteger negativeInteger nonNegativeInteger nonPositiveInteger int unsignedInt long unsignedLong
short unsignedShort decimal float double boolean time timeInstant timePeriod duration date dateTime month year
century recurringDay recurringDate recurringDuration Name QName NCName uriReference language ID IDREF IDREFS ENTITY
ENTITIES NOTATION NMTOKEN NMTOKENS Enumeration SVG Other
"""
_LEVELS = """
Enterprise Site Area ProcessCell Unit ProductionLine WorkCell ProductionUnit StorageZone StorageUnit WorkCenter
WorkUnit EquipmentModule ControlModule Other
"""


class Child(NamedTuple):
    """``place`` counts the line's entries; ``kind`` is a type that is ``looked_into``, ``@words`` of which it
    ``has_words``, or empty. The two are asked of each element of a document, so they are told here."""

    place: int
    many: bool
    kind: str
    looked_into: bool
    has_words: bool


class Required(NamedTuple):
    """``name`` as the line has it: one name, or some of which one must be there."""

    place: int
    name: str


@dataclass(frozen=True)
class Model:
    """One type's line."""

    children: Mapping[str, Child]
    required: tuple[Required, ...]


@dataclass(frozen=True)
class Version:
    """``models`` by type, ``words`` by ``@name``."""

    code: str
    namespace: str
    models: Mapping[str, Model]
    words: Mapping[str, frozenset[str]]


def version_of(code: str, namespace: str, lines: str) -> Version:
    models: dict[str, Model] = {}
    levels = frozenset(_LEVELS.split())
    words = {"@DataType": frozenset(_DATA_TYPES.split()), "@EquipmentElementLevel": levels, "@EquipmentLevel": levels}
    for line in lines.replace("\n  ", " ").strip().splitlines():
        name, _, told = line.partition(" = ")
        if name.startswith("@"):
            words[name] = frozenset(told.split(" | "))
        else:
            models[name] = _model(told.split())
    return Version(code, namespace, models, words)


def _model(entries: list[str]) -> Model:
    children: dict[str, Child] = {}
    required: list[Required] = []
    for place, entry in enumerate(entries):
        name, _, kind = entry.partition(":")
        bare = name.rstrip("?*+")
        has_words = kind.startswith("@")
        told = Child(place, name[-1] in "*+", kind, kind != "" and not has_words, has_words)
        children |= dict.fromkeys(bare.split("|"), told)
        if name[-1] not in "?*":
            required.append(Required(place, bare.replace("|", " or ")))
    return Model(children, tuple(required))
