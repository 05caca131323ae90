"""The values that canonical events are made of.

Each field reads a value straight into its normalised wire form (text), so that a loaded event can be stored, compared
and hashed without another pass. A field's ``json_schema`` is what outside programs are told about it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar, Literal

from marshmallow import ValidationError, fields, missing

from mappings.units import plain

INTEGER_DIGITS = 18
FRACTION_DIGITS = 9
UOM_LENGTH = 16
LIST_BOUND = 1_000

_MISSING = "is missing"
_TOO_LARGE = f"must have at most {INTEGER_DIGITS} digits before the point"
ERROR_TEXTS: dict[str, Any] = {"required": _MISSING, "null": "must not be null", "validator_failed": "is invalid"}

Sign = Literal["positive", "not_negative", "signed"]
Reader = Callable[[Any, str | None, Any], Any]
"""(value, its name, the data that it stands in) -> the loaded value; raises ValidationError."""

_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_DECIMAL = re.compile(r"-?[0-9]{1,60}(\.[0-9]{1,60})?([eE][+-]?[0-9]{1,3})?")
# Above zero, and written already as ``decimal_text`` writes it: most amounts are, and need no Decimal to be read.
_FRACTION = rf"\.[0-9]{{0,{FRACTION_DIGITS - 1}}}[1-9]"
_NORMAL = re.compile(rf"[1-9][0-9]{{0,{INTEGER_DIGITS - 1}}}({_FRACTION})?|0{_FRACTION}")
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_PLAIN_DECIMAL = {"positive": r"^[0-9]+(\.[0-9]+)?$", "not_negative": r"^[0-9]+(\.[0-9]+)?$"}


class Code(fields.Field[str]):
    """A name that systems compare: printable, without blanks at its ends, never empty."""

    default_error_messages = ERROR_TEXTS

    def __init__(self, *, max_length: int = 80, choices: Sequence[str] = (), **options: Any) -> None:
        super().__init__(**options)
        self.max_length = max_length
        self.choices = tuple(choices)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> str:
        if type(value) is not str:
            raise ValidationError("must be a string")
        if not 1 <= len(value) <= self.max_length:
            raise ValidationError(f"must have 1 to {self.max_length} characters, has {len(value)}")
        if not value.isprintable() or value[0] == " " or value[-1] == " ":
            raise ValidationError("must be printable characters without blanks at the ends")
        if self.choices and value not in self.choices:
            raise ValidationError(f"must be one of: {', '.join(self.choices)}")
        return value

    def quick_reader(self) -> Reader:
        """For ``quick_load``: the same in one test, as nearly every value of a message is a code."""
        longest, choices, otherwise = self.max_length, frozenset(self.choices), self._deserialize

        def read(value: Any, name: str | None, within: Any) -> str:
            fits = type(value) is str and 0 < len(value) <= longest and value.isprintable()
            if fits and value[0] != " " != value[-1] and (not choices or value in choices):
                return value  # type: ignore[no-any-return]
            return otherwise(value, name, within)

        return read

    def json_schema(self) -> dict[str, Any]:
        if self.choices:
            return {"type": "string", "enum": list(self.choices)}
        return {"type": "string", "minLength": 1, "maxLength": self.max_length, "pattern": r"^\S(.*\S)?$"}


class Text(fields.Field[str]):
    """Words for people. Line ends are allowed; characters that a database or a page would choke on are not."""

    default_error_messages = ERROR_TEXTS
    MAX_LENGTH: ClassVar[int] = 2_000

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> str:
        if type(value) is not str:
            raise ValidationError("must be a string")
        if len(value) > self.MAX_LENGTH:
            raise ValidationError(f"must have at most {self.MAX_LENGTH} characters, has {len(value)}")
        if _UNPRINTABLE.search(value):
            raise ValidationError("must not contain control characters or half characters")
        return value

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "maxLength": self.MAX_LENGTH}


class Sscc(Code):
    """A GS1 serial shipping container code: 18 digits whose last one is the check digit of the others."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> str:
        text = super()._deserialize(value, attr, data, **options)
        if len(text) != 18 or not text.isascii() or not text.isdigit():
            raise ValidationError("must be the 18 digits of an SSCC")
        total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(text[:17]))
        if (10 - total % 10) % 10 != int(text[17]):
            raise ValidationError(f"has the wrong check digit; {(10 - total % 10) % 10} would be right")
        return text

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": "^[0-9]{18}$"}


