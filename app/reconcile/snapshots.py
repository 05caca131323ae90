"""Take a snapshot of what a system says that it has: read from it, or from a file that it wrote."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import islice
from typing import TextIO

from app.adapters.base import Adapter
from app.store.snapshots import COLUMNS, MORE_COLUMNS, ROWS_MOST, Balance, SnapshotUnreadable, balance_of
from app.store.snapshots import save_snapshot as save_snapshot


def read_balances(adapter: Adapter) -> Iterator[Balance]:
    """What the system itself says. Raises as the adapter does, and SnapshotUnreadable."""
    for number, row in enumerate(islice(adapter.read("balances"), ROWS_MOST + 1), start=1):
        amount = row.get("quantity") or {}
        flat = {**row, "quantity": amount.get("value"), "uom": amount.get("uom")}
        yield balance_of(flat, f"balance {number}")


def balances_of_file(stream: TextIO) -> Iterator[Balance]:
    """Rows of a CSV file with a header: plant, item, quantity, uom and, where they are told apart, storage and lot.
    Parted by the delimiter that the header uses: a comma, a semicolon or a tab."""
    header = stream.readline()
    delimiter = next((one for one in (";", "\t") if one in header), ",")
    names = [name.strip().strip('"').lower() for name in header.lstrip("\ufeff").rstrip("\r\n").split(delimiter)]
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        told = f"line 1: the header lacks {', '.join(missing)}"
        raise SnapshotUnreadable(f"{told}; it must name {', '.join(COLUMNS)}, and may name {', '.join(MORE_COLUMNS)}.")
    reader = csv.reader(stream, delimiter=delimiter, strict=True)
    try:
        for number, row in enumerate(reader, start=2):
            if not row:
                continue
            if len(row) != len(names):
                raise SnapshotUnreadable(f"line {number}: {len(row)} fields, and the header names {len(names)}.")
            yield balance_of(dict(zip(names, row, strict=True)), f"line {number}")
    except csv.Error as error:
        raise SnapshotUnreadable(f"line {reader.line_num + 1}: {error}.") from None
