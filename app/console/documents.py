"""Payloads and documents as a person reads them: laid out, escaped by the page, bounded."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lxml import etree

from mappings.context import MappingError
from mappings.formats import json_body, xml_body

SHOWN_BYTES = 64_000
_NUMBER = re.compile(r'"\\u0001(-?[0-9.eE+-]+)"')


@dataclass(frozen=True)
class Shown:
    """``note`` says what is not shown as it came: cut, laid out anew, or not text at all."""

    text: str
    note: str = ""


def show_payload(body: bytes, size_bytes: int) -> Shown:
    """The payload laid out where it is whole JSON or XML, else as it came."""
    if b"\0" in body:
        return Shown("", f"Binary, {size_bytes:,} bytes; download it to look at it.")
    if size_bytes > len(body):
        return Shown(
            _decoded(body, cut=True), f"The first {len(body):,} of {size_bytes:,} bytes; download it for the rest."
        )
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    try:
        if start in (b"{", b"["):
            return Shown(lay_out(json_body.read(body)), "Laid out; the download has every byte as it came.")
        if start == b"<" and body.count(b"\n") < 3:
            return Shown(_lay_out_xml(body), "Laid out; the download has every byte as it came.")
    except MappingError as error:
        return Shown(_decoded(body), error.reason)
    return Shown(_decoded(body))


def lay_out(value: Any) -> str:
    """JSON on indented lines, its numbers with the digits they came with."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=_mark_number)
    return _NUMBER.sub(r"\1", text)


def _mark_number(value: Any) -> str:
    if not isinstance(value, Decimal):
        raise TypeError(f"{type(value).__name__} is no part of a document")
    return f"\1{value}"


def _lay_out_xml(body: bytes) -> str:
    root = xml_body.read(body)
    etree.indent(root)
    return etree.tostring(root, encoding="unicode")


def _decoded(body: bytes, *, cut: bool = False) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if cut and error.start >= len(body) - 3:  # the cut went through a character
            return body[: error.start].decode("utf-8-sig")
        return body.decode("latin-1")
