"""Keep the books of all sources: what was noted goes in, what is missing or silent is raised, what came is closed.

Storing messages only ever adds notes; here one process at a time takes them away, holding the rows of the series, so
that two that keep books at once add up to the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from app.business_exceptions.raising import close_exceptions, unresolved
from app.completeness.book import read_book, write_book
from app.completeness.numbers import (
    MISSING,
    OCCURRENCES,
    Series,
    close_occurrences,
    counted,
    judge_gaps,
    tell_happenings,
)
from app.completeness.silence import SILENT, Listening, judge_silence, listened_for
from app.store.completeness_tables import SourceNumbers
from app.store.exception_tables import BusinessException
from app.store.session import Store
from app.store.source_notes import TAKE_MOST, Note, SeriesKey, add_notes, hold_series, take_notes
from config.topology import Topology

RULES = (MISSING, SILENT, *OCCURRENCES)
# As many unresolved exceptions are looked at; each series has a bounded number of them.
TOLD_MOST = 5_000


def is_watched(topology: Topology) -> bool:
    return any(True for _ in counted(topology)) or any(True for _ in listened_for(topology))


def keep_books(store: Store, topology: Topology, now: datetime, *, was_away: bool = False) -> bool:
    """One round; True where more notes wait. ``was_away``: Lineside did not listen until now, so that silences count
    from now on only."""
    with store.writing() as session:
        notes = take_notes(session)
        series, listening = list(counted(topology)), list(listened_for(topology))
        watched = {each.key for each in series} | {each.key for each in listening}
        rows = hold_series(session, watched, now)
        by_key = _by_key(notes)
        told = {each.cause: each for each in unresolved(session, RULES, TOLD_MOST)}
        more = len(notes) >= TAKE_MOST
        for each in series:
            _keep(session, each, rows[each.key], by_key.get(each.key, ()), told, now, judged=not more)
        for heard in listening:
            _hear(heard, rows[heard.key], by_key.get(heard.key, ()), now, was_away=was_away)
            if not more:
                judge_silence(session, heard, rows[heard.key], told, now)
        close_occurrences(session, told, now)
        _close_unwatched(session, watched, told, now)
    return more


def _by_key(notes: Sequence[Note]) -> dict[SeriesKey, list[Note]]:
    found: dict[SeriesKey, list[Note]] = {}
    for note in notes:
        found.setdefault(note.key, []).append(note)
    return found


def _keep(
    session: Session,
    series: Series,
    row: SourceNumbers,
    notes: Sequence[Note],
    told: Mapping[str, BusinessException],
    now: datetime,
    *,
    judged: bool,
) -> None:
    book, unreadable = read_book(row.book, series.counting), 0
    for note in notes:
        if note.first is None or note.last is None:
            unreadable += 1
        elif note.kind == "waived":
            book.waive(note.run, note.first, note.last, min(note.at, now))
        elif note.kind == "again":
            book.fill(note.first, note.last, min(note.at, now))
        else:
            book.note(note.first, note.last, min(note.at, now))
    book.end_at(now)
    if notes:
        row.heard_at = now
    happened = book.settle(now, series.grace)
    tell_happenings(session, series, happened, unreadable, now)
    if judged:
        own = [each for each in told.values() if each.rule == MISSING and _key_of(each) == series.key]
        judge_gaps(session, series, book, own, now)
    if (written := write_book(book)) != row.book:
        row.book = written


def _hear(listening: Listening, row: SourceNumbers, notes: Sequence[Note], now: datetime, *, was_away: bool) -> None:
    """A person who resolves a silence has it counted from then on, as has a start of Lineside."""
    for note in notes:
        at = min(note.at, now)
        row.counts_from = max(row.counts_from, at)
        if note.kind == "heard":
            row.heard_at = max(row.heard_at or at, at)
    if was_away or row.counts_from > now:
        row.counts_from = now
    if row.heard_at is not None and row.heard_at > now:
        row.heard_at = now


def _key_of(exception: BusinessException) -> SeriesKey:
    return exception.source or "", exception.plant or "", exception.detail.get("series", "")


def _close_unwatched(
    session: Session, watched: set[SeriesKey], told: Mapping[str, BusinessException], now: datetime
) -> None:
    gone = [each.id for each in told.values() if each.rule in (MISSING, SILENT) and _key_of(each) not in watched]
    close_exceptions(session, gone, "The topology does not ask for this any more.", now)


def waive(session: Session, exception: BusinessException, now: datetime) -> None:
    """A person resolved it: what is missing there is not looked for any more, and a silence counts from now on."""
    if exception.rule not in (MISSING, SILENT):
        return
    detail = exception.detail
    left = detail.get("left") or [[None, None]]
    key = _key_of(exception)
    add_notes(session, [Note(*key, "waived", now, first, last, detail.get("run")) for first, last in left])
