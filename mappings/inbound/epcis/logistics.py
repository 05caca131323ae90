"""Goods that come in and goods that leave."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mappings.context import Event
from mappings.formats.gs1_identifiers import LogisticUnit
from mappings.inbound.epcis.events import Reported
from mappings.inbound.epcis.goods import CHILDREN, Goods, Package, Scope, goods_of, lists_of, unpacked, whole_goods
from mappings.inbound.epcis.heads import (
    BILL_OF_LADING,
    DESPATCH_ADVICE,
    PURCHASE_ORDER,
    document_number,
    head,
    other_document,
    party,
    purchase_order_ref,
)
from mappings.inbound.epcis.items import identified
from mappings.inbound.payload import present, wrong

REJECTED = frozenset({"non_conformant", "damaged", "expired", "recalled"})


def received(event: Reported, scope: Scope) -> Sequence[Event]:
    """A receipt a line, on the purchase order, else on the despatch advice, else on what the event is known by. What
    has a disposition of the rejected is rejected, all else accepted."""
    reference = _receipt_reference(event, scope)
    data = head(event, scope.context) | {"document_ref": reference}
    rejected = bool(event.dispositions & REJECTED)
    lines = whole_goods(event, lists_of(event), scope)
    return [Event("receipt.recorded.v1", data | _receipt(line, rejected)) for line in lines]


def _receipt_reference(event: Reported, scope: Scope) -> dict[str, Any]:
    if (order := document_number(event, PURCHASE_ORDER)) is not None:
        return {"type": "purchase_order", "id": order}
    if (advice := document_number(event, DESPATCH_ADVICE)) is not None:
        return {"type": "despatch_advice", "id": advice}
    return other_document(event, scope.context)


def _receipt(line: dict[str, Any], rejected: bool) -> dict[str, Any]:
    quantity = line["quantity"]
    nothing = quantity | {"value": "0"}
    rest = {name: value for name, value in line.items() if name != "quantity"}
    amounts = {"accepted": nothing, "rejected": quantity} if rejected else {"accepted": quantity, "rejected": nothing}
    return rest | {"received": quantity} | amounts


def shipped(event: Reported, scope: Scope) -> Sequence[Event]:
    """One delivery: its packages, each with what the document says is in it, and the goods in no package."""
    goods = _shipped_goods(event, scope)
    order_ref = purchase_order_ref(event)
    packages = [
        present(sscc=package.sscc, lines=[present(**line, order_ref=order_ref) for line in inside or ()])
        for package, inside in _with_contents(goods, event, scope)
    ]
    lines = [present(**line, order_ref=order_ref) for line in goods.lines]
    if not packages and not lines:
        raise wrong("goods_missing", "the event names no goods", event.at(lists_of(event).epc_path))
    data = present(
        **head(event, scope.context),
        delivery_id=_delivery(event),
        ship_from=party(event, "sources", scope.context),
        ship_to=party(event, "destinations", scope.context),
        packages=packages,
        lines=lines,
    )
    return [Event("shipment.confirmed.v1", data)]


def _shipped_goods(event: Reported, scope: Scope) -> Goods:
    """An aggregation is the package that it is about, or its children where the parent is no package."""
    parent = event.fields.get("parent") if event.type == "AggregationEvent" else None
    unit = None if parent is None else identified(parent, event.at("parentID"), scope.context)
    if isinstance(unit, LogisticUnit):
        return Goods([], [Package(unit.sscc, event.at("parentID"))])
    return goods_of(event, lists_of(event), scope)


def _with_contents(
    goods: Goods, event: Reported, scope: Scope
) -> Sequence[tuple[Package, Sequence[dict[str, Any]] | None]]:
    """The event's own aggregation says what is in its parent, before any packing event does."""
    if not goods.packages or goods.packages[0].place != event.at("parentID"):
        return list(unpacked(goods.packages, scope))
    children = goods_of(event, CHILDREN, scope)
    parent = goods.packages[0]
    scope.drawn.add(parent.sscc)
    inner = [pair for pair in unpacked(children.packages, scope) if pair[0].sscc != parent.sscc]
    return [(parent, children.lines), *inner]


def _delivery(event: Reported) -> str:
    """Partners who send no despatch advice ship each order whole: then its number stands for the delivery."""
    for kind in (DESPATCH_ADVICE, BILL_OF_LADING, PURCHASE_ORDER):
        if number := document_number(event, kind):
            return number
    told = "the shipment names no delivery: no despatch advice (desadv), bill of lading (bol) or purchase order (po)"
    raise wrong("document_missing", told, event.at("bizTransactionList"))
