"""How each target is doing: its circuit, what is under way to it, and who paused it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.postings.circuit import Circuit
from app.postings.pauses import list_target_pauses
from app.postings.room import known_targets
from app.store.target_tables import TargetCalls, TargetPause
from config.topology import Target


@dataclass(frozen=True)
class TargetFigures:
    """``tokens``: how many postings its rate allows at once now; None where it has none."""

    target: str
    circuit: Circuit
    calls: int
    calls_in_flight: int
    tokens: int | None
    pause: TargetPause | None


def target_figures(session: Session, targets: Mapping[str, Target], now: datetime) -> list[TargetFigures]:
    """One for each target of the topology, in its order."""
    under_way = select(TargetCalls.target, func.sum(TargetCalls.calls)).where(TargetCalls.until > now)
    calls = {code: int(number) for code, number in session.execute(under_way.group_by(TargetCalls.target))}
    pauses = {pause.target: pause for pause in list_target_pauses(session)}
    known = known_targets(session, targets, now)
    return [
        TargetFigures(
            code,
            known[code].circuit,
            calls.get(code, 0),
            target.calls_in_flight,
            None if (bucket := known[code].bucket) is None else bucket.whole,
            pauses.get(code),
        )
        for code, target in targets.items()
    ]
