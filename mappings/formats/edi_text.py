"""The text of an EDI body, whose sender often declares another encoding than it writes."""

from __future__ import annotations

import codecs

from mappings.context import Deviations, MappingError

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# Bytes that ISO 8859 leaves to control codes; in text they mean that it is in another encoding.
_CONTROLS = bytes(range(0x80, 0xA0))


def without_mark(body: bytes) -> bytes:
    """The body behind a UTF-8 byte order mark. Raises MappingError for UTF-16, in which no such standard is sent."""
    if body.startswith(_UTF_16) or body[:4].count(0) in (2, 3):
        told = "the body is in UTF-16; send it in the encoding that its first segment names."
        raise MappingError("encoding_invalid", told, "byte 0")
    return body.removeprefix(codecs.BOM_UTF8)


def decoded(body: bytes, declared: str, name: str, deviations: Deviations) -> str:
    """Text of a body without its mark. ``declared``: the codec that its standard says, by its ``name`` there.

    Bytes beyond ASCII that are sound UTF-8 are UTF-8, whatever was declared: no other text looks like it by chance.
    Where ASCII was declared, single bytes beyond it are ISO 8859-1. Both are noted. Raises MappingError with the byte.
    """
    if body.isascii():
        return body.decode("ascii")
    utf_8 = _as_utf_8(body)
    if utf_8 is not None:
        if declared != "utf-8":
            first = next(at for at, byte in enumerate(body) if byte > 127)
            deviations.allow("encoding_wrong", f"the body is declared as {name} and written in UTF-8", f"byte {first}")
        return utf_8
    codec = "iso8859-1" if declared == "ascii" else declared
    place = next((at for at, byte in enumerate(body) if byte in _CONTROLS), None)
    if codec == "utf-8" or (place is not None and codec.startswith("iso8859")):
        place = _first_fault(body) if codec == "utf-8" else place
        told = f"byte 0x{body[place or 0]:02x} is no text in {name}, which the body says it is in; send it in UTF-8."
        raise MappingError("encoding_invalid", told, f"byte {place}")
    if declared == "ascii":
        first = next(at for at, byte in enumerate(body) if byte > 127)
        told = f"the body is declared as {name}, which has no byte 0x{body[first]:02x}; it was read as ISO 8859-1"
        deviations.allow("encoding_wrong", told, f"byte {first}")
    return _strictly(body, codec, name)


def _as_utf_8(body: bytes) -> str | None:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _first_fault(body: bytes) -> int:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start
    return 0


def _strictly(body: bytes, codec: str, name: str) -> str:
    try:
        return body.decode(codec)
    except UnicodeDecodeError as error:
        told = f"byte 0x{body[error.start]:02x} is no character of {name}; send the body in UTF-8."
        raise MappingError("encoding_invalid", told, f"byte {error.start}") from None
