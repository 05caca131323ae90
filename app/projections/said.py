"""What one message says of stock, of its use and of orders, as its enriched document has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from app.projections.facts import Facts, facts_of, tells_facts
from app.projections.holds import HoldLine, holds_of, holds_stock
from app.projections.ledger import Entry
from app.projections.movements import legs_of, moves_stock
from app.projections.order_needs import Release, releases_of, releases_order
from app.projections.order_reports import ReportLine, lines_of, reports_of_order
from app.projections.origin import Origin
from app.projections.reservation_uses import StockUse, uses_of
from app.projections.transfers import Transfer, transfer_of
from mappings.canonical import contract
from mappings.canonical.versions import newest
from mappings.context import Event, ItemFacts


@dataclass
class Said:
    """What events say of stock, of its use, and of orders. ``transfers``: moves that another system may tell as well;
    what moves besides is in ``entries``."""

    entries: list[Entry] = field(default_factory=list)
    transfers: list[Transfer] = field(default_factory=list)
    reports: list[ReportLine] = field(default_factory=list)
    holds: list[HoldLine] = field(default_factory=list)
    releases: list[Release] = field(default_factory=list)
    facts: Facts = field(default_factory=Facts)
    uses: list[StockUse] = field(default_factory=list)

    def add(self, other: Said) -> None:
        self.entries += other.entries
        self.transfers += other.transfers
        self.reports += other.reports
        self.holds += other.holds
        self.releases += other.releases
        self.facts.add(other.facts)
        self.uses += other.uses


def read_said(message_id: int, plant: str, document: Sequence[Mapping[str, Any]]) -> Said:
    """What the events of one message say. Raises MappingError, or as Python does where the document is torn."""
    said = Said()
    for index, stored in enumerate(document):
        event = newest(Event(stored["type"], stored["data"]))
        if contract.event_time(event).tzinfo is None:
            raise ValueError("an instant without its offset")
        items = _items_then(stored)
        named = contract.document_text(event.data.get("document_ref") or {})
        named = named or (f"delivery:{event.data['delivery_id']}" if "delivery_id" in event.data else None)
        told = (event.data.get("order_id"), named, event.data.get("reason"))
        legs = legs_of(plant, event, items, stored["context"])
        moment = contract.event_time(event)
        entries = [Entry(message_id, index, n, leg, moment, *told) for n, leg in enumerate(legs)]
        transfer = transfer_of(event, entries)
        if transfer is None:
            said.entries += entries
        else:
            said.transfers.append(transfer)
        said.uses += uses_of(message_id, index, event, legs)
        said.reports += lines_of(message_id, index, plant, event, items)
        said.holds += holds_of(message_id, index, plant, event, items)
        said.releases += releases_of(message_id, plant, event, items)
        origin = Origin(message_id, index, plant, contract.event_time(event))
        said.facts.add(facts_of(origin, event, items, stored["context"]))
    return said


def is_reported(event: Event) -> bool:
    """Whether the event says anything that is projected."""
    of_stock_or_orders = moves_stock(event) or reports_of_order(event) or holds_stock(event) or releases_order(event)
    return of_stock_or_orders or tells_facts(event)


def _items_then(stored: Mapping[str, Any]) -> dict[str, ItemFacts]:
    """The items as they were when the event was enriched: what they become later changes no stock."""
    return {
        code: ItemFacts(
            code, was["description"], was["base_uom"], {unit: Decimal(factor) for unit, factor in was["units"].items()}
        )
        for code, was in stored["context"]["items"].items()
    }
