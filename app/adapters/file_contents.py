"""What stands in a drop file: rows that are laid out here, or text that the mapping has written in full."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.adapters.base import Document
from app.adapters.file_rows import encoded, file_text, reversed_rows, rows_of
from app.errors import Refused

TEXT, REVERSAL_TEXT = "text", "reversal_text"


@dataclass(frozen=True)
class Contents:
    """A file's bytes, and how many rows they are; 1 for a text."""

    data: bytes
    rows: int = 1


def contents_of(document: Document, options: Mapping[str, Any]) -> Contents:
    """The file for a document; raises Refused naming what does not fit."""
    if options["format"] == "text":
        return Contents(encoded(_finished(document, TEXT), options))
    rows = rows_of(document, options)
    return Contents(file_text(rows, options), len(rows))


def contents_of_reversal(document: Document, options: Mapping[str, Any], original: str) -> Contents:
    """The file that undoes the one for this document, which was named ``original``."""
    if options["format"] == "text":
        if REVERSAL_TEXT not in document:
            reason = "its mapping writes no text that would undo the document; undo it there by hand, and say so here"
            raise Refused("reversal_not_possible", reason, REVERSAL_TEXT)
        return Contents(encoded(_finished(document, REVERSAL_TEXT), options))
    rows = reversed_rows(rows_of(document, options), options, original)
    return Contents(file_text(rows, options), len(rows))


def _finished(document: Document, key: str) -> str:
    text = document.get(key)
    if not isinstance(text, str) or not text:
        reason = f"the document has no text under {key!r}; its mapping is for another format than `format: text`"
        raise Refused("document_has_no_text", reason, key)
    return text
