"""A payload without what it tells of people, orders and suppliers, that still goes the same way through its mapping.

Every value is replaced by another of the same length and the same kinds of characters, the same value by the same one.
A replacement is kept only where the mapping does the same with it: the same events with the same amounts and times, or
the same refusal. So a code that the mapping decides by stays, and nobody has to list such codes.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from xml.sax.saxutils import escape, unescape

from app.mapping_changes.comparison import Outcome
from app.mapping_changes.event_differences import leaves
from app.mapping_changes.trying import Fault
from mappings.formats import xml_body

Kind = Literal["json", "xml", "other"]
Run = Callable[[str], Outcome]

VALUES_MOST = 2_000
# Shorter texts and smaller numbers are flags, units and counts, and tell nobody.
SHORTEST = 2
SMALLEST_NUMBER_DIGITS = 5
_MUST_STAY = {
    *("value", "uom", "base_uom", "event_time", "record_time", "start", "end", "need_by"),
    *("stock_status", "status", "final", "site", "firmness", "type"),
}
_TIME = re.compile(
    r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?|\d\d?[./]\d\d?[./]\d{4}.*|\d\d:\d\d(:\d\d)?"
    r"|(19|20)\d\d(0[1-9]|1[0-2])([0-2]\d|3[01])(\d{4,6})?"
)
_DECIMAL = re.compile(r"-?\d+[.,]\d+")
_JSON = re.compile(rf'("(?:[^"\\]|\\.)*")(\s*:)?|(?<![\w.+-])(\d{{{SMALLEST_NUMBER_DIGITS},}})(?![\w.])')
_XML = re.compile(r"<!--.*?-->|<\?.*?\?>|<!\[CDATA\[.*?\]\]>|<[^>]*>|[^<]+", re.DOTALL)
_DECLARED = re.compile(r"""(<\?xml[^>]{0,200}?encoding\s*=\s*["'])[A-Za-z0-9._-]+""")
_ATTRIBUTE = re.compile(r"""(\s(?!xmlns|xsi:)[\w:.-]+\s*=\s*)("[^"]*"|'[^']*')""")
_WORD = re.compile(r"[^\W_]{2,}(?:[-_/][^\W_]+)*")
_CHECKED_LENGTHS = (8, 12, 13, 14, 18)


class TooLarge(Exception):
    """There are more different values than can be tried."""


@dataclass(frozen=True)
class Masked:
    """``kept``: the values that stayed because the mapping does something else without them."""

    text: str
    outcome: Outcome
    kept: tuple[str, ...]


@dataclass(frozen=True)
class _Piece:
    """A value where it stands in the text, and how it is written there."""

    start: int
    end: int
    value: str
    write: Callable[[str], str]


def mask(text: str, kind: Kind, run: Run, stays: Callable[[str], bool], salt: bytes) -> Masked:
    """``stays`` says of a value that it tells nothing. The salt makes the replacements others each time, so that a
    number of few digits cannot be found by trying. Raises TooLarge."""
    pieces = list(_PIECES[kind](text))
    before = run(text)
    wanted = sorted({piece.value for piece in pieces if _tells(piece.value) and not stays(piece.value)})
    if len(wanted) > VALUES_MOST:
        raise TooLarge(f"The payload holds {len(wanted):,} different values, more than {VALUES_MOST:,}.")
    all_masked = {value: replacement(value, salt) for value in wanted}
    chosen = all_masked if _goes_the_same_way(before, run(_written(text, pieces, all_masked))) else {}
    if not chosen:
        for value in wanted:
            trial = {**chosen, value: all_masked[value]}
            if _goes_the_same_way(before, run(_written(text, pieces, trial))):
                chosen = trial
    masked = _written(text, pieces, chosen)
    return Masked(masked, run(masked), tuple(value for value in wanted if value not in chosen))


def _tells(value: str) -> bool:
    bare = value.strip()
    return len(bare) >= SHORTEST and not _TIME.fullmatch(bare) and not _DECIMAL.fullmatch(bare)


def _written(text: str, pieces: Sequence[_Piece], chosen: Mapping[str, str]) -> str:
    parts: list[str] = []
    behind = 0
    for piece in pieces:
        if piece.value in chosen:
            parts += [text[behind : piece.start], piece.write(chosen[piece.value])]
            behind = piece.end
    return "".join([*parts, text[behind:]])


def _goes_the_same_way(before: Outcome, after: Outcome) -> bool:
    if isinstance(before, Fault) or isinstance(after, Fault):
        return isinstance(before, Fault) and isinstance(after, Fault) and _path(before) == _path(after)
    old, new = dict(leaves(list(before))), dict(leaves(list(after)))
    return old.keys() == new.keys() and all(
        old[path] == new[path] or (isinstance(old[path], str) and path.rpartition(".")[2] not in _MUST_STAY)
        for path in old
    )


def _path(fault: Fault) -> tuple[str, str | None]:
    return fault.code, fault.field


def replacement(value: str, salt: bytes) -> str:
    """Digits for digits, letters for letters of the same case, all else as it is; zeros that pad a number stay. A valid
    check digit of GS1 (GTIN, SSCC) is one again."""
    bare = value.strip()
    core = bare.lstrip("0")
    stream = hashlib.shake_256(salt + core.encode()).digest(len(core))
    signs = [
        _other(sign, number, first=not place) for place, (sign, number) in enumerate(zip(core, stream, strict=True))
    ]
    masked = bare[: len(bare) - len(core)] + "".join(signs)
    if _has_check_digit(bare):
        masked = masked[:-1] + check_digit(masked[:-1])
    return value.replace(bare, masked, 1) if bare else value


def _has_check_digit(text: str) -> bool:
    is_number = text.isascii() and text.isdigit() and len(text) in _CHECKED_LENGTHS
    return is_number and check_digit(text[:-1]) == text[-1]


def _other(sign: str, number: int, *, first: bool) -> str:
    if sign.isdigit():
        return str(1 + number % 9) if first else str(number % 10)
    if sign.isalpha():
        letter = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[number % 26]
        return letter if sign.isupper() else letter.lower()
    return sign


def check_digit(digits: str) -> str:
    """GS1 General Specifications, section 7.9: from the right, weights 3 and 1 in turn, filled up to ten."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def xml_as_text(body: bytes) -> str:
    """XML in any encoding as text that may be written as UTF-8: its declaration says so too. Raises MappingError,
    UnicodeDecodeError."""
    encoding, mark = xml_body.encoding_of(body)
    return _DECLARED.sub(r"\1UTF-8", body[mark:].decode(encoding), count=1)


def _json_pieces(text: str) -> Iterator[_Piece]:
    """Texts that are no keys, and long whole numbers; found also in a body that is no JSON."""
    for found in _JSON.finditer(text):
        if found[3]:
            yield _Piece(found.start(), found.end(), found[3], str)
        elif found[2] is None:
            try:
                value = json.loads(found[1])
            except ValueError:
                continue
            yield _Piece(found.start(1), found.end(1), value, lambda new: json.dumps(new, ensure_ascii=False))


def _xml_pieces(text: str) -> Iterator[_Piece]:
    for found in _XML.finditer(text):
        part, start = found[0], found.start()
        if part.startswith("<!--"):
            yield _Piece(start + 4, found.end() - 3, part[4:-3], str)
        elif part.startswith("<![CDATA["):
            yield _Piece(start + 9, found.end() - 3, part[9:-3], str)
        elif not part.startswith("<"):
            bare = part.strip()
            if bare:
                first = start + part.index(bare)
                yield _Piece(first, first + len(bare), unescape(bare), escape)
        elif not part.startswith(("<?", "</")):
            for value in _ATTRIBUTE.finditer(part):
                first, quoted = start + value.start(2) + 1, value[2][1:-1]
                yield _Piece(first, first + len(quoted), unescape(quoted), lambda new: escape(new, {'"': "&quot;"}))


def _words(text: str) -> Iterator[_Piece]:
    return (_Piece(found.start(), found.end(), found[0], str) for found in _WORD.finditer(text))


_PIECES: Mapping[Kind, Callable[[str], Iterator[_Piece]]] = {"json": _json_pieces, "xml": _xml_pieces, "other": _words}
