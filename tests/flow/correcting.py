"""A house whose ERP and WMS say what they have, and people who propose and approve what is done about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from app.inbox.accept import Incoming
from app.projections.projector import project
from app.reconcile.approval import Approved, approve
from app.reconcile.keys import Level
from app.reconcile.proposals import propose
from app.reconcile.reports import list_differences, reconcile
from app.store.reconcile_tables import Difference, Proposal, Reconciliation
from app.store.session import Store
from app.store.snapshots import Balance, save_snapshot
from config.topology import Route, RouteTarget, SystemOfRecord, Target
from tests.factories import NOON, accept, incoming, know_items, pipeline, run_once
from tests.fakes import Books, Clock

AT = "2026-03-02T09:00:00Z"
RECEIVED = "receipt.recorded.v1"
ADJUSTED = "inventory.adjusted.v1"
Place = tuple[str, ...]


def receipt(message_id: str, amount: str, item: str = "WHEEL-10", lot: str = "", at: str = AT) -> Incoming:
    quantity, none = {"value": amount, "uom": "EA"}, {"value": "0", "uom": "EA"}
    data = {"event_time": at, "document_ref": {"type": "purchase_order", "id": "1"}, "item": item}
    data |= {"received": quantity, "accepted": quantity, "rejected": none, "location": {"storage": "ST"}}
    return incoming(message_id, RECEIVED, data | ({"lot": lot} if lot else {}))


class House:
    """Receipts go to both systems; so do adjustments. The ERP is the system of record for inventory."""

    def __init__(self, store: Store, record: str = "erp") -> None:
        self.store, self.clock = store, Clock(NOON)
        self.erp, self.wms = Books(), Books()
        line = pipeline(store, {"erp": self.erp, "wms": self.wms}, self.clock)
        both = (RouteTarget("erp"), RouteTarget("wms"))
        routes = tuple(Route(kind, both) for kind in (RECEIVED, ADJUSTED))
        records = {**line.topology.systems_of_record, "inventory": SystemOfRecord("inventory", record)}
        # A mapping that takes adjustments; what it makes of them is not asked here.
        targets = {code: self._target(one) for code, one in line.topology.targets.items()}
        topology = replace(line.topology, routes=routes, systems_of_record=records, targets=targets)
        self.line = replace(line, topology=topology)
        know_items(store, "WHEEL-10", "BIKE-100", "RIM-1")

    @staticmethod
    def _target(target: Target) -> Target:
        return replace(target, mapping="echo")

    def post(self, *messages: Incoming) -> list[int]:
        ids = accept(self.store, *messages, at=self.clock())
        self.work()
        return ids

    def work(self) -> None:
        run_once(self.line, up_to=1_000)
        assert not project(self.store, self.clock, 30.0).goes_on

    def snapshot(self, system: str, balances: Mapping[Place, str]) -> int:
        """``(item, storage, lot)`` or fewer of these, and how much."""
        rows = [
            Balance("P100", *(*place, "", "")[:3], Decimal(amount), "EA")  # type: ignore[misc]
            for place, amount in balances.items()
        ]
        with self.store.writing() as session:
            return save_snapshot(session, system, self.clock(), "a test", "ada", rows)

    def reconcile(
        self, balances: Mapping[Place, str], level: Level = Level.ITEM, system: str = "erp"
    ) -> Reconciliation:
        snapshot = self.snapshot(system, balances)
        return reconcile(self.store, self.line.topology, snapshot, level, "ada", self.clock())

    def differences(self, report: Reconciliation) -> dict[str, Difference]:
        with self.store.reading() as session:
            return {one.item: one for one in list_differences(session, report.id, 1_000)}

    def propose(self, report: Reconciliation, kind: str = "take_over", number: int = 0, who: str = "ada") -> Proposal:
        with self.store.writing() as session:
            return propose(session, self.line.topology, report.id, kind, number, "counted", who, self.clock())

    def approve(self, proposal: Proposal, who: str = "bob") -> Approved:
        return approve(self.store, self.line.topology, proposal.id, None, who, self.clock)

    def holds(self, system: str) -> list[tuple[Any, ...]]:
        """The adjustments that a system was sent: item, amount, storage location, lot."""
        books = {"erp": self.erp, "wms": self.wms}[system]
        data = [one["data"] for one in books.documents if one.get("type") == ADJUSTED]
        return [(d["item"], d["delta"]["value"], d.get("location", {}).get("storage"), d.get("lot")) for d in data]
