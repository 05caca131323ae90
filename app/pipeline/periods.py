"""Posting periods: which day a posting is for, and what follows where its target takes nothing for that day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.errors import PeriodClosed, period_reference
from app.pipeline.context import Pipeline
from app.postings.ledger import OpenPosting, PostingResult, PostingState
from config.topology import Plant, Target
from mappings.canonical import contract
from mappings.context import Event

POSTING_DATE = "posting_date"


def with_posting_date(target: Target, plant: Plant, event: Event, document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The document, and where the target has posting periods the day of the event by the plant's clock."""
    if target.periods is None or POSTING_DATE in document:
        return document
    day = contract.event_time(event).astimezone(ZoneInfo(plant.timezone)).date()
    return {**document, POSTING_DATE: day.isoformat()}


def for_the_next_day(pipeline: Pipeline, posting: OpenPosting, closed: PeriodClosed) -> OpenPosting | None:
    """The posting for the first day that may be open; None where it is to be held, or no such day has come yet.

    That is the day that the target names; where it names none the first of the next month, and so on month by month.
    """
    periods = pipeline.topology.targets[posting.target].periods
    if periods is None or periods.policy == "hold":
        return None
    following = closed.open_on or (closed.day.replace(day=1) + timedelta(days=32)).replace(day=1)
    if not closed.day < following <= _today(pipeline, posting.plant):
        return None
    document = {**posting.document, POSTING_DATE: following.isoformat()}
    return replace(posting, document=document, is_redated=True, state=PostingState.PLANNED)


def _today(pipeline: Pipeline, plant: str) -> date:
    known = pipeline.topology.plants.get(plant)
    return pipeline.clock().astimezone(ZoneInfo(known.timezone if known else "UTC")).date()


def opened(pipeline: Pipeline, results: Sequence[PostingResult]) -> list[str]:
    """What others may wait for and these results show to be open."""
    periods = {code for code, target in pipeline.topology.targets.items() if target.periods is not None}
    days = {
        (result.posting.target, str(result.posting.document[POSTING_DATE]))
        for result in results
        if result.state is PostingState.POSTED
        and result.posting.target in periods
        and POSTING_DATE in result.posting.document
    }
    return [period_reference(target, day) for target, day in sorted(days)]
