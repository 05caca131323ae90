"""Production: confirmations for API_PROD_ORDER_CONFIRMATION_2_SRV, entity ProdnOrdConf2 (SAP Business Accelerator Hub,
"Production Order Confirmation"; help.sap.com, SAP Cloud SDK, read on 30 November 2026), or material documents.

Mapping options: ``completions`` is ``confirmation`` (as if not given) or ``movement``; ``scrap`` is ``movement`` (as if
not given: any material may be scrapped) or ``confirmation``, for a plant that reports only the order's own product.
ConfirmationText has 40 characters and holds the posting key. A confirmation has no part ``reversal``: SAP cancels it by
group and counter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from mappings.context import CORRECT_IT, Event, MappingError, OutboundContext
from mappings.outbound.sap.goods_movements import (
    Item,
    goods_movement,
    local_moment,
    sap_plant,
    sap_quantity,
    sap_reason,
    sap_unit,
)
from mappings.outbound.sap_odata import material_document
from mappings.outbound.sap_odata.values import day, entity
from mappings.units import plain

_ORDER_ITEM = "1"
_PRODUCTION = "F"
_SEQUENCE = "0"


def completed_to_document(event: Event, context: OutboundContext) -> Mapping[str, Any] | None:
    if context.options.get("completions", "confirmation") == "movement":
        return material_document.to_document(event, context)
    movement = goods_movement(event, context)
    items = movement.items if movement else ()
    final = event.data["final"]
    received = [_receipt(item) for item in items]
    body = _confirmation(event, context, final=final) | _yield(items)
    return {"post": body | ({"to_ProdnOrdConfMatlDocItm": {"results": received}} if received else {})}


def scrapped_to_document(event: Event, context: OutboundContext) -> Mapping[str, Any] | None:
    if context.options.get("scrap", "movement") == "movement":
        return material_document.to_document(event, context)
    amount = event.data["quantity"]
    scrapped = entity(
        ConfirmationYieldQuantity="0",
        ConfirmationScrapQuantity=sap_quantity(amount["value"], "quantity"),
        ConfirmationUnit=sap_unit(amount["uom"], context),
        VarianceReasonCode=sap_reason(event.data["reason"], context),
    )
    return {"post": _confirmation(event, context, final=False) | scrapped}


def _confirmation(event: Event, context: OutboundContext, *, final: bool) -> dict[str, Any]:
    """Of an operation where the event names one, else of the order."""
    segment = event.data.get("segment")
    return entity(
        OrderID=event.data["order_id"],
        Sequence=_SEQUENCE if segment else None,
        OrderOperation=segment,
        Plant=sap_plant(context),
        PostingDate=day(local_moment(event, context)),
        ConfirmationText=context.posting_key,
        IsFinalConfirmation=final,
        FinalConfirmationType="X" if final else None,
    )


def _yield(items: Sequence[Item]) -> dict[str, Any]:
    """A confirmation counts one material in one unit."""
    if not items:
        return {"ConfirmationYieldQuantity": "0"}
    if len({(item.material, item.unit) for item in items}) > 1:
        told = "the outputs are several items or in several units, and a confirmation counts one"
        mend = "set the mapping option completions to movement, then requeue."
        raise MappingError("output_mixed", f"{told}; {mend} {CORRECT_IT}", "outputs")
    total = sum((Decimal(item.quantity) for item in items), Decimal(0))
    return {"ConfirmationYieldQuantity": plain(total), "ConfirmationUnit": items[0].unit}


def _receipt(item: Item) -> dict[str, Any]:
    return entity(
        OrderID=item.order,
        OrderItem=_ORDER_ITEM,
        Material=item.material,
        Plant=item.plant,
        StorageLocation=item.storage,
        Batch=item.batch,
        GoodsMovementType=item.movement_type,
        GoodsMovementRefDocType=_PRODUCTION,
        EntryUnit=item.unit,
        QuantityInEntryUnit=item.quantity,
    )
