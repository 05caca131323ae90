"""What a file says at its end: whether it adds up, and which number it has in its source's count."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from app.business_exceptions.raising import Cause, close_exceptions, raise_exceptions, unresolved
from app.inbox.sightings import read_number
from app.intake.rows_in import FileUnderWork
from app.store.source_notes import Note, add_notes, file_series
from mappings.formats import file_number
from mappings.formats.lines import FileFault
from mappings.formats.trailer import TrailerFault

TOTAL_WRONG, CUT_OFF = "file_total_wrong", "file_cut_off"
RULES = (TOTAL_WRONG, CUT_OFF)


def tell_archived(session: Session, file: FileUnderWork, fault: TrailerFault | None, now: datetime) -> None:
    """The file stands in ``archive``: its number came, and it adds up or is told."""
    number = number_of(file)
    was_told = _judge(session, file, number, fault, now, "The rows that can be read were taken; the rest is missing.")
    if file.kind.file_number is not None:
        _note(session, file, number, now, once_more=was_told)


def tell_failed(session: Session, file: FileUnderWork, fault: FileFault, now: datetime) -> None:
    """The file stands in ``failed``. Its number has not come: it is missing until a file comes that can be read."""
    if isinstance(fault, TrailerFault):
        _judge(session, file, number_of(file), fault, now, "Nothing of it was taken.")


def tell_repeated(session: Session, file: FileUnderWork, now: datetime) -> None:
    """The same content came before, maybe under another number, which then is not missing."""
    if file.kind.file_number is not None:
        _note(session, file, number_of(file), now, once_more=True)


def number_of(file: FileUnderWork) -> int | None:
    where = file.kind.file_number
    if where is None:
        return None
    if where.name is not None:
        return read_number(file_number.in_name(file.path.name, where.name))
    with file.path.open("rb") as stream:
        if where.header is not None:
            encoding = str(file.kind.options.get("encoding", "utf-8"))
            return read_number(file_number.in_header(stream, where.header, encoding))
        return read_number(file_number.in_trailer(stream, file.kind.options, where.trailer))


def _note(session: Session, file: FileUnderWork, number: int | None, now: datetime, *, once_more: bool) -> None:
    place = (file.source.code, file.plant, file_series(file.kind.pattern))
    if number is not None:
        add_notes(session, [Note(*place, "again" if once_more else "seen", now, number, number)])
    elif not once_more:
        add_notes(session, [Note(*place, "unnumbered", now)])


def _judge(
    session: Session, file: FileUnderWork, number: int | None, fault: TrailerFault | None, now: datetime, taken: str
) -> bool:
    """Raise what is wrong with the file, and close what was wrong with an earlier one of the same number or name;
    whether there was such a one."""
    if "trailer" not in file.kind.options:
        return False
    named = file.path.name if number is None else f"number {number}"
    keys = {rule: f"{rule}:{file.source.code}:{file.kind.pattern}:{named}" for rule in RULES}
    earlier = unresolved(session, RULES, len(RULES), keys.values())
    raised = None if fault is None else (CUT_OFF if fault.code == "trailer_missing" else TOTAL_WRONG)
    over = [each.id for each in earlier if each.rule != raised]
    close_exceptions(session, over, f"{file.path.name} came for it at {now.isoformat(timespec='seconds')}.", now)
    if fault is not None and raised is not None:
        cause = _cause(file, number, fault, raised, keys[raised], taken)
        raise_exceptions(session, [cause], now, file.policy)
    return bool(earlier)


def _cause(file: FileUnderWork, number: int | None, fault: TrailerFault, rule: str, key: str, taken: str) -> Cause:
    rows = next((each for each in fault.differences if each.what == "rows"), None)
    missing = _missing_rows(rows.told, rows.found) if rows is not None else (None, None)
    told = f"{file.path.name}: {fault.reason} {taken} Ask {file.source.code} for the whole file."
    return Cause(
        rule=rule,
        key=key,
        subject=f"file {file.path.name}",
        severity="serious",
        message=told,
        source=file.source.code,
        plant=file.plant,
        missing_from=missing[0],
        missing_to=missing[1],
        object_type="file",
        object_id=file.path.name,
        detail={
            "file": file.path.name,
            "number": number,
            "differences": [{"what": d.what, "expected": d.told, "found": d.found} for d in fault.differences],
        },
    )


def _missing_rows(told: str, found: str) -> tuple[str | None, str | None]:
    """Rows that the trailer counts and the file has not, by their place among the rows."""
    if not told:
        return f"row {int(found) + 1}", None
    if told.isascii() and told.isdigit() and int(told) > int(found):
        return f"row {int(found) + 1}", f"row {int(told)}"
    return None, None


def rows_of_fault(fault: TrailerFault) -> Sequence[tuple[str, str]]:
    """What the errors file says of it: field and reason, a line for each total that does not add up."""
    if fault.code == "trailer_missing" or not fault.differences:
        return [("", fault.reason)]
    return [
        (each.what, f"the trailer says {each.told!r}, the file has {each.found}; {fault.reason}")
        for each in fault.differences
    ]
