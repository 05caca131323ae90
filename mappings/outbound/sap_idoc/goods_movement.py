"""Goods movements as MBGMCR03, flat or as XML, and the IDoc that undoes each.

The document header text (HEADER_TXT, 25 characters) is the posting key without its ``LS``, so that SAP's users find it;
the control record's ARCKEY is the whole key. Mapping options beside those of the movements: ``form``, ``control``
(client, ports and partners), ``segment_names``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.context import Event, OutboundContext
from mappings.outbound.lines import with_values
from mappings.outbound.sap.goods_movements import GoodsMovement, Item, goods_movement, reversal
from mappings.outbound.sap_idoc.records import Written, document_number, flat, xml

_BASIC_TYPE = "MBGMCR03"
# What says which document an item is about (MVT_IND): a purchase order, a production order.
_PURCHASE, _PRODUCTION = "B", "F"


def to_document(event: Event, context: OutboundContext) -> Mapping[str, Any] | None:
    movement = goods_movement(event, context)
    if movement is None:
        return None
    key = context.posting_key
    return {
        "text": _text(movement, key, context),
        "reversal_text": _text(reversal(movement), f"reversal of {key}", context),
    }


def _text(movement: GoodsMovement, key: str, context: OutboundContext) -> str:
    control, segments = _control(movement, key, context), _segments(movement, context)
    if context.options.get("form", "flat") == "xml":
        return xml(_BASIC_TYPE, control, segments)
    return flat(control, segments, context.options.get("segment_names", {}))


def _control(movement: GoodsMovement, key: str, context: OutboundContext) -> dict[str, str]:
    """Partners of type LS are logical systems, as ALE knows them."""
    named = context.options.get("control", {})
    return with_values(
        TABNAM="EDI_DC40",
        MANDT=named.get("client"),
        DOCNUM=document_number(key),
        DIRECT="2",
        IDOCTYP=_BASIC_TYPE,
        MESTYP="MBGMCR",
        SNDPOR=named.get("sender_port"),
        SNDPRT="LS",
        SNDPRN=named.get("sender"),
        RCVPOR=named.get("receiver_port"),
        RCVPRT="LS",
        RCVPRN=named.get("receiver"),
        CREDAT=movement.at.strftime("%Y%m%d"),
        CRETIM=movement.at.strftime("%H%M%S"),
        ARCKEY=key,
    )


def _segments(movement: GoodsMovement, context: OutboundContext) -> list[Written]:
    day = movement.at.strftime("%Y%m%d")
    head = {"PSTNG_DATE": day, "DOC_DATE": day, "HEADER_TXT": context.posting_key[2:]}
    return [
        Written("E1MBGMCR", 1, {}),
        Written("E1BP2017_GM_HEAD_01", 2, head),
        Written("E1BP2017_GM_CODE", 2, {"GM_CODE": movement.code}),
        *(Written("E1BP2017_GM_ITEM_CREATE", 2, _fields(item)) for item in movement.items),
    ]


def _fields(item: Item) -> dict[str, str]:
    """In the order of the segment, as XML wants it."""
    is_receipt = item.movement_type in ("101", "102")
    indicator = (_PURCHASE if item.purchase_order else _PRODUCTION) if is_receipt else None
    return with_values(
        MATERIAL=_padded(item.material, 18),
        PLANT=item.plant,
        STGE_LOC=item.storage,
        BATCH=item.batch,
        MOVE_TYPE=item.movement_type,
        STCK_TYPE=item.stock_type,
        ENTRY_QNT=item.quantity,
        ENTRY_UOM=item.unit,
        PO_NUMBER=item.purchase_order,
        PO_ITEM=_padded(item.purchase_line, 5),
        NO_MORE_GR="X" if item.is_last else None,
        ITEM_TEXT=item.text,
        ORDERID=_padded(item.order, 12),
        MOVE_PLANT=item.to_plant,
        MOVE_STLOC=item.to_storage,
        MVT_IND=indicator,
        MOVE_REAS=item.reason,
    )


def _padded(code: str, width: int) -> str:
    """SAP keeps numbers with zeros before them; codes with letters as they are."""
    return code.zfill(width) if code.isascii() and code.isdigit() else code
