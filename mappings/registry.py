"""Which mapping serves which payload: one line each, and the only place that knows them all."""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mappings.context import Deviations, Event, InboundContext, OutboundContext
from mappings.formats import b2mml, edifact, epcis, idoc, json_body, rows, x12
from mappings.inbound.adventureworks import inventory as aw_inventory
from mappings.inbound.adventureworks import product as aw_product
from mappings.inbound.adventureworks import purchase_line as aw_purchase_line
from mappings.inbound.adventureworks import transaction as aw_transaction
from mappings.inbound.adventureworks import work_order as aw_work_order
from mappings.inbound.edifact import delfor, desadv, invrpt, orders, recadv
from mappings.inbound.epcis import document as epcis_document
from mappings.inbound.legacy_files import confirmation, movement
from mappings.inbound.mes_b2mml import definition as b2mml_definition
from mappings.inbound.mes_b2mml import events as b2mml_events
from mappings.inbound.mes_b2mml import material as b2mml_material
from mappings.inbound.mes_b2mml import performance
from mappings.inbound.mes_b2mml import schedule as b2mml_schedule
from mappings.inbound.mes_json import completion, issue, move, receipt, scrap
from mappings.inbound.sap_idoc import bill_of_material, delivery, goods_movement, material_master
from mappings.inbound.sap_idoc import order_release as idoc_order
from mappings.inbound.sap_idoc import purchase_order as idoc_purchase
from mappings.inbound.x12 import (
    inventory_advice,
    planning_schedule,
    purchase_order,
    receiving_advice,
    ship_notice,
)
from mappings.outbound.b2mml import material_issued as b2mml_issued
from mappings.outbound.b2mml import production_completed as b2mml_completed
from mappings.outbound.b2mml import production_order_released as b2mml_released
from mappings.outbound.b2mml import production_scrapped as b2mml_scrapped
from mappings.outbound.edifact import shipment_confirmed as edifact_shipped
from mappings.outbound.epcis import inventory_adjusted as epcis_adjusted
from mappings.outbound.epcis import inventory_counted as epcis_counted
from mappings.outbound.epcis import inventory_moved as epcis_moved
from mappings.outbound.epcis import material_issued as epcis_issued
from mappings.outbound.epcis import production_completed as epcis_completed
from mappings.outbound.epcis import production_scrapped as epcis_scrapped
from mappings.outbound.epcis import quality_held as epcis_held
from mappings.outbound.epcis import quality_released as epcis_released
from mappings.outbound.epcis import receipt_recorded as epcis_received
from mappings.outbound.epcis import shipment_confirmed as epcis_shipped
from mappings.outbound.legacy_erp import inventory_moved as legacy_erp_moved
from mappings.outbound.mes import production_order_released as mes_released
from mappings.outbound.planning import production_completed as planning_completed
from mappings.outbound.planning import production_scrapped as planning_scrapped
from mappings.outbound.sap_idoc import goods_movement as idoc_movement
from mappings.outbound.sap_odata import confirmation as odata_confirmation
from mappings.outbound.sap_odata import material_document as odata_document
from mappings.outbound.tryton import inventory_moved as tryton_moved
from mappings.outbound.tryton import material_issued as tryton_issued
from mappings.outbound.tryton import production_completed as tryton_completed
from mappings.outbound.tryton import production_scrapped as tryton_scrapped
from mappings.outbound.tryton import receipt_recorded as tryton_received
from mappings.outbound.wms import inventory_adjusted as wms_adjusted
from mappings.outbound.wms import inventory_moved as wms_moved
from mappings.outbound.wms import inventory_reserved as wms_reserved
from mappings.outbound.wms import material_issued as wms_issued
from mappings.outbound.wms import production_completed as wms_completed
from mappings.outbound.wms import receipt_recorded as wms_received
from mappings.outbound.wms import replenishment_requested as wms_replenished
from mappings.outbound.wms import reservation_ended as wms_reservation_ended
from mappings.outbound.wms import shipment_confirmed as wms_shipped
from mappings.outbound.x12 import shipment_confirmed as x12_shipped


