"""GS1 identifiers as EPCIS carries them: EPC URIs, class-level EPC patterns and GS1 Digital Link URIs.

Sources: GS1 EPC Tag Data Standard 2.1, section 6 (EPC URI) and 7.2 (GS1 keys behind them); GS1 Digital Link Standard,
URI Syntax 1.3, section 4 (keys and their qualifiers); GS1 General Specifications, section 7.9 (check digit).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, unquote, urlsplit

RESOLVER = "https://id.gs1.org"
URI_LENGTH = 500

_GTIN, _SSCC, _GLN, _PARTY = "01", "00", "414", "417"
_LENGTHS = {_GTIN: 14, _SSCC: 18, _GLN: 13, _PARTY: 13}
# What may follow each key in a Digital Link, by its meaning here; what has none is passed over.
_QUALIFIERS = {
    _GTIN: {"22": "", "10": "lot", "21": "serial", "235": "serial"},
    _SSCC: {},
    _GLN: {"254": "extension", "7040": ""},
    _PARTY: {"7040": ""},
}
# The words that Digital Link 1.0 and 1.1 allowed in place of the numbers.
_OLD_WORDS = {"gtin": _GTIN, "sscc": _SSCC, "gln": _GLN, "cpv": "22", "lot": "10", "ser": "21"}
_PARTS = re.compile(r"(\d{6,12})\.(\d{0,7})(?:\.(.+))?", re.ASCII)
# The most common link by far, which needs no splitting: an item, its lot, its serial number, nothing escaped.
_PLAIN_ITEM = re.compile(r"https?://[^/?#%]+/01/([0-9]{14})(?:/10/([^/?#%]+))?(?:/21/([^/?#%]+))?", re.ASCII)
_EPC = re.compile(r"urn:epc:(id:sgtin|idpat:sgtin|class:lgtin|id:sscc|id:sgln|id:pgln|tag:sgtin-\d+):(.*)", re.ASCII)


# Assets, documents and services: GRAI, GIAI, GDTI, GSRN and GSRNP, which no stock is kept of.
_ASSET = re.compile(
    r"urn:epc:id:(?:grai|giai|gdti|gsrnp?):.+|https?://[^?#]+/(?:8003|8004|253|8017|8018)/[^/?#]+.*", re.ASCII
)


class IdentifierFault(Exception):
    """An identifier of a known kind that cannot be right; the message is what is wrong with it."""


@dataclass(frozen=True)
class TradeItem:
    """A GTIN of 14 digits, of a lot or a serial number where the identifier says so. ``odd`` is what departs from the
    standard in the way it was written."""

    gtin: str
    lot: str | None = None
    serial: str | None = None
    odd: str | None = None


@dataclass(frozen=True)
class LogisticUnit:
    """A package by its SSCC of 18 digits."""

    sscc: str
    odd: str | None = None


@dataclass(frozen=True)
class Gln:
    """A place or a party by its GLN of 13 digits; ``extension`` names a place within it."""

    gln: str
    extension: str | None = None
    odd: str | None = None

    @property
    def code(self) -> str:
        return f"{self.gln}.{self.extension}" if self.extension else self.gln


Identifier = TradeItem | LogisticUnit | Gln


def identifier_of(uri: str) -> Identifier | None:
    """What the URI names; None where it is of no kind that is known here (an asset, a URI of the sender's own).

    Raises IdentifierFault where it is of a known kind and malformed.
    """
    if (plain := _PLAIN_ITEM.fullmatch(uri)) and has_right_digit(plain[1]):
        return TradeItem(plain[1], plain[2], plain[3])
    if found := _EPC.fullmatch(uri):
        return _epc(found[1], found[2])
    if uri[:8].lower().startswith(("http://", "https://")):
        return _digital_link(uri)
    return None


def is_asset(uri: str) -> bool:
    """Whether the URI names an asset, a document or a service, and so no goods."""
    return _ASSET.fullmatch(uri) is not None


@lru_cache(maxsize=4_096)
def check_digit(digits: str) -> str:
    """The digit that belongs behind these: weights 3 and 1 from the right. A body names few items many times over."""
    return str(-(3 * sum(map(int, digits[::-2])) + sum(map(int, digits[-2::-2]))) % 10)


def has_right_digit(digits: str) -> bool:
    return check_digit(digits[:-1]) == digits[-1]


def gtin_of(text: str) -> str | None:
    """A GTIN of 8, 12, 13 or 14 digits as one of 14; None where the text is none."""
    if len(text) not in (8, 12, 13, 14) or not (text.isascii() and text.isdigit()) or not has_right_digit(text):
        return None
    return text.zfill(14)


def trade_item_link(gtin: str, lot: str | None = None, serial: str | None = None) -> str:
    """The Digital Link of a class, or of one instance where a serial is given."""
    qualifiers = (f"/{key}/{quote(value, safe='')}" for key, value in (("10", lot), ("21", serial)) if value)
    return f"{RESOLVER}/{_GTIN}/{gtin}" + "".join(qualifiers)


def package_link(sscc: str) -> str:
    return f"{RESOLVER}/{_SSCC}/{sscc}"


def place_link(gln: str) -> str:
    return f"{RESOLVER}/{_GLN}/{gln}"


def _epc(scheme: str, text: str) -> Identifier:
    found = _PARTS.fullmatch(text.partition(".")[2] if scheme.startswith("tag:") else text)
    if scheme == "id:sscc":
        found = re.fullmatch(r"(\d{6,12})\.(\d{5,11})()", text, re.ASCII)
    if found is None:
        raise IdentifierFault("is no EPC of its scheme, which has a company prefix of 6 to 12 digits")
    prefix, reference, rest = found[1], found[2], unquote(found[3] or "")
    if scheme in ("id:sgln", "id:pgln"):
        extension = rest if rest not in ("", "0") else None
        return Gln(_key(prefix + reference, 12, "GLN"), extension)
    if not reference:
        raise IdentifierFault("has no item reference")
    digits = reference[0] + prefix + reference[1:]
    if scheme == "id:sscc":
        return LogisticUnit(_key(digits, 17, "SSCC"))
    gtin = _key(digits, 13, "GTIN")
    return _trade_item(scheme, gtin, rest)


def _trade_item(scheme: str, gtin: str, rest: str) -> TradeItem:
    if not rest:
        raise IdentifierFault("ends before its last part")
    if scheme == "class:lgtin":
        return TradeItem(gtin, lot=rest)
    if scheme == "idpat:sgtin":
        if rest != "*":
            raise IdentifierFault("is a pattern for something else than all serials of an item")
        return TradeItem(gtin)
    odd = "is a tag's URI, where an EPC's belongs" if scheme.startswith("tag:") else None
    return TradeItem(gtin, serial=rest, odd=odd)


def _key(digits: str, length: int, name: str) -> str:
    if len(digits) != length:
        raise IdentifierFault(f"has {len(digits)} digits where the {name} has {length} before its check digit")
    return digits + check_digit(digits)


def _digital_link(uri: str) -> Identifier | None:
    try:
        segments = [unquote(segment) for segment in urlsplit(uri).path.split("/")[1:]]
    except ValueError:
        raise IdentifierFault("is no web address") from None
    if segments and not segments[-1]:
        segments.pop()
    for start in range(len(segments) - 1):
        key = _OLD_WORDS.get(segments[start], segments[start])
        if key in _LENGTHS and re.fullmatch(r"\d{8,18}", segments[start + 1], re.ASCII):
            return _linked(key, segments[start:])
    return None


def _linked(key: str, segments: list[str]) -> Identifier:
    digits, length = segments[1], _LENGTHS[key]
    odd = None if segments[0] == key else "is written with words of Digital Link 1.0"
    if key == _GTIN and len(digits) in (8, 12, 13):
        digits, odd = digits.zfill(14), "has a GTIN that is not filled up to 14 digits"
    if len(digits) != length:
        raise IdentifierFault(f"has {len(digits)} digits where {length} belong")
    if not has_right_digit(digits):
        odd = f"has the wrong check digit; {check_digit(digits[:-1])} would be right"
        if key == _SSCC:
            raise IdentifierFault(odd)
    named = _qualifiers(key, segments[2:])
    if key == _GTIN:
        return TradeItem(digits, named.get("lot"), named.get("serial"), odd)
    return LogisticUnit(digits, odd) if key == _SSCC else Gln(digits, named.get("extension"), odd)


def _qualifiers(key: str, segments: list[str]) -> dict[str, str]:
    if len(segments) % 2:
        raise IdentifierFault(f"ends with {segments[-1][:40]!r}, which has no value")
    named: dict[str, str] = {}
    for name, value in zip(segments[::2], segments[1::2], strict=True):
        meaning = _QUALIFIERS[key].get(_OLD_WORDS.get(name, name))
        if meaning is None:
            raise IdentifierFault(f"has {name[:40]!r} behind its key, which says nothing there")
        if not value:
            raise IdentifierFault(f"has nothing behind {name}")
        if meaning and named.setdefault(meaning, value) != value:
            raise IdentifierFault(f"has more than one {meaning}")
    return named
