"""Values that a source writes as text: columns of rows, elements of XML, and JSON that quotes its numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from marshmallow import ValidationError, fields

from mappings.canonical.fields import ERROR_TEXTS, BoundedList
from mappings.inbound.payload import wrong

DecimalMark = Literal[".", ","]

_NUMBERS: Mapping[DecimalMark, re.Pattern[str]] = {
    ",": re.compile(r"[0-9]{1,3}(\.[0-9]{3})+,[0-9]+|[0-9]+(,[0-9]+)?", re.ASCII),
    ".": re.compile(r"[0-9]{1,3}(,[0-9]{3})+\.[0-9]+|[0-9]+(\.[0-9]+)?", re.ASCII),
}
_EXAMPLES: Mapping[DecimalMark, str] = {",": "1250,5", ".": "1250.5"}
_NUMBER_CHARACTERS = 40


class Written(fields.Field[str]):
    """Text as it stands there, without the blanks around it, or a whole number as its digits."""

    default_error_messages = ERROR_TEXTS

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> str:
        if type(value) is int and abs(value) < 10**_NUMBER_CHARACTERS:
            return str(value)
        if type(value) is not str:
            raise ValidationError("must be text")
        return value.strip()


class Filled(Written):
    """The same, and not empty."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> str:
        text = super()._deserialize(value, attr, data, **options)
        if not text:
            raise ValidationError("is empty")
        return text


class Repeated(BoundedList):
    """A list, or the one thing that would stand in it: XML does not tell the two apart."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> list[Any]:
        return super()._deserialize(value if isinstance(value, list) else [value], attr, data, **options)


def number(value: Any, place: str, mark: DecimalMark) -> Any:
    """A number that is written with this decimal mark, for ``amount`` to read; what is no text is left to that.

    ``1.250`` with a comma as the mark could mean either, so it is refused, as is a minus.
    """
    if not isinstance(value, str):
        return value
    text = value.strip()
    if not _NUMBERS[mark].fullmatch(text) or len(text) > _NUMBER_CHARACTERS:
        told = f"{place} is {text[:40]!r}; it is written like {_EXAMPLES[mark]} and never below 0"
        raise wrong("quantity_invalid", told, place)
    return text.replace("." if mark == "," else ",", "").replace(mark, ".")
