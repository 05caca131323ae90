"""What a person, or a target that turns us away, has stopped: whole plants and whole targets."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, literal, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.store.base import table_of
from app.store.prepared import Prepared
from app.store.target_tables import PlantPause, TargetPause

_PLANTS, _TARGETS = table_of(PlantPause).c, table_of(TargetPause).c
_PAUSES = Prepared(
    select(literal(True).label("is_plant"), _PLANTS.plant.label("code"), _PLANTS.reason).union_all(
        select(literal(False), _TARGETS.target, _TARGETS.reason)
    )
)
_PLANT_PAUSE = Prepared(select(_PLANTS.plant).where(_PLANTS.plant == bindparam("of_plant")))

ITSELF = "lineside"
"""Who paused a target that turned us away."""


def paused_targets(session: Session) -> dict[str, str]:
    """Targets to which nothing may be posted now, with the reason."""
    return {row.target: row.reason for row in session.execute(select(TargetPause.target, TargetPause.reason))}


def pause_target(session: Session, target: str, reason: str, now: datetime, actor: str = ITSELF) -> bool:
    """Post nothing to this target until a person resumes it; one that is paused already keeps its first reason."""
    return _pause(session, TargetPause, {"target": target, "paused_at": now, "reason": reason, "actor": actor})


def resume_target(session: Session, target: str) -> bool:
    """Let the target have its postings again; False when it was not paused."""
    result: Any = session.execute(delete(TargetPause).where(TargetPause.target == target))
    return bool(result.rowcount)


def list_target_pauses(session: Session) -> list[TargetPause]:
    return list(session.scalars(select(TargetPause).order_by(TargetPause.paused_at)))


def read_pauses(session: Session) -> tuple[set[str], dict[str, str]]:
    """The plants that are paused, and the targets with their reason; one query, as every wave asks."""
    rows = _PAUSES.rows(session)
    return {row.code for row in rows if row.is_plant}, {row.code: row.reason for row in rows if not row.is_plant}


def is_plant_paused(session: Session, plant: str) -> bool:
    return bool(_PLANT_PAUSE.rows(session, of_plant=plant))


def pause_plant(session: Session, plant: str, reason: str, now: datetime, actor: str) -> bool:
    """Work on nothing of this plant until a person resumes it; False when it is paused already."""
    return _pause(session, PlantPause, {"plant": plant, "paused_at": now, "reason": reason, "actor": actor})


def resume_plant(session: Session, plant: str) -> bool:
    """Let the plant's messages go on; False when it was not paused."""
    result: Any = session.execute(delete(PlantPause).where(PlantPause.plant == plant))
    return bool(result.rowcount)


def plant_pauses(session: Session) -> dict[str, PlantPause]:
    """The pauses by plant."""
    return {pause.plant: pause for pause in session.scalars(select(PlantPause).order_by(PlantPause.plant))}


def _pause(session: Session, table: type[TargetPause | PlantPause], values: Mapping[str, Any]) -> bool:
    build: Any = sqlite.insert if session.connection().dialect.name == "sqlite" else postgresql.insert
    result: Any = session.execute(build(table).values(**values).on_conflict_do_nothing())
    return bool(result.rowcount)
