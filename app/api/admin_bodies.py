"""Bodies of the admin routes, read strictly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from flask import request
from marshmallow import RAISE, Schema, ValidationError, fields, validate

from app.dead_letters.selection import DeadFilter
from app.mapping_changes.replaying import REPLAYED_MOST
from app.reconcile.keys import Level
from app.web import parameters
from app.web.bodies import kind_of, media_type, parsed
from app.web.body import whole_body
from app.web.problems import FieldError, Problem
from mappings.canonical.contract import walk_faults

IDS_MOST = 10_000


def _id() -> fields.Integer:
    return fields.Integer(strict=True, validate=validate.Range(min=1, max=parameters.ID_MOST))


def _ids(**options: Any) -> fields.List[int]:
    return fields.List(_id(), validate=validate.Length(min=1, max=IDS_MOST), **options)


class _Strict(Schema):
    class Meta:
        unknown = RAISE


class DeadFilterBody(_Strict):
    plant = fields.String()
    source = fields.String()
    type = fields.String()
    reason_code = fields.String()
    dead_after = fields.AwareDateTime()
    dead_before = fields.AwareDateTime()
    order = fields.String()
    lot = fields.String()
    item = fields.String()
    delivery = fields.String()
    purchase_order = fields.String()


class RequeueBody(_Strict):
    ids = _ids()
    filter = fields.Nested(DeadFilterBody)
    dry_run = fields.Boolean(load_default=False)
    out_of_order = fields.String(load_default=None, validate=validate.Length(min=3, max=1_000))


class DiscardBody(_Strict):
    ids = _ids(required=True)
    reason = fields.String(required=True, validate=validate.Length(min=3, max=1_000))


class ReverseBody(_Strict):
    reason = fields.String(required=True, validate=validate.Length(min=3, max=1_000))
    by_hand = fields.Boolean(load_default=False)


class ReplayFilterBody(_Strict):
    plant = fields.String()
    source = fields.String()
    type = fields.String()
    received_after = fields.AwareDateTime()
    received_before = fields.AwareDateTime()


class ReplayBody(_Strict):
    ids = fields.List(_id(), validate=validate.Length(min=1, max=REPLAYED_MOST))
    filter = fields.Nested(ReplayFilterBody)
    before = _id()
    limit = fields.Integer(strict=True, load_default=50, validate=validate.Range(min=1, max=REPLAYED_MOST))
    dry_run = fields.Boolean(load_default=False)
    reason = fields.String(load_default=None, validate=validate.Length(min=3, max=1_000))


class DecideBody(_Strict):
    """What may stand in each is checked where the console's form and the command line are."""

    outcome = fields.String(required=True)
    reason = fields.String(required=True)
    reference = fields.String(allow_none=True, load_default=None)
    stays_dead = fields.Boolean(load_default=False)


class RequeuePostingBody(_Strict):
    reason = fields.String(required=True)


class PauseBody(_Strict):
    reason = fields.String(required=True, validate=validate.Length(min=3, max=1_000))


class ReconcileBody(_Strict):
    system = fields.String(required=True, metadata={"description": "The target whose balances are read"})
    against = fields.String(
        allow_none=True,
        load_default=None,
        metadata={"description": "Another target, read too; null: what was reported"},
    )
    level = fields.String(
        load_default=Level.ITEM.value,
        validate=validate.OneOf([level.value for level in Level]),
        metadata={"description": "By what it is compared"},
    )


class AcknowledgeBody(_Strict):
    reason = fields.String(validate=validate.Length(min=3, max=1_000))


def read_body(schema: type[Schema]) -> Mapping[str, Any]:
    """The JSON body by its schema; Problem with every fault otherwise."""
    bare = media_type(request.content_type)
    if kind_of(bare) != "json":
        raise Problem(415, "unsupported_media_type", "Send application/json.")
    value = parsed(whole_body(), "json")
    try:
        return cast(Mapping[str, Any], schema().load(value))
    except ValidationError as error:
        faults = [
            FieldError(fault.message, pointer="/" + fault.path.replace(".", "/").replace("[", "/").replace("]", ""))
            for fault in walk_faults(error.messages)
        ][:50]
        raise Problem(422, "refused", "The body is not what this route takes.", faults) from None


def read_choice(body: Mapping[str, Any]) -> list[int] | DeadFilter:
    """The ids, or the filter; exactly one of the two."""
    if ("ids" in body) == ("filter" in body):
        raise Problem(422, "refused", "Give either `ids` or `filter` (`{}` for all dead letters).")
    if "ids" in body:
        return list(dict.fromkeys(body["ids"]))
    return DeadFilter(**body["filter"])