@dataclass(frozen=True)
class InboundMapping:
    """``read`` turns raw bytes into the parsed payload, notes what departs from the format's standard, and raises
    MappingError with the place of a fault; ``to_canonical`` turns that into one or more canonical events."""

    read: Callable[[bytes, Deviations], Any]
    to_canonical: Callable[[Any, InboundContext], Sequence[Event]]

    @cached_property
    def version(self) -> str:
        """Content hash of the modules of reader and mapping: the same text gives the same version anywhere."""
        return _module_hash(self.read, self.to_canonical)


@dataclass(frozen=True)
class OutboundMapping:
    """``to_document`` turns one canonical event into the JSON-able document that the target's adapter posts;
    None means that this target has nothing to do for this event."""

    to_document: Callable[[Event, OutboundContext], Mapping[str, Any] | None]

    @cached_property
    def version(self) -> str:
        return _module_hash(self.to_document)


def _module_hash(*functions: Callable[..., Any]) -> str:
    names = {name for function in functions for name in modules_behind(function.__module__)}
    digest = hashlib.sha256()
    for name in sorted(names):
        digest.update(inspect.getsource(sys.modules[name]).encode())
        # What a module read from a data file of its own decides as much as its text.
        digest.update(vars(sys.modules[name]).get("DATA", b""))
    return digest.hexdigest()[:12]


