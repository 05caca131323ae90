"""Every list and detail of the picture, each asked for something else at every call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random

from app.bench.picture_known import Known
from app.bench.plant_names import (
    CUSTOMERS,
    ITEMS_A_GROUP,
    PLANTS,
    SUPPLIERS,
    Words,
    customer,
    next_plant,
    plant_of,
    plant_of_order,
    supplier,
)

Asked = Callable[[], str]


class _Draw:
    """Things of some day, drawn anew at each call."""

    def __init__(self, known: Known, random: Random) -> None:
        self.known, self.random = known, random

    @property
    def words(self) -> Words:
        return Words(self.random.choice(self.known.days))

    @property
    def number(self) -> int:
        return self.random.randrange(self.known.orders)

    @property
    def plant(self) -> str:
        return self.random.choice(PLANTS)

    @property
    def item(self) -> str:
        return self.words.item(self.random.randrange(ITEMS_A_GROUP))

    @property
    def where(self) -> str:
        return f"plant={self.plant}&item={self.item}"

    @property
    def order(self) -> tuple[str, str]:
        number = self.number
        return plant_of_order(number), self.words.order(number)

    @property
    def bought(self) -> str:
        return self.words.lot(2 * self.number)

    @property
    def made(self) -> str:
        return self.words.lot(2 * self.number + 1)

    @property
    def supplier(self) -> str:
        return supplier(self.random.randrange(SUPPLIERS))

    @property
    def customer(self) -> str:
        return customer(self.random.randrange(CUSTOMERS))

    @property
    def machine(self) -> str:
        number = self.number % 30
        return f"{plant_of(number)}/{self.words.machine(20 + number)}"

    @property
    def reservation(self) -> str:
        """Of every tenth order."""
        return f"RS-{self.words.tag}{self.number // 10 * 10:04d}"

    def one(self, kind: Sequence[int]) -> int:
        return self.random.choice(kind)


def calls(known: Known, random: Random) -> Mapping[str, Asked]:
    """By what each asks for."""
    draw = _Draw(known, random)
    return {
        **_of_messages(draw),
        **_of_stock(draw),
        **_of_orders(draw),
        **_of_goods(draw),
        **_of_parties(draw),
        **_of_lots(draw),
        **_of_master_data(draw),
        **_of_trouble(draw),
        **_of_the_installation(draw),
    }


def _of_messages(draw: _Draw) -> Mapping[str, Asked]:
    one = draw.known.messages
    return {
        "messages, newest": lambda: "/v1/messages?limit=50",
        "messages of a plant": lambda: f"/v1/messages?plant={draw.plant}&state=posted&limit=50",
        "messages that wait": lambda: "/v1/messages?state=waiting&limit=50",
        "messages of a key": lambda: f"/v1/messages?plant={draw.plant}&ordering_key=order:{draw.order[1]}",
        "message by its sender's id": lambda: f"/v1/messages?source=mes&source_message_id={draw.words.tag}000100",
        "message": lambda: f"/v1/messages/{draw.one(one)}",
        "payload of a message": lambda: f"/v1/messages/{draw.one(one)}/payload",
        "document of a message": lambda: f"/v1/messages/{draw.one(one)}/documents/enriched",
        "feed, oldest": lambda: "/v1/events?after=0&limit=50",
        "feed from somewhere": lambda: f"/v1/events?after={draw.one(one)}&limit=50",
        "feed of a plant": lambda: f"/v1/events?after={draw.one(one)}&plant={draw.plant}&limit=50",
        "feed since a day": lambda: f"/v1/events?since={draw.words.date}T04:10:00Z&limit=50",
    }


def _of_stock(draw: _Draw) -> Mapping[str, Asked]:
    one = draw.known.messages
    return {
        "inventory": lambda: "/v1/inventory?limit=50",
        "inventory of a plant": lambda: f"/v1/inventory?plant={draw.plant}&limit=50",
        "inventory of an item": lambda: f"/v1/inventory?item={draw.item}",
        "stock": lambda: "/v1/inventory/stock?limit=50",
        "stock of an item": lambda: f"/v1/inventory/stock?{draw.where}&limit=50",
        "stock of a lot": lambda: f"/v1/inventory/stock?lot={draw.made}",
        "movements, newest": lambda: "/v1/inventory/movements?limit=50",
        "movements of an item": lambda: f"/v1/inventory/movements?{draw.where}&limit=50",
        "movements of a lot": lambda: f"/v1/inventory/movements?lot={draw.made}&limit=50",
        "movements of an order": lambda: "/v1/inventory/movements?plant={}&order_id={}".format(*draw.order),
        "movements of a message": lambda: f"/v1/inventory/movements?message_id={draw.one(one)}",
        "inventory by system": lambda: "/v1/inventory/by-system?limit=50",
        "inventory by system of a plant": lambda: f"/v1/inventory/by-system?plant={draw.plant}&limit=50",
        "inventory by system of an item": lambda: f"/v1/inventory/by-system?item={draw.item}",
        "in transit": lambda: "/v1/inventory/in-transit?limit=50",
        "in transit to a plant": lambda: f"/v1/inventory/in-transit?to_plant={draw.plant}&limit=50",
        "in transit of an item": lambda: f"/v1/inventory/in-transit?item={draw.item}&limit=50",
        "put away": lambda: f"/v1/warehouse/put-away?plant={draw.plant}&limit=50",
        "picks": lambda: f"/v1/warehouse/picks?plant={draw.plant}&limit=50",
        "picks of an order": lambda: "/v1/warehouse/picks?plant={}&order_id={}".format(*draw.order),
        "reservations, newest": lambda: "/v1/reservations?limit=50",
        "reservations of an item": lambda: f"/v1/reservations?{draw.where}&limit=50",
        "reservations that are open": lambda: "/v1/reservations?state=open&limit=50",
        "reservation": lambda: f"/v1/reservations/{draw.reservation}",
    }


def _of_orders(draw: _Draw) -> Mapping[str, Asked]:
    return {
        "orders of a plant": lambda: f"/v1/production-orders?plant={draw.plant}&limit=50",
        "orders of an item": lambda: f"/v1/production-orders?plant={draw.plant}&item={draw.item}&limit=50",
        "orders begun": lambda: f"/v1/production-orders?plant={draw.plant}&status=started&limit=50",
        "orders late": lambda: "/v1/production-orders?late=true&limit=50",
        "order": lambda: "/v1/production-orders/{}/{}".format(*draw.order),
        "reports of an order": lambda: "/v1/production-orders/{}/{}/reports".format(*draw.order),
        "equipment": lambda: "/v1/equipment?limit=50",
        "equipment of a plant": lambda: f"/v1/equipment?plant={draw.plant}&limit=50",
        "equipment that stands": lambda: f"/v1/equipment?plant={draw.plant}&state=stopped&limit=50",
        "one equipment": lambda: f"/v1/equipment/{draw.machine}",
        "states of equipment": lambda: f"/v1/equipment/{draw.machine}/states?limit=50",
    }


def _of_goods(draw: _Draw) -> Mapping[str, Asked]:
    return {
        "purchase orders": lambda: "/v1/purchase-orders?limit=50",
        "purchase orders of a plant": lambda: f"/v1/purchase-orders?plant={draw.plant}&limit=50",
        "purchase orders of a supplier": lambda: f"/v1/purchase-orders?supplier={draw.supplier}&limit=50",
        "purchase orders of an item": lambda: f"/v1/purchase-orders?item={draw.item}&limit=50",
        "purchase orders partly received": lambda: "/v1/purchase-orders?status=partly_received&limit=50",
        "purchase order": lambda: f"/v1/purchase-orders/{draw.words.purchase_order(draw.number)}",
        "receipts, newest": lambda: "/v1/receipts?limit=50",
        "receipts of an item": lambda: f"/v1/receipts?{draw.where}&limit=50",
        "receipts of a lot": lambda: f"/v1/receipts?lot={draw.bought}&limit=50",
        "receipts of a purchase order": lambda: f"/v1/receipts?purchase_order={draw.words.purchase_order(draw.number)}",
        "shipments, newest": lambda: "/v1/shipments?limit=50",
        "shipments of a plant": lambda: f"/v1/shipments?plant={draw.plant}&limit=50",
        "shipments to a customer": lambda: f"/v1/shipments?ship_to={draw.customer}&limit=50",
        "shipments of an item": lambda: f"/v1/shipments?item={draw.item}&limit=50",
        "shipments of a lot": lambda: f"/v1/shipments?lot={draw.made}&limit=50",
        "shipments in transit": lambda: "/v1/shipments?in_transit=true&limit=50",
        "shipments in transit to a plant": lambda: f"/v1/shipments?in_transit=true&to_plant={next_plant(draw.number)}",
        "shipment": lambda: f"/v1/shipments/{draw.one(draw.known.shipments)}",
    }


def _of_parties(draw: _Draw) -> Mapping[str, Asked]:
    return {
        "a supplier's orders": lambda: f"/v1/supplier/purchase-orders?supplier={draw.supplier}&limit=50",
        "a supplier's open orders": lambda: f"/v1/supplier/purchase-orders?supplier={draw.supplier}&open=true&limit=50",
        "a supplier's receipts": lambda: f"/v1/supplier/receipts?supplier={draw.supplier}&limit=50",
        "a supplier's holds": lambda: f"/v1/supplier/holds?supplier={draw.supplier}&limit=50",
        "a customer's shipments": lambda: f"/v1/customer/shipments?customer={draw.customer}&limit=50",
    }


def _of_lots(draw: _Draw) -> Mapping[str, Asked]:
    return {
        "lots": lambda: "/v1/lots?limit=50",
        "lots of a plant": lambda: f"/v1/lots?plant={draw.plant}&limit=50",
        "lots of an item": lambda: f"/v1/lots?item={draw.item}&limit=50",
        "lots that are there": lambda: f"/v1/lots?plant={draw.plant}&there=true&limit=50",
        "lot": lambda: f"/v1/lots?lot={draw.made}",
        "trace of a lot up": lambda: f"/v1/lots/{draw.made}/trace",
        "trace of a lot down": lambda: f"/v1/lots/{draw.bought}/trace?direction=down",
        "EPCIS of a lot": lambda: f"/v1/lots/{draw.made}/epcis",
        "holds": lambda: "/v1/quality-holds?limit=50",
        "holds that are open": lambda: f"/v1/quality-holds?plant={draw.plant}&open=true&limit=50",
        "holds of a lot": lambda: f"/v1/quality-holds?lot={draw.made}",
        "holds of an item": lambda: f"/v1/quality-holds?{draw.where}&limit=50",
    }


def _of_master_data(draw: _Draw) -> Mapping[str, Asked]:
    return {
        "items": lambda: "/v1/items?limit=50",
        "item": lambda: f"/v1/items/{draw.item}",
        "versions of an item": lambda: f"/v1/items/{draw.item}/versions?limit=50",
        "bills of materials": lambda: "/v1/boms?limit=50",
        "bills of materials of an item": lambda: f"/v1/boms?item={draw.item}&limit=50",
        "bills that take an item": lambda: f"/v1/boms?component={draw.item}&limit=50",
        "bills in effect": lambda: f"/v1/boms?effective_at={draw.words.date}T05:00:00Z&limit=50",
    }


def _of_trouble(draw: _Draw) -> Mapping[str, Asked]:
    known = draw.known
    return {
        "dead letters, newest": lambda: "/v1/admin/dead-letters?limit=50",
        "dead letters by impact": lambda: "/v1/admin/dead-letters?sort=impact&limit=50",
        "dead letters of a plant by impact": lambda: f"/v1/admin/dead-letters?plant={draw.plant}&sort=impact&limit=50",
        "dead letters of a lot": lambda: f"/v1/admin/dead-letters?lot={draw.made}",
        "dead letters of an item": lambda: f"/v1/admin/dead-letters?item={draw.item}&sort=impact&limit=50",
        "dead letter": lambda: f"/v1/admin/dead-letters/{draw.one(known.dead)}",
        "exceptions, newest": lambda: "/v1/admin/exceptions?limit=50",
        "exceptions that are open": lambda: f"/v1/admin/exceptions?state=open&plant={draw.plant}&limit=50",
        "exceptions of an order": lambda: (
            "/v1/admin/exceptions?object_type=production_order&object_id=" + draw.words.order(4)
        ),
        "exception": lambda: f"/v1/admin/exceptions/{draw.one(known.exceptions)}",
        "postings that are refused": lambda: "/v1/admin/postings?state=refused&limit=50",
        "postings of unknown outcome": lambda: "/v1/admin/postings?limit=50",
        "postings of a target": lambda: "/v1/admin/postings?state=posted&target=wms&limit=50",
        "reconciliations": lambda: "/v1/reconciliations?limit=50",
        "reconciliation": lambda: f"/v1/reconciliations/{draw.one(known.reports)}",
        "differences": lambda: f"/v1/reconciliations/{draw.one(known.reports)}/differences",
        "proposals": lambda: "/v1/proposals?limit=50",
    }


def _measures_of(day: str) -> str:
    return f"/v1/measures?from={day}&to={day}"


def _of_the_installation(draw: _Draw) -> Mapping[str, Asked]:
    return {
        "queues": lambda: "/v1/admin/queues",
        "audit trail": lambda: "/v1/admin/audit?limit=50",
        "audit trail of one": lambda: "/v1/admin/audit?actor=bench&limit=50",
        "measures of a day": lambda: _measures_of(draw.words.date),
        "crosswalks": lambda: "/v1/admin/crosswalks?limit=50",
        "webhooks": lambda: "/v1/webhooks",
    }
