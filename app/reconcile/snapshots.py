"""Take a snapshot of what a system says that it has: read from it, or from a file that it wrote."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import Any, TextIO

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.adapters.base import Adapter
from app.reconcile.compare import Balance
from app.store.reconcile_tables import Snapshot, SnapshotRow

COLUMNS = ("plant", "item", "quantity", "uom")
MORE_COLUMNS = ("storage", "lot")
ROWS_MOST = 1_000_000
CODE_MOST = 80
CHUNK = 1_000
_DIGITS = 21


class SnapshotUnreadable(Exception):
    """The balances cannot be used; the text names the row and the mend."""


def read_balances(adapter: Adapter) -> Iterator[Balance]:
    """What the system itself says. Raises as the adapter does, and SnapshotUnreadable."""
    for number, row in enumerate(islice(adapter.read("balances"), ROWS_MOST + 1), start=1):
        amount = row.get("quantity") or {}
        flat = {**row, "quantity": amount.get("value"), "uom": amount.get("uom")}
        yield _balance(flat, f"balance {number}")


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
            yield _balance(dict(zip(names, row, strict=True)), f"line {number}")
    except csv.Error as error:
        raise SnapshotUnreadable(f"line {reader.line_num + 1}: {error}.") from None


def _balance(row: Mapping[str, Any], place: str) -> Balance:
    codes = {}
    for name in ("plant", "item", "uom", "storage", "lot"):
        code = str(row.get(name) or "").strip()
        longest = 16 if name == "uom" else CODE_MOST
        if len(code) > longest or not code.isprintable() or (not code and name in COLUMNS):
            raise SnapshotUnreadable(f"{place}: {name} must have 1 to {longest} printable characters.")
        codes[name] = code
    try:
        value = Decimal(str(row.get("quantity")).strip())
    except InvalidOperation:
        raise SnapshotUnreadable(f"{place}: quantity must be a decimal number such as -12.5.") from None
    if not value.is_finite() or value.adjusted() >= _DIGITS or -int(value.as_tuple().exponent) > 9:
        raise SnapshotUnreadable(
            f"{place}: quantity must have at most {_DIGITS} digits before the point and 9 after it."
        )
    return Balance(codes["plant"], codes["item"], codes["storage"], codes["lot"], value, codes["uom"])


def save_snapshot(
    session: Session, system: str, taken_at: datetime, origin: str, actor: str, balances: Iterable[Balance]
) -> int:
    """Keep these balances; returns the snapshot's id. Raises SnapshotUnreadable where there are too many."""
    snapshot = Snapshot(system=system, taken_at=taken_at, origin=origin, actor=actor[:120], rows=0)
    session.add(snapshot)
    session.flush()
    rows = iter(balances)
    while chunk := list(islice(rows, CHUNK)):
        if snapshot.rows + len(chunk) > ROWS_MOST:
            raise SnapshotUnreadable(f"There are more than {ROWS_MOST:,} balances.")
        numbered = enumerate(chunk, start=snapshot.rows + 1)
        values = [{"snapshot_id": snapshot.id, "number": number, **_columns(row)} for number, row in numbered]
        session.connection().execute(insert(SnapshotRow), values)
        snapshot.rows += len(chunk)
    session.flush()
    return snapshot.id


def _columns(row: Balance) -> dict[str, Any]:
    amount = {"quantity": row.value, "uom": row.uom}
    return {"plant": row.plant, "item": row.item, "storage": row.storage, "lot": row.lot, **amount}


def load_balances(session: Session, snapshot_id: int) -> Sequence[Balance]:
    query = select(SnapshotRow).where(SnapshotRow.snapshot_id == snapshot_id).order_by(SnapshotRow.number)
    return [
        Balance(row.plant, row.item, row.storage, row.lot, row.quantity, row.uom)
        for row in session.scalars(query.execution_options(yield_per=CHUNK))
    ]