def modules_behind(name: str) -> set[str]:
    """A mapping's module and every module of ours that it draws on: a change in a shared part is a change of it."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        name = waiting.pop()
        if name in found or name not in sys.modules:
            continue
        found.add(name)
        for value in vars(sys.modules[name]).values():
            owner = value.__name__ if inspect.ismodule(value) else getattr(value, "__module__", None)
            if isinstance(owner, str) and owner.startswith("mappings."):
                waiting.append(owner)
    return found


# (mapping family of the source in the topology, type that the source sends) -> mapping
INBOUND: dict[tuple[str, str], InboundMapping] = {
    ("mes_json", "mes.completion"): InboundMapping(json_body.read, completion.to_canonical),
    ("mes_json", "mes.scrap"): InboundMapping(json_body.read, scrap.to_canonical),
    ("mes_json", "mes.issue"): InboundMapping(json_body.read, issue.to_canonical),
    ("mes_json", "mes.move"): InboundMapping(json_body.read, move.to_canonical),
    ("mes_json", "mes.receipt"): InboundMapping(json_body.read, receipt.to_canonical),
    ("mes_b2mml", "b2mml.ProductionPerformance"): InboundMapping(b2mml.read_performance, performance.to_canonical),
    ("mes_b2mml", "b2mml.OperationsPerformance"): InboundMapping(b2mml.read_performance, performance.to_canonical),
    ("mes_b2mml", "b2mml.ProductionSchedule"): InboundMapping(b2mml.read_schedule, b2mml_schedule.to_canonical),
    ("mes_b2mml", "b2mml.OperationsSchedule"): InboundMapping(b2mml.read_schedule, b2mml_schedule.to_canonical),
    ("mes_b2mml", "b2mml.MaterialInformation"): InboundMapping(b2mml.read_material, b2mml_material.to_canonical),
    ("mes_b2mml", "b2mml.MaterialDefinition"): InboundMapping(b2mml.read_material, b2mml_material.to_canonical),
    ("mes_b2mml", "b2mml.MaterialLot"): InboundMapping(b2mml.read_material, b2mml_material.to_canonical),
    ("mes_b2mml", "b2mml.MaterialSubLot"): InboundMapping(b2mml.read_material, b2mml_material.to_canonical),
    ("mes_b2mml", "b2mml.ProductDefinition"): InboundMapping(b2mml.read_definition, b2mml_definition.to_canonical),
    ("mes_b2mml", "b2mml.OperationsDefinition"): InboundMapping(b2mml.read_definition, b2mml_definition.to_canonical),
    ("mes_b2mml", "b2mml.OperationsEvent"): InboundMapping(b2mml.read_events, b2mml_events.to_canonical),
    ("legacy_files", "legacy.confirmation"): InboundMapping(rows.read, confirmation.to_canonical),
    ("legacy_files", "legacy.movement"): InboundMapping(rows.read, movement.to_canonical),
    ("adventureworks", "adventureworks.product"): InboundMapping(rows.read, aw_product.to_canonical),
    ("adventureworks", "adventureworks.work_order"): InboundMapping(rows.read, aw_work_order.to_canonical),
    ("adventureworks", "adventureworks.purchase_line"): InboundMapping(rows.read, aw_purchase_line.to_canonical),
    ("adventureworks", "adventureworks.transaction"): InboundMapping(rows.read, aw_transaction.to_canonical),
    ("adventureworks", "adventureworks.inventory"): InboundMapping(rows.read, aw_inventory.to_canonical),
    ("sap_idoc", "idoc.LOIPRO"): InboundMapping(idoc.read, idoc_order.to_canonical),
    ("sap_idoc", "idoc.MBGMCR"): InboundMapping(idoc.read, goods_movement.to_canonical),
    ("sap_idoc", "idoc.DESADV"): InboundMapping(idoc.read, delivery.to_canonical),
    ("sap_idoc", "idoc.SHPCON"): InboundMapping(idoc.read, delivery.to_canonical),
    ("sap_idoc", "idoc.ORDERS"): InboundMapping(idoc.read, idoc_purchase.to_canonical),
    ("sap_idoc", "idoc.MATMAS"): InboundMapping(idoc.read, material_master.to_canonical),
    ("sap_idoc", "idoc.BOMMAT"): InboundMapping(idoc.read, bill_of_material.to_canonical),
    ("epcis", "epcis.EPCISDocument"): InboundMapping(epcis.read, epcis_document.to_canonical),
    ("epcis", "epcis.Event"): InboundMapping(epcis.read, epcis_document.to_canonical),
    ("edifact", "edifact.ORDERS"): InboundMapping(edifact.read, orders.to_canonical),
    ("edifact", "edifact.DESADV"): InboundMapping(edifact.read, desadv.to_canonical),
    ("edifact", "edifact.RECADV"): InboundMapping(edifact.read, recadv.to_canonical),
    ("edifact", "edifact.INVRPT"): InboundMapping(edifact.read, invrpt.to_canonical),
    ("edifact", "edifact.DELFOR"): InboundMapping(edifact.read, delfor.to_canonical),
    ("x12", "x12.850"): InboundMapping(x12.read, purchase_order.to_canonical),
    ("x12", "x12.856"): InboundMapping(x12.read, ship_notice.to_canonical),
    ("x12", "x12.861"): InboundMapping(x12.read, receiving_advice.to_canonical),
    ("x12", "x12.846"): InboundMapping(x12.read, inventory_advice.to_canonical),
    ("x12", "x12.830"): InboundMapping(x12.read, planning_schedule.to_canonical),
}

# (mapping family of the target in the topology, canonical type) -> mapping
OUTBOUND: dict[tuple[str, str], OutboundMapping] = {
    ("tryton", "production.completed.v1"): OutboundMapping(tryton_completed.to_document),
    ("tryton", "production.scrapped.v1"): OutboundMapping(tryton_scrapped.to_document),
    ("tryton", "material.issued.v1"): OutboundMapping(tryton_issued.to_document),
    ("tryton", "inventory.moved.v1"): OutboundMapping(tryton_moved.to_document),
    ("tryton", "receipt.recorded.v1"): OutboundMapping(tryton_received.to_document),
    ("wms", "production.completed.v1"): OutboundMapping(wms_completed.to_document),
    ("wms", "inventory.moved.v1"): OutboundMapping(wms_moved.to_document),
    ("wms", "inventory.adjusted.v1"): OutboundMapping(wms_adjusted.to_document),
    ("wms", "receipt.recorded.v1"): OutboundMapping(wms_received.to_document),
    ("wms", "material.issued.v1"): OutboundMapping(wms_issued.to_document),
    ("wms", "shipment.confirmed.v1"): OutboundMapping(wms_shipped.to_document),
    ("wms", "replenishment.requested.v1"): OutboundMapping(wms_replenished.to_document),
    ("wms", "inventory.reserved.v1"): OutboundMapping(wms_reserved.to_document),
    ("wms", "inventory.reservation.ended.v1"): OutboundMapping(wms_reservation_ended.to_document),
    ("planning", "production.completed.v1"): OutboundMapping(planning_completed.to_document),
    ("planning", "production.scrapped.v1"): OutboundMapping(planning_scrapped.to_document),
    ("mes", "production.order.released.v1"): OutboundMapping(mes_released.to_document),
    ("b2mml", "production.order.released.v1"): OutboundMapping(b2mml_released.to_document),
    ("b2mml", "production.completed.v1"): OutboundMapping(b2mml_completed.to_document),
    ("b2mml", "material.issued.v1"): OutboundMapping(b2mml_issued.to_document),
    ("b2mml", "production.scrapped.v1"): OutboundMapping(b2mml_scrapped.to_document),
    ("legacy_erp", "inventory.moved.v1"): OutboundMapping(legacy_erp_moved.to_document),
    ("sap_idoc", "production.completed.v1"): OutboundMapping(idoc_movement.to_document),
    ("sap_idoc", "production.scrapped.v1"): OutboundMapping(idoc_movement.to_document),
    ("sap_idoc", "material.issued.v1"): OutboundMapping(idoc_movement.to_document),
    ("sap_idoc", "inventory.moved.v1"): OutboundMapping(idoc_movement.to_document),
    ("sap_idoc", "inventory.adjusted.v1"): OutboundMapping(idoc_movement.to_document),
    ("sap_idoc", "receipt.recorded.v1"): OutboundMapping(idoc_movement.to_document),
    ("sap_odata", "production.completed.v1"): OutboundMapping(odata_confirmation.completed_to_document),
    ("sap_odata", "production.scrapped.v1"): OutboundMapping(odata_confirmation.scrapped_to_document),
    ("sap_odata", "material.issued.v1"): OutboundMapping(odata_document.to_document),
    ("sap_odata", "inventory.moved.v1"): OutboundMapping(odata_document.to_document),
    ("sap_odata", "inventory.adjusted.v1"): OutboundMapping(odata_document.to_document),
    ("sap_odata", "receipt.recorded.v1"): OutboundMapping(odata_document.to_document),
    ("epcis", "production.completed.v1"): OutboundMapping(epcis_completed.to_document),
    ("epcis", "production.scrapped.v1"): OutboundMapping(epcis_scrapped.to_document),
    ("epcis", "material.issued.v1"): OutboundMapping(epcis_issued.to_document),
    ("epcis", "inventory.moved.v1"): OutboundMapping(epcis_moved.to_document),
    ("epcis", "inventory.adjusted.v1"): OutboundMapping(epcis_adjusted.to_document),
    ("epcis", "inventory.counted.v1"): OutboundMapping(epcis_counted.to_document),
    ("epcis", "receipt.recorded.v1"): OutboundMapping(epcis_received.to_document),
    ("epcis", "shipment.confirmed.v1"): OutboundMapping(epcis_shipped.to_document),
    ("epcis", "quality.held.v1"): OutboundMapping(epcis_held.to_document),
    ("epcis", "quality.released.v1"): OutboundMapping(epcis_released.to_document),
    ("edifact", "shipment.confirmed.v1"): OutboundMapping(edifact_shipped.to_document),
    ("x12", "shipment.confirmed.v1"): OutboundMapping(x12_shipped.to_document),
}
