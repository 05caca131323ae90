"""What tests of business exceptions share: a topology that asks for rules, and rows as the projections leave them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.exception_rules import rounds
from app.exception_rules.rounds import judge_rules
from app.store.availability_tables import OrderNeed
from app.store.exception_tables import BusinessException
from app.store.ledger_tables import ItemStock
from app.store.order_progress_tables import OrderItem, OrderProgress, OrderReport
from app.store.reference_tables import Item, ProductionOrder
from app.store.session import Store
from config.exception_policy import ExceptionPolicy
from config.topology import Topology
from tests.factories import NOON, demo_topology
from tests.fakes import Clock

PLANT = "P100"


def topology_with(rules: Mapping[str, Any], **more: Any) -> Topology:
    """One plant with these rules, all others off."""
    others = {word: {"enabled": False} for word in rounds.RULES if word not in rules}
    demo = demo_topology()
    plants = {PLANT: demo.plants[PLANT]}
    return replace(demo, plants=plants, exceptions=ExceptionPolicy(is_judged=True, rules={**others, **rules}, **more))


class Rounds:
    """One process that judges; each round is later than the pause between two."""

    def __init__(self, store: Store, topology: Topology, clock: Clock | None = None) -> None:
        self.store, self.topology = store, topology
        self.clock = clock or Clock(NOON)

    def run(self) -> list[BusinessException]:
        """One round; returns what is unresolved then, the oldest first."""
        self.clock.pass_time(rounds.EVERY_SECONDS)
        assert judge_rules(self.store, self.topology, self.clock, seconds=60) > 0
        return self.unresolved()

    def unresolved(self) -> list[BusinessException]:
        return [each for each in self.all() if each.state != "resolved"]

    def all(self) -> list[BusinessException]:
        with self.store.reading() as session:
            return list(session.scalars(select(BusinessException).order_by(BusinessException.id)))


def order(
    session: Session, order_id: str, planned: str = "10", end: datetime | None = None, **fields: Any
) -> ProductionOrder:
    values = {"plant": PLANT, "order_id": order_id, "item": "BIKE-100", "uom": "EA", "planned": Decimal(planned)}
    row = ProductionOrder(**{**values, "planned_end_at": end, "released_message_id": 1, "updated_at": NOON, **fields})
    session.add(row)
    session.add(OrderProgress(plant=PLANT, order_id=order_id))
    session.flush()
    return row


def report(
    session: Session, order_id: str, kind: str, quantity: str | None = None, at: datetime = NOON, **fields: Any
) -> None:
    """A line of a report, as the projector enters it, with what it changes of the order's sums."""
    item = fields.get("item", "BIKE-100" if quantity else None)
    values = {"message_id": 7, "event_index": 0, "line": 1, "transformation": order_id, "happened_at": at}
    values |= {"plant": PLANT, "order_id": order_id, "kind": kind, "item": item, "uom": "EA", "entered_at": at}
    session.add(OrderReport(**{**values, "quantity": Decimal(quantity) if quantity else None, **fields}))
    progress = session.get_one(OrderProgress, (PLANT, order_id))
    if kind == "ended":
        progress.ended_at = at
    elif quantity:
        key = {"plant": PLANT, "order_id": order_id, "item": item, "uom": "EA"}
        sums = session.get(OrderItem, tuple(key.values())) or OrderItem(
            **key, produced=Decimal(0), consumed=Decimal(0), scrapped=Decimal(0)
        )
        setattr(sums, kind, getattr(sums, kind) + Decimal(quantity))
        session.add(sums)
    session.flush()


def need(session: Session, order_id: str, quantity: str, item: str = "WHEEL-10") -> None:
    session.add(OrderNeed(plant=PLANT, order_id=order_id, item=item, uom="EA", quantity=Decimal(quantity)))


def item_stock(session: Session, unrestricted: str, reserved: str = "0", item: str = "WHEEL-10") -> ItemStock:
    row = ItemStock(plant=PLANT, item=item, uom="EA", unrestricted=Decimal(unrestricted), reserved=Decimal(reserved))
    session.add(row)
    return row


def priced(session: Session, item: str, cost: str, currency: str = "EUR") -> None:
    values = {"code": item, "description": item, "base_uom": "EA", "units": {}, "system": "erp", "updated_at": NOON}
    session.add(Item(**values, standard_cost=Decimal(cost), currency=currency))


def ago(**length: float) -> datetime:
    return NOON - timedelta(**length)
