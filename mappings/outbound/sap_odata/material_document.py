"""Material documents for API_MATERIAL_DOCUMENT_SRV, entity A_MaterialDocumentHeader (SAP Business Accelerator Hub,
"Material Documents - Read, Create"; help.sap.com, SAP Cloud SDK, MaterialDocumentHeader, read on 30 November 2026).

MaterialDocumentHeaderText has 25 characters: it is the posting key without its ``LS``, which the look-up asks for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.context import Event, OutboundContext
from mappings.outbound.sap.goods_movements import GoodsMovement, Item, goods_movement, reversal
from mappings.outbound.sap_odata.values import day, entity

# The target fills it in with the reversal's own key.
_OWN_KEY = "{short_key}"
_PURCHASE, _PRODUCTION = "B", "F"


def to_document(event: Event, context: OutboundContext) -> Mapping[str, Any] | None:
    movement = goods_movement(event, context)
    if movement is None:
        return None
    return {"post": _header(movement, context.posting_key[2:]), "reversal": _header(reversal(movement), _OWN_KEY)}


def _header(movement: GoodsMovement, text: str) -> dict[str, Any]:
    return {
        "GoodsMovementCode": movement.code,
        "PostingDate": day(movement.at),
        "DocumentDate": day(movement.at),
        "MaterialDocumentHeaderText": text,
        "to_MaterialDocumentItem": {"results": [_item(item) for item in movement.items]},
    }


def _item(item: Item) -> dict[str, Any]:
    is_receipt = item.movement_type in ("101", "102")
    return entity(
        Material=item.material,
        Plant=item.plant,
        StorageLocation=item.storage,
        Batch=item.batch,
        GoodsMovementType=item.movement_type,
        InventoryUsabilityCode=item.stock_type,
        EntryUnit=item.unit,
        QuantityInEntryUnit=item.quantity,
        ManufacturingOrder=item.order,
        PurchaseOrder=item.purchase_order,
        PurchaseOrderItem=item.purchase_line,
        GoodsMovementRefDocType=(_PURCHASE if item.purchase_order else _PRODUCTION) if is_receipt else None,
        IsCompletelyDelivered=item.is_last or None,
        IssuingOrReceivingPlant=item.to_plant,
        IssuingOrReceivingStorageLoc=item.to_storage,
        GoodsMovementReasonCode=item.reason,
        MaterialDocumentItemText=item.text,
    )
