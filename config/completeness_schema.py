"""What the topology may say about the completeness of a source, and about the shifts of a plant."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import time
from typing import Any

from marshmallow import ValidationError, validates_schema

from config.completeness import DAYS
from config.strict_schema import Block, Checked, Choice, Many, Number, Problem, StrictSchema, Text, fail

NUMBER_MOST = 10**15


class ClockTime(Text):
    """A time of the plant's clock, to the minute."""

    kind = "time such as 06:00"

    def check(self, value: Any) -> Any:
        if not isinstance(value, str):
            raise fail("this is no time of the clock", 'write hours and minutes in quotes, such as "06:00"')
        if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", value):
            raise fail(f"{value[:20]!r} is no time of the clock", 'write it as "06:00"; midnight is "00:00"')
        return time.fromisoformat(value)


class Place(Checked):
    """``[first column, width]`` on a fixed-width line."""

    def check(self, value: Any) -> tuple[int, int]:
        good = isinstance(value, list) and len(value) == 2 and all(type(number) is int for number in value)
        if not good or not all(1 <= number <= 10_000 for number in value):
            raise fail("this is no [first column, width]", "write for example [4, 10]")
        return value[0], value[1]


class NamePattern(Text):
    """A regular expression over a whole file name, with a ``group`` by which something is read from it."""

    group: str
    where: str

    def check(self, value: Any) -> str:
        pattern = super().check(value)
        try:
            groups = re.compile(pattern).groupindex
        except re.error as error:
            raise fail(f"this is no regular expression ({error})", self.mend) from None
        if self.group not in groups:
            raise fail(f"it has no group `{self.group}`", self.where)
        return pattern


class NumberPattern(NamePattern):
    kind = "regular expression such as 'CONF(?P<number>[0-9]+)\\.csv'"
    group, where = "number", "write (?P<number>[0-9]+) where the number stands"


class ShiftSchema(StrictSchema):
    days = Many(Choice(*DAYS), at_least=1, mend="list days: [mon, tue, wed, thu, fri]; without the key every day")
    begins = ClockTime(data_key="from", required=True, mend='say when it begins: "06:00"')
    ends = ClockTime(data_key="to", required=True, mend='say when it ends: "14:00"')

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def last_some_time(self, data: Mapping[str, Any], original: Mapping[str, Any], **_: Any) -> None:
        if original.get("from") is not None and original.get("from") == original.get("to") != "00:00":
            raise ValidationError(
                {"to": [Problem("the shift ends when it begins", "for a whole day write 00:00 twice")]}
            )


class CountingSchema(StrictSchema):
    start = Number(0, NUMBER_MOST, whole=True)
    wrap_at = Number(1, NUMBER_MOST, whole=True)
    largest_gap = Number(1, 1_000_000, whole=True)

    @validates_schema(skip_on_field_errors=True)
    def wrap_beyond_the_gap(self, data: Mapping[str, Any], **_: Any) -> None:
        """What is near the end of one round must not be near its begin as well."""
        wrap_at, start = data.get("wrap_at"), data.get("start", 1)
        if wrap_at is None:
            return
        if wrap_at <= start:
            raise ValidationError(
                {"wrap_at": [Problem("it is not beyond `start`", "give the highest number there is")]}
            )
        if wrap_at - start + 1 < 2 * data.get("largest_gap", 1_000):
            mend = f"set `largest_gap: {(wrap_at - start + 1) // 2 or 1}` or less"
            raise ValidationError({"wrap_at": [Problem("half a round is less than `largest_gap`", mend)]})


class SequenceSchema(CountingSchema):
    per = Choice("plant", "source")
    field = Text(r"[^.\s]+(\.[^.\s]+)*", mend="give the keys to it, parted by dots: head.number")


class HeartbeatSchema(StrictSchema):
    every_minutes = Number(1, 10_080, required=True)


class CompletenessSchema(StrictSchema):
    grace_seconds = Number(0, 86_400)
    sequence = Block(SequenceSchema)
    heartbeat = Block(HeartbeatSchema)


class FileNumberSchema(CountingSchema):
    """The places are checked against the format by the file's own schema."""

    name = NumberPattern()
    header = Place()
    trailer = Checked()

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def stand_in_one_place(self, data: Mapping[str, Any], original: Mapping[str, Any], **_: Any) -> None:
        if sum(key in original for key in ("name", "header", "trailer")) != 1:
            raise ValidationError(
                [Problem("it says not, or twice, where the number stands", "give one of name, header, trailer")]
            )
