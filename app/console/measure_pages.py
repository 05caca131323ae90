"""Measures: how long things took, how many needed a hand, and how that went from day to day."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import date
from typing import Any

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app.console.charts import Bar, bars
from app.console.routing import VIEWER, page
from app.projections.effects import behind
from app.projections.measures import Question
from app.projections.processes import Process
from app.web import parameters
from app.web.measures import days_between, question_of_query, told_measures
from app.web.services import services
from app.web.stock import behind_told

CHART_DAYS_MOST = 92


@page("GET", "/measures", VIEWER)
def show_measures() -> ResponseReturnValue:
    here, asked = services(), request.args
    chosen = {name: asked.get(name, "") for name in ("plant", "process", "from", "to")}
    question = question_of_query(chosen, here.topology, here.clock())
    level = here.topology.service_levels.get("accept_to_posted_seconds")
    with here.store.reading() as session:
        told = told_measures(session, question, level)
        charts = _charts(session, question, level)
        late = behind_told(behind(session))
    return render_template(
        "measures.html",
        rows=[row for row in told["measures"] if row["process"] != Process.ALL],
        backlogs=[row for row in told["measures"] if row["process"] == Process.ALL],
        charts=charts,
        level=level,
        behind=late,
        plants=list(here.topology.plants),
        processes=[process.value for process in Process if process is not Process.ALL],
        plant=parameters.text(asked, "plant"),
        process=parameters.text(asked, "process"),
        first_on=question.first_on.isoformat(),
        last_on=question.last_on.isoformat(),
    )


def _charts(session: Session, question: Question, level: float | None) -> list[dict[str, Any]]:
    """Small charts, a bar a day, of all that is chosen together. Too many days would be no picture."""
    days = days_between(question.first_on, question.last_on)[-CHART_DAYS_MOST:]
    asked = replace(question, first_on=days[0], by_plant=False, by_process=False, by_day=True)
    by_day: dict[str, Any] = defaultdict(dict)
    by_day.update({row["day"]: row for row in told_measures(session, asked, level)["measures"]})
    rows = [(day, by_day[day.isoformat()]) for day in days]
    return [
        _chart("Event to posted, p95", "seconds", rows, lambda row: row["event_to_posted"]["p95_seconds"]),
        _chart("Accepted to posted, p95", "seconds", rows, lambda row: row["accepted_to_posted"]["p95_seconds"]),
        _chart("Service level attained", "share", rows, lambda row: row["service_level_attainment"]),
        _chart("Needed a hand", "share", rows, lambda row: row["handled_share"]),
        _chart("Died or raised", "number", rows, lambda row: row["counts"]["died"] + row["counts"]["raised"]),
        _chart("Resolution, p50", "seconds", rows, lambda row: row["resolution"]["p50_seconds"]),
        _chart("Backlog age, p95", "seconds", rows, lambda row: row["backlog_age"]["p95_seconds"]),
        _chart("Posted", "number", rows, lambda row: row["counts"]["posted"]),
    ]


def _chart(title: str, unit: str, rows: list[tuple[date, Any]], read: Any) -> dict[str, Any]:
    values = [(day, read(row) if row else None) for day, row in rows]
    known = [value for _, value in values if value is not None]
    most = float(max(known, default=0))
    drawn: list[Bar] = bars([(day.isoformat(), value) for day, value in values], most)
    last = known[-1] if known else None
    return {"title": title, "unit": unit, "bars": drawn, "most": most, "last": last}
