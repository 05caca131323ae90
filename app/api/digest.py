"""Tell a repeat from a conflict: equal content, equal digest, however it is written."""

from __future__ import annotations

import decimal
import hashlib
import json
from decimal import Decimal
from typing import Any

_EXACT = decimal.Context(prec=decimal.MAX_PREC, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN)
_WHOLE_DIGITS = 40


def content_digest(event_type: str, plant: str, data: Any, raw: bytes) -> str:
    """SHA-256 over type, plant and the JSON value, its keys sorted and its numbers in their plain form; over the bytes
    themselves where ``data`` is None because they are not JSON."""
    digest = hashlib.sha256(f"{event_type}\0{plant}\0".encode())
    if data is None:
        digest.update(raw)
    else:
        text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_number)
        digest.update(text.encode())
    return digest.hexdigest()


def _number(value: Decimal) -> Any:
    """1.50 and 1.5 are equal, and 2.0 and 2; the text "1.5" is none of them."""
    if value == value.to_integral_value() and value.adjusted() < _WHOLE_DIGITS:
        return int(value)
    return {"\0number": str(_EXACT.normalize(value))}
