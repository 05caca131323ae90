"""Read a dropped file of balances: whole, or not at all."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.intake.context import Intake
from app.intake.rows_in import READERS, FileUnderWork
from app.store.reconcile_tables import Snapshot
from app.store.reconcile_turns import await_comparison
from app.store.snapshots import ROWS_MOST, Balance, SnapshotUnreadable, balance_of, save_snapshot
from config.reconciling import BalancesFile
from mappings.formats.lines import BadRow, FileFault, Row

ACTOR = "lineside"
CLOCKS_DIFFER = timedelta(minutes=5)
ROWS_NAMED = 5


@dataclass(frozen=True)
class DroppedBalances:
    """What a file says that a system had at ``taken_at``."""

    system: str
    taken_at: datetime
    balances: list[Balance]


def kind_is_balances(file: FileUnderWork) -> bool:
    return file.kind.balances is not None


def read_balances_file(intake: Intake, file: FileUnderWork) -> DroppedBalances:
    """Raises FileFault where the file, its time or any of its rows cannot be read: half a snapshot would make
    differences that are none."""
    said = file.kind.balances or BalancesFile()
    taken_at = cut_off_of(intake, file)
    if taken_at > intake.clock() + CLOCKS_DIFFER:
        told = f"its balances would be of {taken_at:%Y-%m-%d %H:%M} UTC, which is still to come"
        raise FileFault("cut_off_ahead", f"{told}; set the clock of the system that wrote it, or `balances.taken_at`.")
    balances: list[Balance] = []
    faults: list[str] = []
    with file.path.open("rb") as stream:
        rows = iter(READERS[file.kind.format](stream, file.kind.options, 0))
        for row in islice(rows, ROWS_MOST + 1):
            if isinstance(row, BadRow):
                faults.append(f"line {row.number}: {row.reason}")
            elif isinstance(row, Row):
                try:
                    balances.append(_balance(file, said, row))
                except SnapshotUnreadable as error:
                    faults.append(str(error))
    if len(balances) > ROWS_MOST:
        raise FileFault("too_many_balances", f"There are more than {ROWS_MOST:,} balances; drop them in several files.")
    if faults:
        more = f" and {len(faults) - ROWS_NAMED:,} more" if len(faults) > ROWS_NAMED else ""
        told = " ".join(faults[:ROWS_NAMED])
        raise FileFault("balance_unreadable", f"nothing of it was taken. {told}{more}")
    return DroppedBalances(_system(file), taken_at, balances)


def keep_balances(session: Session, file: FileUnderWork, dropped: DroppedBalances) -> int:
    """Keep them as a snapshot that is still to be compared, in the transaction that ends the file."""
    snapshot = save_snapshot(session, dropped.system, dropped.taken_at, file.path.name, ACTOR, dropped.balances)
    await_comparison(session, snapshot)
    return snapshot


def is_kept_already(intake: Intake, file: FileUnderWork) -> bool:
    """Whether a file of this content gave a snapshot of the same time: balances may be the same on two days."""
    try:
        taken_at = cut_off_of(intake, file)
    except FileFault:  # which is told when it is read
        return False
    query = select(Snapshot.id).where(
        Snapshot.system == _system(file), Snapshot.taken_at == taken_at, Snapshot.actor == ACTOR
    )
    with intake.store.reading() as session:
        return session.scalars(query.limit(1)).first() is not None


def cut_off_of(intake: Intake, file: FileUnderWork) -> datetime:
    """When the balances were taken: as the file's name says by the plant's clock, else when it was last written."""
    said = file.kind.balances or BalancesFile()
    if said.taken_at is None:
        return datetime.fromtimestamp(int(file.path.stat().st_mtime), UTC)
    found = re.fullmatch(said.taken_at, file.path.name)
    if found is None:
        raise FileFault("cut_off_missing", f"its name does not say when: it is not like {said.taken_at!r}.")
    try:
        read = datetime.strptime(found["at"], said.format)  # noqa: DTZ007 - by the plant's clock, below
    except ValueError:
        told = f"{found['at']!r} in its name is no time of the form {said.format!r}"
        raise FileFault("cut_off_missing", f"{told}; mend the name, or `balances.format`.") from None
    local = read if read.tzinfo is not None else read.replace(tzinfo=ZoneInfo(intake.zone_of(file.plant)))
    return local.astimezone(UTC)


def _system(file: FileUnderWork) -> str:
    said = file.kind.balances
    return (said.of if said is not None else None) or file.source.code


def _balance(file: FileUnderWork, said: BalancesFile, row: Row) -> Balance:
    """A row without a plant is of the source's; units are translated as in its messages."""
    values: dict[str, object] = {"plant": file.plant, **row.values}
    number = str(values.get("quantity", "")).strip()
    if said.decimal == ",":
        number = number.replace(".", "").replace(",", ".")
    if number.endswith("-"):  # as old systems write what is less than nothing
        number = f"-{number[:-1].strip()}"
    unit = str(values.get("uom", "")).strip()
    return balance_of({**values, "quantity": number, "uom": file.source.units.get(unit, unit)}, f"line {row.number}")
