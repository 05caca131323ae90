"""What each block of the topology file may hold: one schema a block, one line a key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, validates_schema

from config.completeness_schema import CompletenessSchema, ShiftSchema
from config.drop_file_schema import DropFileSchema
from config.option_blocks import MEND_OF_CREDENTIALS, Options, SecretName, Translations
from config.reconcile_schema import ReconcileSchema
from config.strict_schema import Block, Blocks, Choice, Flag, HttpUrl, Many, Number, Problem, StrictSchema, Text, Zone

DOMAINS = ("items", "boms", "inventory", "production_orders", "quality", "shipments")
RETENTION_DOMAINS = ("production", "inventory", "logistics", "quality", "equipment", "master_data", "other")
MESSAGE_DOMAINS = ("production_orders",)
"""Those whose rows become messages when they are read."""


def plant_code(**kwargs: Any) -> Text:
    mend = "write up to 16 of A-Z, 0-9, _ and -, beginning with a letter or digit; the code becomes a queue name"
    return Text("[A-Z0-9][A-Z0-9_-]{0,15}", mend=mend, **kwargs)


def system_code(**kwargs: Any) -> Text:
    mend = "write up to 40 letters, digits, _ and -, beginning with a letter or digit; the code becomes a folder name"
    return Text("[A-Za-z0-9][A-Za-z0-9_-]{0,39}", mend=mend, **kwargs)


def canonical_type(**kwargs: Any) -> Text:
    mend = "write a canonical type with its version, such as production.completed.v1"
    return Text(r"[a-z]+(\.[a-z]+)+\.v[1-9][0-9]?", mend=mend, **kwargs)


def family(mend: str, **kwargs: Any) -> Text:
    return Text("[a-z][a-z0-9_]{0,39}", mend=mend, **kwargs)


class ProcessRulesSchema(StrictSchema):
    over_completion_percent = Number(0, 1_000)
    when_short = Choice("refuse", "warn")


class PlantSchema(StrictSchema):
    code = plant_code(required=True)
    name = Text(mend="give the plant's name", required=True)
    timezone = Zone(required=True)
    lanes = Number(1, 256, whole=True)
    post_share = Number(1, 1_000, whole=True)
    options = Options()
    processes = Block(ProcessRulesSchema)
    shifts = Blocks(ShiftSchema, at_least=1, mend='list shifts: [{days: [mon], from: "06:00", to: "14:00"}]')


class ReadingSchema(StrictSchema):
    target = system_code(required=True)
    domain = Choice(*MESSAGE_DOMAINS, mend="say what is read: production_orders", required=True)
    every_seconds = Number(1, 86_400)


class GaplessSequenceSchema(StrictSchema):
    start = Number(0, 1_000_000_000, whole=True)
    wait_seconds = Number(0, 31_536_000)
    when_missing = Choice("dead", "go_on")


def crosswalks() -> Many:
    name = Text(r"[a-z][a-z0-9_]*", max_characters=40, mend="name a value table such as units")
    return Many(name, mend="list the value tables that its mapping asks: [units, reasons]")


class SourceSchema(StrictSchema):
    code = system_code(required=True)
    kind = Text(mend="say what it is: MES, ERP, WMS, ...", required=True)
    plants = Many(plant_code(), at_least=1, mend="list the plants that it sends for: [P100]", required=True)
    mapping = family(
        "name the family under mappings/inbound, or `canonical` where it sends canonical CloudEvents",
        required=True,
    )
    intake = Choice("http", "drop")
    files = Blocks(DropFileSchema)
    reads = Blocks(ReadingSchema)
    settle_seconds = Number(0, 3_600)
    wait_seconds = Number(0, 31_536_000)
    conformance = Choice("lenient", "strict")
    gapless_sequence = Block(GaplessSequenceSchema)
    units = Translations()
    options = Options()
    crosswalks = crosswalks()
    completeness = Block(CompletenessSchema)

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def match_files_with_intake(self, data: Mapping[str, Any], original: Mapping[str, Any], **_: Any) -> None:
        intake, files = original.get("intake", "http"), original.get("files")
        if intake == "drop" and not files:
            raise ValidationError(
                {"files": [Problem("it is missing", "describe the files that are dropped, one entry a kind")]}
            )
        completeness = original.get("completeness")
        sequence = completeness.get("sequence") if isinstance(completeness, dict) else None
        if intake == "drop" and isinstance(sequence, dict) and "field" not in sequence:
            problem = Problem("a dropped row has no sequence of its own", "name the column by `field`")
            raise ValidationError({"completeness": {"sequence": [problem]}})
        if intake == "http" and files:
            raise ValidationError({"files": [Problem("these are never read", "write `intake: drop`, or remove them")]})


class RetrySchema(StrictSchema):
    base_seconds = Number(0.01, 3_600)
    cap_seconds = Number(0.01, 86_400)
    give_up_seconds = Number(1, 31_536_000)


def answer_path(**kwargs: Any) -> Text:
    return Text(r"[^.\s]+(\.[^.\s]+)*", mend="give the keys to it, parted by dots: error.code", **kwargs)


class ClosedWhenSchema(StrictSchema):
    status = Many(Number(100, 599, whole=True), at_least=1, mend="list HTTP status codes such as [422]")
    path = answer_path(required=True)
    values = Many(Text(), at_least=1, mend="list what stands there, such as [PERIOD_CLOSED]", required=True)


class PeriodsSchema(StrictSchema):
    policy = Choice("hold", "next_open", mend="say what is done with it: hold or next_open", required=True)
    recheck_seconds = Number(1, 86_400)
    closed_when = Block(ClosedWhenSchema)
    open_from = answer_path()


class RateSchema(StrictSchema):
    per_second = Number(0.001, 100_000, required=True)
    burst = Number(1, 100_000, whole=True)


class CircuitSchema(StrictSchema):
    failures = Number(1, 1_000, whole=True)
    open_seconds = Number(0.1, 3_600)
    cap_seconds = Number(0.1, 86_400)


class TargetSchema(StrictSchema):
    code = system_code(required=True)
    kind = Text(mend="say what it is: ERP, WMS, planning, ...", required=True)
    adapter = family("name the adapter: http_json, tryton or file", required=True)
    mapping = family("name the family under mappings/outbound", required=True)
    url = HttpUrl()
    secret = SecretName(mend=MEND_OF_CREDENTIALS)
    timeout_seconds = Number(0.1, 600)
    calls_in_flight = Number(1, 256, whole=True)
    rate = Block(RateSchema)
    retry = Block(RetrySchema)
    periods = Block(PeriodsSchema)
    circuit = Block(CircuitSchema)
    options = Options()
    mapping_options = Options()
    crosswalks = crosswalks()
    reconcile = Block(ReconcileSchema)


class RouteTargetSchema(StrictSchema):
    target = system_code(required=True)
    required = Flag()


class RouteSchema(StrictSchema):
    type = canonical_type(required=True)
    plants = Many(plant_code(), at_least=1, mend="list plants, or remove the key: without it every plant is meant")
    targets = Blocks(RouteTargetSchema, at_least=1, mend="list targets: [{target: erp}]", required=True)
    compensate = Choice("automatic", "by_person")


class SystemOfRecordSchema(StrictSchema):
    system = system_code(required=True)
    writers = Many(system_code())


class RetentionSchema(StrictSchema):
    posted = Number(1, 36_500, whole=True)
    discarded = Number(1, 36_500, whole=True)
    compensated = Number(1, 36_500, whole=True)


class ServiceLevelSchema(StrictSchema):
    accept_to_posted_seconds = Number(0.1, 31_536_000)


class WebhooksSchema(StrictSchema):
    allow = Many(
        Text(r"[A-Za-z0-9.:_/-]+", max_characters=120, mend="name a host, an address or a network: 10.1.0.0/16"),
        mend="list hosts and networks of your own that webhooks may lead to: [hooks.plant.example, 10.1.0.0/16]",
    )
