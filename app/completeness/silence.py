"""A source that owes a sign of life during a plant's shifts, and is silent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from app.business_exceptions.raising import Cause, close_exceptions, raise_exceptions
from app.completeness.shifts import working_since
from app.store.completeness_tables import SourceNumbers
from app.store.exception_tables import BusinessException
from app.store.source_notes import HEARTBEAT, SeriesKey
from config.exception_policy import ExceptionPolicy
from config.topology import Plant, Source, Topology

SILENT = "source_silent"


@dataclass(frozen=True)
class Listening:
    """``every`` so often at least the source is heard, and may be late by ``grace``."""

    source: Source
    plant: Plant
    every: timedelta
    grace: timedelta
    policy: ExceptionPolicy

    @property
    def key(self) -> SeriesKey:
        return self.source.code, self.plant.code, HEARTBEAT

    @property
    def cause(self) -> str:
        return f"{SILENT}:{self.source.code}:{self.plant.code}"


def listened_for(topology: Topology) -> Iterator[Listening]:
    for source in topology.sources.values():
        owed = source.completeness
        if owed.heartbeat is not None:
            every, grace = timedelta(minutes=owed.heartbeat.every_minutes), timedelta(seconds=owed.grace_seconds)
            for plant in source.plants:
                yield Listening(source, topology.plants[plant], every, grace, topology.exceptions)


def judge_silence(
    session: Session,
    listening: Listening,
    heard: SourceNumbers,
    told: Mapping[str, BusinessException],
    now: datetime,
) -> None:
    """Raise a silence that is longer than it may be within one stretch of work; close it when the source spoke."""
    exception = told.get(listening.cause)
    if exception is not None:
        if heard.heard_at is not None and heard.heard_at >= exception.first_seen_at:
            at = heard.heard_at.astimezone(UTC).isoformat(timespec="seconds")
            close_exceptions(session, [exception.id], f"The source spoke again at {at}.", now)
        return
    since = working_since(listening.plant, now)
    if since is not None and now - max(since, heard.counts_from) > listening.every + listening.grace:
        raise_exceptions(session, [_cause(listening, heard)], now, listening.policy)


def _cause(listening: Listening, heard: SourceNumbers) -> Cause:
    source, plant = listening.source.code, listening.plant
    minutes = f"{listening.every.total_seconds() / 60:g}"
    local = heard.counts_from.astimezone(ZoneInfo(plant.timezone)).strftime("%Y-%m-%d %H:%M %Z")
    last = f"since {local}" if heard.heard_at is not None else f"since it is listened for ({local})"
    return Cause(
        rule=SILENT,
        key=listening.cause,
        subject=f"sign of life of {source} for {plant.code}",
        severity="serious",
        message=(
            f"{source} has sent nothing for {plant.code} {last}; in its shifts a message is due every {minutes} "
            "minutes. Is the system, its network or the line down?"
        ),
        source=source,
        plant=plant.code,
        missing_from=heard.counts_from.astimezone(UTC).isoformat(timespec="seconds"),
        detail={"series": HEARTBEAT, "every_minutes": listening.every.total_seconds() / 60},
    )
