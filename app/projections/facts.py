"""What events tell besides stock and production: purchase orders, receipts, shipments, items, bills, equipment."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.projections.equipment import CHANGED, StateTold, enter_states, states_of, void_states
from app.projections.origin import Origin, counting_ones
from app.projections.purchases import settle_purchases
from app.projections.receipts import RECEIVED, Document, ReceiptLine, enter_receipts, receipts_of, void_receipts
from app.projections.shipments import SHIPPED, ShipmentTold, enter_shipments, shipments_of, void_shipments
from app.projections.transits import came_by, enter_transits, sent_by, void_transits
from app.projections.versions import PURCHASE_ORDER, Version, enter_versions, tells_version, versions_of, void_versions
from app.store.logistics_tables import (
    Arrival,
    PurchaseLine,
    PurchaseOrder,
    Receipt,
    Shipment,
    ShipmentLine,
    TransitLine,
)
from app.store.version_tables import BomComponent, EquipmentState, ToldVersion
from mappings.context import Event, ItemFacts

TABLES = (
    *(BomComponent, ToldVersion, PurchaseLine, PurchaseOrder, Receipt),
    *(ShipmentLine, Shipment, TransitLine, Arrival, EquipmentState),
)
"""All that is kept of facts, in the order in which it can be deleted."""


@dataclass
class Facts:
    versions: list[Version] = field(default_factory=list)
    receipts: list[ReceiptLine] = field(default_factory=list)
    shipments: list[ShipmentTold] = field(default_factory=list)
    states: list[StateTold] = field(default_factory=list)

    def add(self, other: Facts) -> None:
        self.versions += other.versions
        self.receipts += other.receipts
        self.shipments += other.shipments
        self.states += other.states


def facts_of(origin: Origin, event: Event, items: Mapping[str, ItemFacts], context: Mapping[str, Any]) -> Facts:
    """What the event tells. Of its ``context`` the own plants that a shipment goes to and comes from are read.

    Raises MappingError where an amount has no exact value in the item's base unit.
    """
    return Facts(
        list(versions_of(origin, event, items)),
        list(receipts_of(origin, event, items)),
        list(shipments_of(origin, event, items, context)),
        list(states_of(origin, event)),
    )


def tells_facts(event: Event) -> bool:
    return event.type in (RECEIVED, SHIPPED, CHANGED) or tells_version(event)


def enter_facts(session: Session, facts: Facts, now: datetime) -> None:
    """Enter these. The caller holds the right to change the projections, and has entered none of them before."""
    told = enter_versions(session, facts.versions, now)
    named = enter_receipts(session, facts.receipts, now)
    settle_purchases(session, _orders(told) | _ordered(named))
    enter_shipments(session, facts.shipments, now)
    enter_transits(session, list(sent_by(facts.shipments)), list(came_by(facts.receipts)))
    enter_states(session, facts.states, now)


def void_facts(session: Session, message_ids: Collection[int], now: datetime) -> None:
    """Take what these messages, which were reversed, told back; it stays as void."""
    told = void_versions(session, message_ids, now)
    named = void_receipts(session, message_ids, now)
    settle_purchases(session, _orders(told) | _ordered(named))
    void_shipments(session, message_ids, now)
    void_transits(session, message_ids, now)
    void_states(session, message_ids, now)


def already_told(session: Session, message_ids: Sequence[int]) -> set[int]:
    """Those of these messages whose facts are entered and count."""
    tables = (ToldVersion, Receipt, Shipment, EquipmentState)
    return set().union(*(counting_ones(session, table, message_ids) for table in tables))


def _orders(subjects: Collection[tuple[str, str]]) -> set[str]:
    return {code for kind, code in subjects if kind == PURCHASE_ORDER}


def _ordered(documents: Collection[Document]) -> set[str]:
    return {code for kind, code in documents if kind == PURCHASE_ORDER}
