"""What the topology may say about comparing a system's balances by itself, and about files that hold balances."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, validates_schema

from config.completeness_schema import ClockTime, NamePattern
from config.strict_schema import Choice, Many, Number, Problem, StrictSchema, Text

BALANCES = "balances"
"""The type of a file whose rows are balances, and no messages."""
COLUMNS = ("item", "quantity", "uom")
LEVELS = ("item", "storage", "lot")


class ReconcileSchema(StrictSchema):
    every_minutes = Number(5, 44_640)
    at = Many(ClockTime(), at_least=1, mend='list times of the clock: ["05:30"]')
    plant = Text(mend="name the plant by whose clock `at` is")
    level = Choice(*LEVELS)
    against = Text(mend="name another target")
    keep = Number(1, 10_000, whole=True)

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def say_when(self, data: Mapping[str, Any], original: Mapping[str, Any], **_: Any) -> None:
        if ("every_minutes" in original) == ("at" in original):
            mend = 'give `every_minutes: 60`, or `at: ["05:30"]` with a plant'
            raise ValidationError([Problem("it says not, or twice, when the balances are compared", mend)])
        if ("at" in original) != ("plant" in original):
            raise ValidationError([Problem("`at` and `plant` go together", "name the plant by whose clock it is")])


class TimePattern(NamePattern):
    kind = "regular expression such as 'STOCK(?P<at>[0-9]{14})\\.csv'"
    group, where = "at", "write (?P<at>[0-9]{14}) where the time stands"


class BalancesSchema(StrictSchema):
    of = Text(mend="name the system whose balances they are")
    level = Choice(*LEVELS)
    decimal = Choice(".", ",")
    taken_at = TimePattern(mend="write where in the file name the time stands: 'STOCK(?P<at>[0-9]{14})\\.csv'")
    format = Text(max_characters=60, mend="write the time's form, such as %Y%m%d%H%M%S")


def check_balances_file(data: Mapping[str, Any]) -> None:
    """Raises ValidationError where a file of balances lacks what a balance needs."""
    if (data.get("type") == BALANCES) < ("balances" in data):
        raise ValidationError({"type": [Problem("a file with `balances` is of another type", "write type: balances")]})
    if data.get("type") != BALANCES:
        return
    if data.get("format") not in ("csv", "fixed_width"):
        raise ValidationError({"format": [Problem("balances are rows", "give csv or fixed_width")]})
    options = data.get("options", {})
    named = options.get("columns") or [line[0] for line in options.get("layout") or () if line]
    missing = [name for name in COLUMNS if name not in named]
    if missing:
        mend = "name the columns item, quantity and uom, and where they are told plant, storage and lot"
        raise ValidationError({"options": [Problem(f"no column is named {', '.join(missing)}", mend)]})
    if "trailer" in options and options["trailer"].get("when_wrong") == "take":
        problem = Problem("half a snapshot would be compared", "write refuse, or leave it out")
        raise ValidationError({"options": {"trailer": {"when_wrong": [problem]}}})
