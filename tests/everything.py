"""An installation that holds something of everything that the API tells of, each made as the product makes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from flask import Flask

from app.access.roles import Role
from app.business_exceptions.raising import Cause, raise_exceptions
from app.business_exceptions.rounds import tell_owners
from app.business_exceptions.sending import NotDelivered
from app.inbox.accept import Incoming
from app.reconcile.keys import Level
from app.reconcile.reports import reconcile
from app.store.session import Store
from app.store.snapshots import Balance, save_snapshot
from config.exception_policy import Channel, ExceptionPolicy, Owner
from config.topology import SystemOfRecord, Topology
from tests.exception_desk import Fake
from tests.factories import NOON, accept, completion, incoming, know_items, move_event, pipeline, run_once
from tests.facts import AT, ea, ordered, post, received, shipped, state
from tests.fakes import Books, Clock
from tests.process_calls import process_topology
from tests.unknown import unknown_posting
from tests.web import account_for, key_for, web_app

ORDER, LOT, ITEM = "4711", "L1", "WHEEL-10"
PLANNED = {"order_id": ORDER, "start": "2026-03-02T08:00:00Z", "end": "2026-03-02T16:00:00Z"}
INSPECTION = {"type": "inspection", "id": "4711"}
CHANNEL = Channel("webhook hooks.example.com", webhook="https://hooks.example.com/", secret="hook")
POLICY = ExceptionPolicy(is_judged=True, owner="shift", owners={"shift": Owner("shift", (CHANNEL,))})


@dataclass(frozen=True)
class Everything:
    """``account`` may do everything that a person may, ``key`` all that a source may. ``known`` are path parameters
    that name something which is there, by path or by name."""

    app: Flask
    account: Mapping[str, str]
    key: Mapping[str, str]
    known: Mapping[str, Mapping[str, Any]]

    def path_parameters(self, path: str) -> dict[str, Any]:
        best = max((prefix for prefix in self.known if path.startswith(prefix)), key=len)
        return {**self.known[""], **self.known[best]}


def something_of_everything(store: Store, home: Path) -> Everything:
    topology = _topology()
    app = web_app(store, home, topology)
    account, key = account_for(store, Role.ADMIN), key_for(store)
    know_items(store)
    posted = _post_of_every_type(store)
    (dead,) = accept(store, completion("bad", order="4712", uom="FURLONG"))
    run_once(pipeline(store, {"erp": Books()}))
    posting = unknown_posting(store)
    _raise_and_tell(store)
    report = _compare(store, topology)
    made = _made_by_people(app, account, key, report)
    known: dict[str, dict[str, Any]] = {
        "": {"message_id": posted, "posting_id": posting, "exception_id": 1, "report_id": report, "number": 1},
        "/v1/reconciliations/requests/": {"request_id": made["request"]},
        "/v1/messages/": {"step": "canonical"},
        "/v1/admin/dead-letters/": {"message_id": dead},
        "/v1/admin/plants/": {"code": "P100"},
        "/v1/admin/targets/": {"code": "erp"},
        "/v1/items/": {"code": "RIM/1"},
        "/v1/production-orders/": {"plant": "P100", "order_id": ORDER},
        "/v1/purchase-orders/": {"code": "45"},
        "/v1/shipments/": {"shipment_id": 1},
        "/v1/lots/": {"lot": LOT},
        "/v1/equipment/": {"plant": "P100", "equipment_id": "PRESS-1"},
        "/v1/schemas/": {"event_type": "production.completed.v1"},
        "/v1/reservations/": {"code": made["reservation"]},
        "/v1/proposals/": {"proposal_id": made["proposal"]},
        "/v1/webhooks/": {"subscriber_id": made["webhook"], "delivery_id": made["delivery"]},
    }
    return Everything(app, account, key, known)


def _topology() -> Topology:
    topology = process_topology()
    source = replace(topology.sources["mes"], crosswalks=("reasons", "units"))
    record = {**topology.systems_of_record, "inventory": SystemOfRecord("inventory", "erp")}
    plant = topology.plants["P100"]
    plants = {**topology.plants, "P100": replace(plant, options={**plant.options, "receiving": ["DOCK"]})}
    sources = {"mes": source}
    return replace(topology, sources=sources, systems_of_record=record, plants=plants, exceptions=POLICY)


def _post_of_every_type(store: Store) -> int:
    """The id of the first of them, which is posted."""
    here, there, needed = {"storage": "DOCK"}, {"storage": "ST"}, [{"item": ITEM, "quantity": ea("20")}]
    told: dict[str, Any] = {"item": ITEM, "lot": LOT}
    used = [{"item": ITEM, "quantity": ea("2"), "lot": LOT}]
    ids = post(
        store,
        _event("r1", "production.order.released.v1", item="BIKE-100", quantity=ea("10"), materials=needed, **PLANNED),
        received("rc1", "60", lot=LOT, location=here),
        received("rc2", "7", line=None, kind="delivery_note", lot="L2", rejected="2", location=here),
        received("rc3", "1", line="2", lot="L3", item="BIKE-100", location=there),
        ordered("po1", ("1", ITEM, "100"), ("2", "BIKE-100", "5")),
        _event("mv1", "inventory.moved.v1", quantity=ea("20"), **told, **{"from": here, "to": there}),
        _event("is1", "material.issued.v1", order_id=ORDER, components=used),
        completion("c1", ORDER),
        _event("aj1", "inventory.adjusted.v1", delta=ea("1"), location=there, reason="found", **told),
        _event("ct1", "inventory.counted.v1", counted=ea("19"), location=there, **told),
        shipped("s1", "3", line={"lot": LOT}),
        _event("h1", "quality.held.v1", item="BIKE-100", lot="L3", status="blocked", reason="crack"),
        _event("h2", "quality.held.v1", status="quality", reason="new", inspection_ref=INSPECTION, **told),
        _event("h3", "quality.released.v1", event_time="2026-03-02T10:00:00Z", status="unrestricted", **told),
        state("e1", "RUN", "2026-03-02T06:00:00Z", reason="shift"),
        state("e2", "DOWN", "2026-03-02T08:00:00Z", **{"from": "RUN"}),
        _event("i1", "item.changed.v1", item="RIM/1", description="Rim", base_uom="EA"),
        _event("b1", "bom.changed.v1", item="BIKE-100", quantity=ea("1"), components=needed),
        move_event("mv2", plant="P200"),
    )
    return ids[0]


def _event(message_id: str, kind: str, **data: Any) -> Incoming:
    return incoming(message_id, kind, {"event_time": AT, **data})


def _raise_and_tell(store: Store) -> None:
    causes = [
        Cause("over_completion", "over:1", "order 1", "warning", "Too many.", plant="P100", messages=[1]),
        Cause("stuck_backlog", "stuck:P200", "messages", "serious", "They stand still."),
    ]
    desk = Fake()
    desk.raises = [NotDelivered("answered 503")]
    with store.writing() as session:
        raise_exceptions(session, causes, NOON, POLICY)
    tell_owners(store, POLICY, desk, Clock(NOON))


def _compare(store: Store, topology: Topology) -> int:
    rows = [(ITEM, "7"), ("BIKE-100", "2.5"), ("GHOST", "1")]
    balances = [Balance("P100", item, "", "", Decimal(amount), "EA") for item, amount in rows]
    with store.writing() as session:
        snapshot = save_snapshot(session, "erp", NOON + timedelta(hours=1), "a file", "ada", balances)
    return reconcile(store, topology, snapshot, Level.ITEM, "ada", NOON).id


def _made_by_people(app: Flask, account: Mapping[str, str], key: Mapping[str, str], report: int) -> dict[str, Any]:
    """What only a request makes; each has to be done."""
    client = app.test_client()

    def ask(path: str, body: Any = None, headers: Mapping[str, str] = account) -> Any:
        answer = client.post(path, json=body, headers=dict(headers))
        assert answer.status_code < 300, answer.text
        return answer.json

    crosswalk = {"system": "mes", "name": "units", "note": "agreed", "entries": [{"value": "STG", "becomes": "EA"}]}
    ask("/v1/admin/crosswalks", crosswalk)
    ask("/v1/admin/plants/P300/pause", {"reason": "stocktaking"})
    webhook = ask("/v1/webhooks", {"name": "bi", "url": "https://hooks.example.com/lineside"})["id"]
    kept = {"item": ITEM, "quantity": ea("2"), "order_id": ORDER}
    call = {**key, "Idempotency-Key": "keep-1"}
    reserved = ask("/v1/processes/reserve-inventory?plant=P100", kept, call)["reservation_id"]
    asked = ask("/v1/reconciliations", {"system": "erp"})["id"]
    body = {"kind": "adjust", "number": 1, "reason": "counted on Sunday"}
    proposal = ask(f"/v1/reconciliations/{report}/proposals", body)["id"]
    delivery = ask(f"/v1/webhooks/{webhook}/test")["delivery"]
    return {"reservation": reserved, "proposal": proposal, "webhook": webhook, "delivery": delivery, "request": asked}