class Instant(fields.Field[str]):
    """An instant of RFC 3339 with its offset, brought to UTC (``2026-01-01T08:00:00Z``).

    Nothing before 1970 is an instant of a plant: such a value is a clock that was never set.
    """

    default_error_messages = ERROR_TEXTS

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> str:
        if type(value) is not str or not _INSTANT.fullmatch(value):
            raise ValidationError("must be an instant with its offset, such as 2026-01-01T08:00:00Z")
        try:
            moment = datetime.fromisoformat(value.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            raise ValidationError("names no instant of the calendar") from None
        if moment.year < 1970:
            raise ValidationError("lies before 1970: the sender's clock was not set")
        return instant_text(moment)

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date-time"}


class DecimalText(fields.Field[str]):
    """A decimal number of at most 18 digits before and 9 behind the point, as a plain string.

    A JSON number is read by its text; a binary float is refused, because its digits are no longer the sender's.
    """

    default_error_messages = ERROR_TEXTS

    def __init__(self, *, sign: Sign = "signed", **options: Any) -> None:
        super().__init__(**options)
        self.sign = sign

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> str:
        return decimal_text(value, self.sign)

    def json_schema(self) -> dict[str, Any]:
        pattern = _PLAIN_DECIMAL.get(self.sign, r"^-?[0-9]+(\.[0-9]+)?$")
        return {"type": ["string", "number"], "pattern": pattern}


class Flag(fields.Field[bool]):
    """True or false, and no other spelling of them."""

    default_error_messages = ERROR_TEXTS

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> bool:
        if type(value) is not bool:
            raise ValidationError("must be true or false")
        return value

    def json_schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


class Amount(fields.Field[dict[str, str]]):
    """A quantity: ``{"value": "12.5", "uom": "EA"}`` and nothing else."""

    default_error_messages = ERROR_TEXTS

    def __init__(self, *, sign: Sign = "positive", **options: Any) -> None:
        super().__init__(**options)
        self.sign = sign

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any
    ) -> dict[str, str]:
        if not isinstance(value, Mapping):
            raise ValidationError('must be an object such as {"value": "12.5", "uom": "EA"}')
        amount: dict[str, str] = {}
        faults = {str(name): ["is unknown here"] for name in value if name not in ("value", "uom")}
        for name, read in (("value", self._read_value), ("uom", _UOM.deserialize)):
            try:
                amount[name] = read(value.get(name, missing))
            except ValidationError as error:
                faults[name] = [str(message) for message in error.messages]
        if faults:
            raise ValidationError(faults)
        return amount

    def quick_reader(self) -> Reader:
        """For ``quick_load``: an amount whose two members are right, without looking for what might be wrong."""
        sign, read_uom, otherwise = self.sign, _UOM.quick_reader(), self._deserialize

        def read(value: Any, name: str | None, within: Any) -> dict[str, str]:
            if type(value) is dict and len(value) == 2 and "value" in value and value.get("uom") is not None:
                return {"value": decimal_text(value["value"], sign), "uom": read_uom(value["uom"], "uom", value)}
            return otherwise(value, name, within)

        return read

    def _read_value(self, value: Any) -> str:
        if value is missing:
            raise ValidationError(_MISSING)
        return decimal_text(value, self.sign)

    def json_schema(self) -> dict[str, Any]:
        return {
            "type": "object",
            "required": ["value", "uom"],
            "additionalProperties": False,
            "properties": {"value": DecimalText(sign=self.sign).json_schema(), "uom": _UOM.json_schema()},
        }


class BoundedList(fields.List[Any]):
    """A list that is refused by its length before any of its members is read."""

    default_error_messages = ERROR_TEXTS

    def __init__(self, member: fields.Field[Any], *, low: int = 0, high: int = LIST_BOUND, **options: Any) -> None:
        super().__init__(member, **options)
        self.low = low
        self.high = high

    @property
    def lengths(self) -> range:
        """How many members it may have."""
        return range(self.low, self.high + 1)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> list[Any]:
        if not isinstance(value, list):
            raise ValidationError("must be a list")
        if not self.low <= len(value) <= self.high:
            raise ValidationError(f"must have {self.low} to {self.high} members, has {len(value)}")
        return super()._deserialize(value, attr, data, **options)


_UOM = Code(max_length=UOM_LENGTH, required=True)


def instant_text(moment: datetime) -> str:
    """RFC 3339 in UTC; the fraction only where there is one."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def decimal_text(value: Any, sign: Sign = "signed") -> str:
    """The normalised text of a decimal; raises ValidationError with the mend."""
    if type(value) is str and _NORMAL.fullmatch(value):
        return value
    number = _decimal(value)
    if number == 0:
        number = Decimal(0)
    if number < 0 and sign != "signed":
        raise ValidationError("must not be negative")
    if number == 0 and sign == "positive":
        raise ValidationError("must be more than zero")
    if number.adjusted() >= INTEGER_DIGITS:
        raise ValidationError(_TOO_LARGE)
    text = plain(number) if number.adjusted() >= -FRACTION_DIGITS else ""
    if not text or len(text.partition(".")[2]) > FRACTION_DIGITS:
        raise ValidationError(f"must have at most {FRACTION_DIGITS} digits behind the point")
    return text


def _decimal(value: Any) -> Decimal:
    if type(value) is int:
        if abs(value) >= 10**INTEGER_DIGITS:
            raise ValidationError(_TOO_LARGE)
        return Decimal(value)
    if type(value) is Decimal and value.is_finite():
        return value
    if type(value) is float:
        raise ValidationError("is a binary float; send the decimal as a string")
    if type(value) is not str or not _DECIMAL.fullmatch(value):
        raise ValidationError('must be a finite decimal number such as "12.5"')
    try:
        return Decimal(value)
    except InvalidOperation:
        raise ValidationError('must be a finite decimal number such as "12.5"') from None
