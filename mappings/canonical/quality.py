"""Stock that may not be used, and stock that may be used again."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, validates_schema

from mappings.canonical.fields import Code
from mappings.canonical.parts import DocumentRef, EventData, Part


class QualityStatus(EventData):
    """A change of a lot's, serial's or item's stock status, by an inspection where there was one."""

    inspection_ref = Part(DocumentRef)

    @validates_schema
    def _says_what(self, data: dict[str, Any], **_: Any) -> None:
        if not any(data.get(name) for name in ("item", "lot", "serials")):
            raise ValidationError("is missing; name the item, the lot or the serials", "item")


class Held(QualityStatus):
    """Non-conformant or under inspection: not to be used."""

    status = Code(choices=("quality", "blocked"), required=True)
    reason = Code(max_length=200, required=True)


class Released(QualityStatus):
    """Conformant: free for use."""

    status = Code(choices=("unrestricted",), required=True)


SCHEMAS: dict[str, type[Schema]] = {
    "quality.held.v1": Held,
    "quality.released.v1": Released,
}
