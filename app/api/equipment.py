"""Equipment: the state that each is in, the states that it was in, and for how long."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from flask import Response, request
from flask_smorest import Blueprint

from app.access.policy import at_least
from app.access.roles import Role
from app.api.master_schemas import (
    EquipmentPageSchema,
    EquipmentSchema,
    OneEquipmentSchema,
    StatePageSchema,
    StateSchema,
)
from app.api.openapi_parts import done, problems, query
from app.api.reading import AFTER_PAGING, FIELDS, IF_NONE_MATCH, answer, one_answer, wire_of
from app.api.routing import route
from app.projections.equipment_lists import (
    EQUIPMENT_KEY,
    HISTORY_KEY,
    HistoryKey,
    list_equipment,
    list_states,
    time_in_states,
)
from app.projections.stock_lists import PAGE_MOST
from app.store.version_tables import EquipmentState
from app.web import parameters
from app.web.masters import told_equipment, told_state, told_times
from app.web.problems import FieldError, Problem
from app.web.services import services
from app.web.stock import told_behind

blueprint = Blueprint("equipment", __name__, description="Equipment and its states.")
PATH = "/v1/equipment"
DAY = timedelta(days=1)
_REFUSALS = problems("401", "403", "422")
_AS_BEFORE = {"304": {"description": "As before"}}


@route(
    blueprint,
    "GET",
    PATH,
    at_least(Role.VIEWER),
    summary="The state that each piece of equipment is in, by plant and equipment",
    parameters=[
        query("plant", "The plant's code"),
        query("state", "Only equipment in this state"),
        *AFTER_PAGING,
        FIELDS,
        IF_NONE_MATCH,
    ],
    responses={**done("A page", EquipmentPageSchema), **_AS_BEFORE, **_REFUSALS},
)
def list_all_equipment() -> Response:
    """The state is what was entered last, whatever was told last."""
    asked = request.args
    limit = parameters.whole_number(asked, "limit", PAGE_MOST) or 50
    plant, state = parameters.text(asked, "plant"), parameters.text(asked, "state")
    wire, after = wire_of(EquipmentSchema), parameters.after(asked, len(EQUIPMENT_KEY))
    with services().store.reading() as session:
        rows = list_equipment(session, plant, state, limit + 1, after)
        told = [wire(told_equipment(row)) for row in rows[:limit]]
        last = rows[limit - 1] if len(rows) > limit else None
        following = parameters.next_after((last.plant, last.equipment_id)) if last else None
        return answer("equipment", told, following, told_behind(session))


@route(
    blueprint,
    "GET",
    PATH + "/<plant>/<path:equipment_id>/states",
    at_least(Role.VIEWER),
    summary="The states that equipment was in, each with the message that told it; the last one first",
    parameters=[*AFTER_PAGING, FIELDS, IF_NONE_MATCH],
    responses={**done("A page", StatePageSchema), **_AS_BEFORE, **_REFUSALS, **problems("404")},
)
def list_states_of_equipment(plant: str, equipment_id: str) -> Response:
    """What a reversed message told is listed with `void_at`, and counts no more."""
    limit, wire = parameters.whole_number(request.args, "limit", PAGE_MOST) or 50, wire_of(StateSchema)
    of_it, before = (parameters.named(plant), parameters.named(equipment_id)), _history_key()
    with services().store.reading() as session:
        rows = list_states(session, *of_it, limit + 1, before)
        told = [wire(told_state(row)) for row in rows[:limit]]
        following = parameters.next_after(_key_text(rows[limit - 1])) if len(rows) > limit else None
        return answer("states", told, following, told_behind(session))


@route(
    blueprint,
    "GET",
    PATH + "/<plant>/<path:equipment_id>",
    at_least(Role.VIEWER),
    summary="One piece of equipment: its state, and its time in each state",
    parameters=[
        query(
            "since",
            "From when on times are added up; a day before `until` unless told",
            type="string",
            format="date-time",
        ),
        query("until", "Until when; now unless told", type="string", format="date-time"),
        FIELDS,
        IF_NONE_MATCH,
    ],
    responses={**done("The equipment", OneEquipmentSchema), **_AS_BEFORE, **problems("401", "403", "404", "422")},
)
def show_equipment(plant: str, equipment_id: str) -> Response:
    wire = wire_of(OneEquipmentSchema)
    until = parameters.moment(request.args, "until") or services().clock()
    since = parameters.moment(request.args, "since") or until - DAY
    if since > until:
        raise Problem(422, "refused", "`since` is after `until`.", [FieldError("is after until", place="query since")])
    of_it = parameters.named(plant), parameters.named(equipment_id)
    with services().store.reading() as session:
        rows = list_equipment(session, of_it[0], None, 1, equipment_id=of_it[1])
        if not rows:
            raise Problem(404, "not_found", f"No message has told of equipment {equipment_id} of plant {plant} yet.")
        times = told_times(time_in_states(session, *of_it, since, until))
        return one_answer(wire({**told_equipment(rows[0]), "times": times}))


def _key_text(row: EquipmentState) -> Sequence[str]:
    return row.happened_at.isoformat(), str(row.message_id), str(row.event_index)


def _history_key() -> HistoryKey | None:
    key = parameters.after(request.args, len(HISTORY_KEY))
    try:
        return None if key is None else (datetime.fromisoformat(key[0]), int(key[1]), int(key[2]))
    except ValueError:
        told = "must be as `next` has it"
        raise Problem(
            422, "refused", f"Query parameter after {told}.", [FieldError(told, place="query after")]
        ) from None
