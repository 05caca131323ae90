"""Packages by their SSCC, and the goods that are in them, in the order in which a ship notice names them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from mappings.context import InboundContext
from mappings.gs1 import check_digit
from mappings.inbound.payload import present, wrong

RANGE_MOST = 1_000
_APPLICATION_IDENTIFIER = "00"


def sscc_of(text: str) -> str | None:
    """The 18 digits of an SSCC, without the application identifier 00 before it; None where it is none."""
    digits = text.removeprefix("(00)")
    if len(digits) == 20 and digits.startswith(_APPLICATION_IDENTIFIER):
        digits = digits[2:]
    if len(digits) != 18 or not digits.isascii() or not digits.isdigit() or check_digit(digits[:17]) != int(digits[17]):
        return None
    return digits


def ssccs_in(first: str, last: str, context: InboundContext, place: str) -> list[str]:
    """One SSCC, or all from ``first`` to ``last``. What is none is passed over with a note, as its goods are known
    without it; a range that cannot be counted is refused."""
    begin = sscc_of(first)
    if begin is None:
        told = f"{first[:40]!r} is no SSCC of 18 digits with its check digit, and its goods are taken without a package"
        context.deviations.allow("sscc_invalid", told, place)
        return []
    if not last or last == first:
        return [begin]
    end = sscc_of(last)
    count = int(end[:17]) - int(begin[:17]) + 1 if end else 0
    if not 1 <= count <= RANGE_MOST:
        told = (
            f"{place} has a range of SSCCs from {first[:20]!r} to {last[:20]!r}, which is none of at most {RANGE_MOST}"
        )
        raise wrong("sscc_range_invalid", told, place)
    numbers = (f"{int(begin[:17]) + step:017d}" for step in range(count))
    return [number + str(check_digit(number)) for number in numbers]


@dataclass
class Load:
    """What a delivery holds, as it is told piece by piece."""

    context: InboundContext
    packages: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    lines: list[dict[str, Any]] = field(default_factory=list)

    def add_packages(self, ssccs: Sequence[str], place: str) -> None:
        """One that was named before stays one package, which is noted."""
        for sscc in ssccs:
            if sscc in self.packages:
                self.context.deviations.allow("sscc_repeated", f"SSCC {sscc} is named again", place)
            self.packages.setdefault(sscc, [])

    def add_line(self, line: dict[str, Any], ssccs: Sequence[str]) -> None:
        """Goods of one package, or of none: of several, nobody says how much of them is in each."""
        (self.packages[ssccs[0]] if len(ssccs) == 1 else self.lines).append(line)

    def told(self) -> dict[str, Any]:
        packages = [present(sscc=sscc, lines=lines) for sscc, lines in self.packages.items()]
        return present(packages=packages, lines=self.lines)
