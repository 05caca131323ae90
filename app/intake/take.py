"""Take one file from ``in`` to ``archive`` or ``failed``; a crash anywhere between is gone on from."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.intake.balances_in import is_kept_already, keep_balances, kind_is_balances, read_balances_file
from app.intake.context import Intake
from app.intake.endings import rows_of_fault, tell_archived, tell_failed, tell_repeated
from app.intake.folders import DropFolder, free_name, marker_of, sound_name
from app.intake.hold import FolderLost
from app.intake.rows_in import ERRORS_ENDING, Ending, FileUnderWork, check_whole, read_rows, write_errors
from app.store.files import ARCHIVED, FAILED, TakenFile, end_file, hold_file, reopen_file, take_file
from mappings.formats.lines import BadRow, FileFault

log = structlog.get_logger()

# A file that ended so many watchers before 500 more of its rows were kept is not tried again by itself.
WATCHERS_LOST_LIMIT = 3


def begin(folder: DropFolder, path: Path) -> Path:
    """Move a whole file from ``in`` to ``working``; from here on it is ours."""
    ours = free_name(folder.working, sound_name(path.name))
    path.rename(ours)
    if os.path.exists(marker := marker_of(path)):
        marker.unlink(missing_ok=True)
    return ours


def take(intake: Intake, folder: DropFolder, path: Path, token: str) -> None:
    """Read one file in ``working`` to its end, or say why it cannot be read."""
    kind = folder.kind_of(path.name)
    plants = folder.source.plants
    if kind is None or len(plants) != 1:
        patterns = ", ".join(kind.pattern for kind in folder.source.files) or "none"
        reason = (
            f"no pattern of source {folder.source.code} matches this name; its patterns are: {patterns}."
            if kind is None
            else f"source {folder.source.code} sends for several plants; a source that drops files needs exactly one."
        )
        _move_to_failed(folder, path, reason)
        return
    taken = _known(intake, folder, path)
    file = FileUnderWork(path, folder.source, plants[0], kind, taken, token, intake.policy)
    if taken.state == ARCHIVED and not taken.is_new:
        if not kind_is_balances(file) or is_kept_already(intake, file):
            with intake.store.writing() as session:
                tell_repeated(session, file, intake.clock())
            _archive_again(folder, path, taken)
            return
        with intake.store.writing() as session:  # balances of another time are others, whatever they are
            reopen_file(session, taken.id, path.name, intake.clock(), was=ARCHIVED)
    ending = _read(intake, file)
    if isinstance(ending, FileFault):
        _fail(intake, folder, file, ending)
        return
    _end(intake, file, ending)
    _move_to_archive(folder, file)
    log.info("file_archived", source=folder.source.code, file=path.name)


def _read(intake: Intake, file: FileUnderWork) -> Ending | FileFault:
    """Take its rows, or tell why that cannot be done. One file that breaks its reader must not stop its folder."""
    try:
        with intake.store.writing() as session:
            lost = hold_file(session, file.taken.id, file.token)
        if lost >= WATCHERS_LOST_LIMIT:
            return FileFault(
                "worker_lost",
                f"reading it ended the watcher {lost} times (worker_lost), at about row {file.taken.rows_done + 1}; "
                "what was read before is kept. Look at the file and at the memory of this host, then drop it again.",
            )
        if kind_is_balances(file):
            dropped = read_balances_file(intake, file)
            return Ending(None, 0, lambda session: keep_balances(session, file, dropped))
        if file.taken.rows_done == 0:
            check_whole(file)
        return read_rows(intake, file)
    except FileFault as fault:
        return fault
    except (FolderLost, OSError, SQLAlchemyError):
        raise
    except Exception as error:
        log.exception("file_broke_its_reader", source=file.source.code, file=file.path.name)
        return FileFault(
            "internal_error",
            f"a fault of Lineside's own ({type(error).__name__}, internal_error) while it was read; what was read "
            "before is kept. The watcher's log has the details; drop it again once that is mended.",
        )


def _known(intake: Intake, folder: DropFolder, path: Path) -> TakenFile:
    sha256, size = _fingerprint(path)
    with intake.store.writing() as session:
        now = intake.clock()
        taken = take_file(session, folder.source.code, path.name, sha256, size, now)
        if taken.state == FAILED:
            reopen_file(session, taken.id, path.name, now)
            taken = take_file(session, folder.source.code, path.name, sha256, size, now)
    return taken


def _fingerprint(path: Path) -> tuple[str, int]:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
        return digest.hexdigest(), stream.tell()


def _archive_again(folder: DropFolder, path: Path, taken: TakenFile) -> None:
    """The same bytes were read before: nothing of them is taken twice. After a crash this is the file itself."""
    target = free_name(folder.archive, path.name)
    if (folder.archive / taken.name).exists():
        note = f"This file has the same content as {taken.name}, which was read before; nothing was taken twice.\n"
        _write(target.with_name(target.name + ".note.txt"), note)
        log.info("file_is_a_repeat", source=folder.source.code, file=path.name, first=taken.name)
    errors = path.with_name(path.name + ERRORS_ENDING)
    if errors.exists():
        errors.rename(target.with_name(target.name + ERRORS_ENDING))
    path.rename(target)


def _end(intake: Intake, file: FileUnderWork, ending: Ending) -> None:
    """The file is read; in one transaction with what its end says of it."""
    with intake.store.writing() as session:
        if ending.fault is not None:
            told = [BadRow(0, field, reason, "") for field, reason in rows_of_fault(ending.fault)]
            write_errors(file.errors_path, told, ending.errors_bytes)
        reason = None if ending.fault is None else ending.fault.reason
        ending.keep(session)
        end_file(session, file.taken.id, ARCHIVED, reason, intake.clock())
        tell_archived(session, file, ending.fault, intake.clock())


def _move_to_archive(folder: DropFolder, file: FileUnderWork) -> None:
    target = free_name(folder.archive, file.path.name)
    if file.errors_path.exists() and file.errors_path.stat().st_size:
        file.errors_path.rename(target.with_name(target.name + ERRORS_ENDING))
    else:
        file.errors_path.unlink(missing_ok=True)
    file.path.rename(target)
    _sync(folder.archive)


def _fail(intake: Intake, folder: DropFolder, file: FileUnderWork, fault: FileFault) -> None:
    with intake.store.writing() as session:
        end_file(session, file.taken.id, FAILED, fault.reason, intake.clock())
        tell_failed(session, file, fault, intake.clock())
    file.errors_path.unlink(missing_ok=True)
    _move_to_failed(folder, file.path, fault.reason)


def _move_to_failed(folder: DropFolder, path: Path, reason: str) -> None:
    target = free_name(folder.failed, path.name)
    _write(target.with_name(target.name + ".error.txt"), reason + "\n")
    path.rename(target)
    log.warning("file_failed", source=folder.source.code, file=path.name, reason=reason)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _sync(folder: Path) -> None:
    """Make the renames durable: what stands in ``archive`` must still stand there after a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
