"""What proposals look like over HTTP."""

from __future__ import annotations

from marshmallow import RAISE, Schema, fields, validate

from app.api.inventory_schemas import DECIMAL
from app.reconcile.fixes import ADJUST, TAKE_OVER
from app.reconcile.proposals import STATES
from app.web.proposals import REASON_LEAST, REASON_MOST

REASON = validate.Length(min=REASON_LEAST, max=REASON_MOST)


class PlannedLineSchema(Schema):
    number = fields.Integer(required=True, metadata={"description": "Of the difference"})
    plant = fields.String(required=True)
    item = fields.String(required=True)
    storage = fields.String(required=True, allow_none=True)
    lot = fields.String(required=True, allow_none=True)
    quantity = fields.String(required=True, metadata=DECIMAL)
    uom = fields.String(required=True)


class LeftOutSchema(Schema):
    number = fields.Integer(required=True)
    why = fields.String(required=True)


class PlanSchema(Schema):
    side = fields.String(required=True, metadata={"description": "Whose stock is adjusted: `ledger`, or a target"})
    lines = fields.Integer(required=True)
    first = fields.List(fields.Nested(PlannedLineSchema), required=True, metadata={"description": "At most 20"})
    is_whole = fields.Boolean(
        required=True, metadata={"description": "Whether these are all; the rest shows in the next comparison"}
    )
    left_out = fields.Integer(required=True)
    first_left_out = fields.List(fields.Nested(LeftOutSchema), required=True)


class OutcomeSchema(Schema):
    messages = fields.Integer(required=True, metadata={"description": "Adjustments in the inbox"})
    first_message = fields.Integer(required=True, allow_none=True)
    repeated = fields.Integer(required=True, metadata={"description": "Those that were there already"})
    left_out = fields.Integer(required=True, metadata={"description": "What was not as it was proposed any more"})
    first_left_out = fields.List(fields.Nested(LeftOutSchema), required=True)


class ProposalSchema(Schema):
    id = fields.Integer(required=True)
    reconciliation = fields.Integer(required=True)
    kind = fields.String(required=True, metadata={"enum": [TAKE_OVER, ADJUST]})
    number = fields.Integer(required=True, allow_none=True, metadata={"description": "null: all of the report"})
    state = fields.String(required=True, metadata={"enum": list(STATES)})
    reason = fields.String(required=True)
    proposed_by = fields.String(required=True)
    proposed_at = fields.DateTime(required=True)
    expires_at = fields.DateTime(required=True)
    decided_by = fields.String(required=True, allow_none=True)
    decided_at = fields.DateTime(required=True, allow_none=True)
    decision = fields.String(required=True, allow_none=True)
    plan = fields.Nested(PlanSchema, required=True)
    outcome = fields.Nested(OutcomeSchema, required=True, allow_none=True)


class ProposalPageSchema(Schema):
    proposals = fields.List(fields.Nested(ProposalSchema), required=True)
    next = fields.String(required=True, allow_none=True)


class RequeuedSchema(Schema):
    count = fields.Integer(required=True)
    ids = fields.List(fields.Integer(), required=True)
    dry_run = fields.Boolean(required=True)


class _Strict(Schema):
    class Meta:
        unknown = RAISE


class ProposingBody(_Strict):
    kind = fields.String(required=True, validate=validate.OneOf([TAKE_OVER, ADJUST]))
    number = fields.Integer(strict=True, validate=validate.Range(min=1, max=10_000_000))
    reason = fields.String(required=True, validate=REASON)
    dry_run = fields.Boolean(load_default=False)


class ApprovingBody(_Strict):
    reason = fields.String(validate=REASON)


class RejectingBody(_Strict):
    reason = fields.String(required=True, validate=REASON)


class RequeuingBody(_Strict):
    dry_run = fields.Boolean(load_default=False)
