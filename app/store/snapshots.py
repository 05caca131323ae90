"""Balances that a system told, kept as they were told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.store.reconcile_tables import Snapshot, SnapshotRow

COLUMNS = ("plant", "item", "quantity", "uom")
MORE_COLUMNS = ("storage", "lot")
ROWS_MOST = 1_000_000
CODE_MOST = 80
CHUNK = 1_000
_DIGITS = 21


@dataclass(frozen=True)
class Balance:
    """What a system says of one place, in its own unit; what it does not tell apart is empty."""

    plant: str
    item: str
    storage: str
    lot: str
    value: Decimal
    uom: str


class SnapshotUnreadable(Exception):
    """The balances cannot be used; the text names the row and the mend."""


def balance_of(row: Mapping[str, Any], place: str) -> Balance:
    """Of a row with these columns; ``place`` names it where it cannot be one. Raises SnapshotUnreadable."""
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
