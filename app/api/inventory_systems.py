"""Inventory by system: what each says that it has, beside the ledger."""

from __future__ import annotations

from flask import Response, request
from flask_smorest import Blueprint
from marshmallow import Schema, fields

from app.access.policy import at_least
from app.access.roles import Role
from app.api.inventory_schemas import DECIMAL, BehindSchema
from app.api.openapi_parts import done, problems, query
from app.api.reading import AFTER_PAGING, FIELDS, IF_NONE_MATCH, answer, wire_of
from app.api.routing import route
from app.projections.stock_lists import PAGE_MOST
from app.reconcile.by_system import SystemFilter, list_by_system
from app.web import parameters
from app.web.reconciliations import told_by_system
from app.web.services import services
from app.web.stock import told_behind

blueprint = Blueprint("inventory_systems", __name__, description="What each system says that it has.")


class SystemSaidSchema(Schema):
    system = fields.String(required=True, metadata={"example": "erp"})
    snapshot_id = fields.Integer(required=True)
    taken_at = fields.DateTime(required=True, metadata={"description": "When the reading of its balances began"})
    quantity = fields.String(
        required=True,
        allow_none=True,
        metadata={**DECIMAL, "description": "null: it lists none of it, or in a unit that the item has not"},
    )
    ledger_then = fields.String(
        required=True,
        allow_none=True,
        metadata={**DECIMAL, "description": "What the ledger says was there then; null where that is too far back"},
    )
    difference = fields.String(required=True, allow_none=True, metadata=DECIMAL)


class ItemSaidSchema(Schema):
    plant = fields.String(metadata={"example": "P100"})
    item = fields.String(metadata={"example": "WHEEL-10"})
    uom = fields.String(metadata={"example": "EA", "description": "The item's base unit; that of all quantities"})
    ledger = fields.String(metadata={**DECIMAL, "description": "On hand by what messages told"})
    moved_at = fields.DateTime(allow_none=True, metadata={"description": "When the newest movement in it happened"})
    systems = fields.List(fields.Nested(SystemSaidSchema))


class ItemSaidPageSchema(Schema):
    by_system = fields.List(fields.Nested(ItemSaidSchema), required=True)
    next = fields.String(required=True, allow_none=True)
    behind = fields.Nested(BehindSchema, required=True)


@route(
    blueprint,
    "GET",
    "/v1/inventory/by-system",
    at_least(Role.VIEWER),
    summary="What each system last said that it has of items, beside the ledger, by plant and item",
    parameters=[
        query("plant", "The plant's code"),
        query("item", "The item's code"),
        query("system", "Only what this system says"),
        *AFTER_PAGING,
        FIELDS,
        IF_NONE_MATCH,
    ],
    responses={
        **done("A page", ItemSaidPageSchema),
        "304": {"description": "As before"},
        **problems("401", "403", "422"),
    },
)
def list_inventory_by_system() -> Response:
    """A system's figure is that of its newest snapshot; `lineside reconcile` takes one and explains the difference. The
    ledger's figure leads to its messages by `/v1/inventory/movements`."""
    asked, here = request.args, services()
    limit = parameters.whole_number(asked, "limit", PAGE_MOST) or 50
    chosen = SystemFilter(*(parameters.text(asked, name) for name in ("plant", "item", "system")))
    wire, after = wire_of(ItemSaidSchema), parameters.after(asked, 2)
    with here.store.reading() as session:
        rows = list_by_system(session, here.topology, chosen, limit + 1, after)
        told = [wire(told_by_system(row)) for row in rows[:limit]]
        following = parameters.next_after((rows[limit - 1].plant, rows[limit - 1].item)) if len(rows) > limit else None
        return answer("by_system", told, following, told_behind(session))
