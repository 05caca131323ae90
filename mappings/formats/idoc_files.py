"""Files of IDocs: each IDoc becomes a message of its own, known by its client and number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from io import BytesIO
from itertools import islice
from typing import Any, BinaryIO

from lxml import etree

from mappings.context import MappingError
from mappings.formats import xml_body
from mappings.formats.documents import MAX_DOCUMENT_BYTES, Document
from mappings.formats.idoc import CONTROL, idoc_elements, local_name
from mappings.formats.idoc_records import CONTROL_COLUMNS, columns, cut
from mappings.formats.lines import BadRow, FileFault, Line, bad_row, read_lines

_FLAT, _XML = "text/plain", "application/xml"
_CONTROL = columns(CONTROL_COLUMNS)
_PEEK_BYTES = 64


def open_idocs(stream: BinaryIO, options: Mapping[str, Any], skip: int = 0) -> Iterator[Document | BadRow]:
    """The IDocs of a file in its order; the first ``skip`` of them are passed over.

    A flat file is cut at its control records, a line at a time, so that memory is bounded by one IDoc of
    ``MAX_DOCUMENT_BYTES``. A file of XML has at most as many bytes as a whole. Raises FileFault where the file is empty
    or, as XML, larger.
    """
    start = stream.read(_PEEK_BYTES)
    if not start.strip(b"\xef\xbb\xbf \t\r\n\x1a"):
        raise FileFault("document_empty", "the file is empty; write it anew.")
    whole = _Rejoined(start, stream)
    is_xml = start.lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n")[:1] == b"<"
    return islice(_of_xml(whole) if is_xml else _of_lines(whole), skip, None)


class _Rejoined:
    """The stream with what was read of it to see what it is."""

    def __init__(self, start: bytes, rest: BinaryIO) -> None:
        self._start, self._rest = BytesIO(start), rest

    def read(self, size: int) -> bytes:
        return self._start.read(size) or self._rest.read(size)


def _of_lines(stream: Any) -> Iterator[Document | BadRow]:
    number, lines, size = 0, list[Line](), 0
    for line in read_lines(stream):
        if not line.data.strip(b" \t\x1a"):
            continue
        if line.data.startswith(b"EDI_DC") and lines:
            number += 1
            yield _piece(number, lines, size)
            lines, size = [], 0
        size += len(line.data) + 1
        # What is past the bound is counted and not kept; its first record says where it began.
        if size <= MAX_DOCUMENT_BYTES or not lines:
            lines.append(line)
    if lines:
        yield _piece(number + 1, lines, size)


def _piece(number: int, lines: list[Line], size: int) -> Document | BadRow:
    first = lines[0]
    if size > MAX_DOCUMENT_BYTES:
        return bad_row(first, f"the IDoc has more than {MAX_DOCUMENT_BYTES:,} bytes; send it in parts.")
    for line in lines:
        if line.too_long:
            return bad_row(first, f"line {line.number} is longer than any record of an IDoc; is a line end missing?")
    if not first.data.startswith(b"EDI_DC"):
        return bad_row(first, f"there is no control record {CONTROL} before this line; send the IDoc whole.")
    # A last record without a line end may be cut off; its reading tells.
    body = b"\n".join(line.data for line in lines) + (b"\n" if lines[-1].ended else b"")
    control = cut(first.data.decode("latin-1"), _CONTROL)
    return Document(number, body, _FLAT, _own_id(control), control.get("MESTYP"))


def _of_xml(stream: Any) -> Iterator[Document | BadRow]:
    body = b""
    while len(body) <= MAX_DOCUMENT_BYTES and (chunk := stream.read(MAX_DOCUMENT_BYTES + 1 - len(body))):
        body += chunk
    if len(body) > MAX_DOCUMENT_BYTES:
        raise FileFault("document_too_large", f"XML has at most {MAX_DOCUMENT_BYTES:,} bytes; send it in parts.")
    try:
        root = xml_body.read(body)
    except MappingError:
        # It is kept as one message, whose reading tells what is wrong and where.
        yield Document(1, body, _XML)
        return
    idocs = idoc_elements(root)
    for number, idoc in enumerate(idocs or [root], start=1):
        control = _control_of(idoc)
        whole = body if len(idocs) < 2 else _alone(root, idoc)
        yield Document(number, whole, _XML, _own_id(control), control.get("MESTYP"))


def _alone(root: etree._Element, idoc: etree._Element) -> bytes:
    name = local_name(root).encode()
    return b"<" + name + b">" + etree.tostring(idoc, encoding="utf-8", with_tail=False) + b"</" + name + b">"


def _control_of(idoc: etree._Element) -> dict[str, str]:
    record = next((child for child in idoc if isinstance(child.tag, str) and local_name(child) == CONTROL), None)
    return {local_name(field): (field.text or "").strip() for field in record} if record is not None else {}


def _own_id(control: Mapping[str, str]) -> str | None:
    """Client and number; None where the IDoc has no number yet, as those that were not written by SAP."""
    number = control.get("DOCNUM", "")
    if not number.strip("0") or not number.isprintable():
        return None
    return f"{control.get('MANDT', '')}:{number}"
