"""The last line of a file that counts its rows and adds up its columns, held against what the file has."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from mappings.formats.lines import BadRow, FileFault, Line, Row, bad_row

_WITH_POINT = re.compile(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?|[0-9]*(\.[0-9]+)?", re.ASCII)
AMOUNT_CHARACTERS = 40

ReadPlace = Callable[[Any], str]
"""What stands at a place of the trailer's line: a column's number, or (first column, width)."""


@dataclass(frozen=True)
class Difference:
    """``what``: ``rows``, or a column that is added up. ``told`` is the trailer's word, ``found`` what the file has."""

    what: str
    told: str
    found: str


class TrailerFault(FileFault):
    """The file does not add up (``trailer_wrong``), or ends without its trailer (``trailer_missing``)."""

    def __init__(self, code: str, reason: str, differences: Sequence[Difference] = ()) -> None:
        super().__init__(code, reason)
        self.differences = tuple(differences)


def takes_all_the_same(options: Mapping[str, Any]) -> bool:
    """Whether the good rows of a file whose trailer is wrong or missing are taken."""
    trailer = options.get("trailer")
    return isinstance(trailer, Mapping) and trailer.get("when_wrong") == "take"


@dataclass
class Totals:
    """What the rows before the trailer come to; ``unreadable`` counts those that a sum had to leave out."""

    trailer: Mapping[str, Any]
    rows: int = 0
    unreadable: int = 0
    sums: dict[str, Decimal] = field(default_factory=dict)

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Totals | None:
        """None where the file's options describe no trailer."""
        trailer = options.get("trailer")
        if trailer is None:
            return None
        if not isinstance(trailer, Mapping) or not isinstance(trailer.get("marker"), str) or not trailer["marker"]:
            raise FileFault("options_invalid", "a trailer needs the marker that its line begins with, such as 'TRL'.")
        return cls(trailer, sums={str(each["column"]): Decimal(0) for each in trailer.get("sums", ())})

    @property
    def marker(self) -> str:
        return str(self.trailer["marker"])

    def add(self, row: Row | BadRow) -> None:
        self.rows += 1
        if not self.sums:
            return
        if isinstance(row, BadRow):
            self.unreadable += 1
            return
        for column in self.sums:
            amount = read_amount(row.values.get(column, ""), self._decimal)
            if amount is None:
                self.unreadable += 1
            else:
                self.sums[column] += amount

    def row_at_the_end(self, line: Line, row: Row | BadRow) -> Row | BadRow:
        """A row on a line without an end may be cut in a number; without a trailer behind it, it is not believed."""
        if line.ended or isinstance(row, BadRow) or not takes_all_the_same({"trailer": self.trailer}):
            return row
        return bad_row(
            line, "the file ends in this line, without a line end and without its trailer; it may be cut off."
        )

    def check(self, at: ReadPlace, count_place: Any) -> Iterator[Difference]:
        told = at(count_place)
        if not told.isascii() or not told.isdigit() or len(told) > 12 or int(told) != self.rows:
            yield Difference("rows", told[:20], str(self.rows))
        for each in self.trailer.get("sums", ()):
            told, found = at(each["at"]), self.sums[str(each["column"])]
            if not told or read_amount(told, self._decimal) != found:
                yield Difference(str(each["column"]), told[:AMOUNT_CHARACTERS], format(found, "f"))

    def wrong(self, differences: Sequence[Difference]) -> TrailerFault:
        told = [
            f"the trailer counts {each.told!r} rows, the file has {each.found}"
            if each.what == "rows"
            else f"the trailer says {each.told!r} for {each.what}, the rows add up to {each.found}"
            for each in differences
        ]
        left_out = f"; {self.unreadable} rows could not be added, as they cannot be read" if self.unreadable else ""
        return TrailerFault("trailer_wrong", "; ".join(told) + left_out + ".", differences)

    def missing(self) -> TrailerFault:
        reason = f"the file ends after {self.rows} rows without its trailer; is it half written?"
        return TrailerFault("trailer_missing", reason, [Difference("rows", "", str(self.rows))])

    def behind(self, rows: int, line_number: int) -> TrailerFault:
        where = f" in line {line_number}" if line_number else ""
        differences = [Difference("rows", str(self.rows), str(self.rows + rows))]
        return TrailerFault("trailer_wrong", f"there are rows behind the trailer{where}.", differences)

    @property
    def _decimal(self) -> str:
        return str(self.trailer.get("decimal", "."))


def read_amount(text: str, decimal: str) -> Decimal | None:
    """A number with its sign before or behind it, thousands parted or not; nothing is zero. None for anything else."""
    plain = text.strip()
    sign = -1 if plain[:1] == "-" or plain[-1:] == "-" else 1
    plain = plain.strip("+-").strip() if len(plain) <= AMOUNT_CHARACTERS else "?"
    if decimal == ",":
        plain = plain.translate({ord("."): ",", ord(","): "."})
    if not _WITH_POINT.fullmatch(plain):
        return None
    return sign * Decimal(plain.replace(",", "") or "0")
