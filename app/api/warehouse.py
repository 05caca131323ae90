"""What a warehouse has to do next: put-away and pick tasks of a plant."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from flask_smorest import Blueprint
from marshmallow import Schema, fields

from app.access.policy import at_least
from app.access.roles import Role
from app.api.inventory_schemas import DECIMAL, BehindSchema, QuantitySchema
from app.api.openapi_parts import done, problems, query
from app.api.reading import AFTER_PAGING, one_answer, told_values
from app.api.routing import route
from app.projections.warehouse_tasks import PAGE_MOST, PickTask, PutAway, list_picks, list_put_away
from app.web import parameters
from app.web.problems import FieldError, Problem
from app.web.services import services
from app.web.stock import told_behind
from mappings.units import plain

blueprint = Blueprint("warehouse", __name__, description="Put-away and pick tasks.")

_PLANT = {**query("plant", "The plant's code"), "required": True}


class PutAwaySchema(Schema):
    storage = fields.String()
    item = fields.String()
    lot = fields.String(allow_none=True)
    serial = fields.String(allow_none=True)
    status = fields.String()
    quantity = fields.Nested(QuantitySchema)
    received_at = fields.DateTime(allow_none=True, metadata={"description": "The last receipt of it, if any"})
    document = fields.String(allow_none=True)
    message_id = fields.Integer(allow_none=True)


class PutAwayPageSchema(Schema):
    tasks = fields.List(fields.Nested(PutAwaySchema), required=True)
    receiving = fields.List(fields.String(), metadata={"description": "The plant's option `receiving`"})
    next = fields.String(required=True, allow_none=True)
    behind = fields.Nested(BehindSchema, required=True)


class SuggestedPickSchema(Schema):
    storage = fields.String(allow_none=True)
    lot = fields.String(allow_none=True)
    serial = fields.String(allow_none=True)
    quantity = fields.String(metadata=DECIMAL)
    since = fields.DateTime(allow_none=True, metadata={"description": "When the lot first came to the plant"})


class PickTaskSchema(Schema):
    order_id = fields.String()
    item = fields.String()
    uom = fields.String()
    needed = fields.String(metadata=DECIMAL)
    short = fields.String(metadata={**DECIMAL, "description": "Needed, and nowhere to be had"})
    planned_start_at = fields.DateTime(allow_none=True)
    picks = fields.List(fields.Nested(SuggestedPickSchema))


class PickPageSchema(Schema):
    tasks = fields.List(fields.Nested(PickTaskSchema), required=True)
    places_left_out = fields.Boolean(metadata={"description": "Whether more places have the items than are told"})
    next = fields.String(required=True, allow_none=True)
    behind = fields.Nested(BehindSchema, required=True)


@route(
    blueprint,
    "GET",
    "/v1/warehouse/put-away",
    at_least(Role.VIEWER),
    summary="What lies where goods come in and is to be put away",
    parameters=[_PLANT, *AFTER_PAGING],
    responses={**done("A page, by storage", PutAwayPageSchema), **problems("401", "403", "422")},
)
def list_put_away_tasks() -> Response:
    """Where goods come in is the plant's option `receiving` in the topology; without it there are no tasks. A task is
    over once the move out of there was reported."""
    plant, limit = _plant(), parameters.whole_number(request.args, "limit", PAGE_MOST) or 50
    receiving = [str(storage) for storage in services().topology.plants[plant].options.get("receiving", ())]
    with services().store.reading() as session:
        rows = list_put_away(session, plant, receiving, limit + 1, _after_place()) if receiving else []
        told = [_put_away(one) for one in rows[:limit]]
        last = rows[limit - 1].stock if len(rows) > limit else None
        behind = told_behind(session)
    following = parameters.next_after([last.storage, str(last.id)]) if last else None
    return one_answer({"tasks": told, "receiving": receiving, "next": following, "behind": told_values(behind)})


@route(
    blueprint,
    "GET",
    "/v1/warehouse/picks",
    at_least(Role.VIEWER),
    summary="What released orders still need, and from where it may be picked",
    parameters=[_PLANT, query("order_id", "Only of this production order"), *AFTER_PAGING],
    responses={**done("A page, by order and item", PickPageSchema), **problems("401", "403", "422")},
)
def list_pick_tasks() -> Response:
    """The lot that came to the plant first is suggested first; what an open quality hold covers is not. Suggestions
    reserve nothing, and are told apart from each other within a page only."""
    plant, limit = _plant(), parameters.whole_number(request.args, "limit", PAGE_MOST) or 50
    after, order_id = parameters.after(request.args, 3), parameters.text(request.args, "order_id")
    with services().store.reading() as session:
        page = list_picks(session, plant, limit + 1, after, order_id)
        told = [_pick_task(task) for task in page.tasks[:limit]]
        last = page.tasks[limit - 1].need if len(page.tasks) > limit else None
        behind = told_behind(session)
    following = parameters.next_after([last.order_id, last.item, last.uom]) if last else None
    more = {"next": following, "behind": told_values(behind)}
    return one_answer({"tasks": told, "places_left_out": page.is_cut, **more})


def _plant() -> str:
    plant = parameters.text(request.args, "plant")
    if plant is None or plant not in services().topology.plants:
        reason = "must name a plant of the topology"
        raise Problem(422, "refused", f"Query parameter plant {reason}.", [FieldError(reason, place="query plant")])
    return plant


def _after_place() -> tuple[str, int] | None:
    key = parameters.after(request.args, 2)
    if key is None:
        return None
    if not (key[1].isascii() and key[1].isdigit() and len(key[1]) < 19):
        raise Problem(422, "refused", "Query parameter after must be as `next` has it.")
    return key[0], int(key[1])


def _put_away(one: PutAway) -> dict[str, Any]:
    row, receipt = one.stock, one.receipt
    return told_values(
        {
            "storage": row.storage,
            "item": row.item,
            "lot": row.lot or None,
            "serial": row.serial or None,
            "status": row.status,
            "quantity": {"value": plain(row.quantity), "uom": row.uom},
            "received_at": receipt.happened_at if receipt else None,
            "document": receipt.document if receipt else None,
            "message_id": receipt.message_id if receipt else None,
        }
    )


def _pick_task(task: PickTask) -> dict[str, Any]:
    picks = [
        {
            "storage": pick.stock.storage or None,
            "lot": pick.stock.lot or None,
            "serial": pick.stock.serial or None,
            "quantity": plain(pick.quantity),
            "since": pick.since,
        }
        for pick in task.picks
    ]
    return told_values(
        {
            "order_id": task.need.order_id,
            "item": task.need.item,
            "uom": task.need.uom,
            "needed": plain(task.need.quantity),
            "short": plain(task.short),
            "planned_start_at": task.planned_start_at,
            "picks": picks,
        }
    )
