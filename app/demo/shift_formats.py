"""How each plant's own system puts what happened: vendor JSON, B2MML, semicolons and fixed columns."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from app.demo.shift_reports import BASE_UNITS, Moved, Received, Worked

CLOUD_EVENT = "application/cloudevents+json"
JSON = "application/json"
XML = "application/xml"

GERMAN = ZoneInfo("Europe/Berlin")
DETROIT = ZoneInfo("America/Detroit")

MES_UNITS = {"EA": "STK", "KG": "KGM"}
B2MML_UNITS = {"EA": "each", "KG": "kg"}
LEGACY_UNITS = {"EA": "PC", "KG": "K"}

CONFIRMATION_COLUMNS = (
    "record_no;order_no;operation;item_no;good_qty;scrap_qty;unit;reason;lot_no;posted_on;posted_time;last"
)


@dataclass(frozen=True)
class Body:
    """One message of a system: what it calls it, and its bytes."""

    type: str
    content_type: str
    body: bytes


def _utc(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode()


def event(source: str, plant: str, event_type: str, event_id: str, at: datetime, data: Mapping[str, Any]) -> Body:
    """A canonical CloudEvent."""
    envelope = {"specversion": "1.0", "id": event_id, "source": source, "type": event_type, "plant": plant}
    envelope |= {"time": _utc(at), "datacontenttype": JSON}
    return Body(event_type, CLOUD_EVENT, _json({**envelope, "data": {"event_time": _utc(at), **data}}))


def moved_data(moved: Moved) -> dict[str, Any]:
    ends = {"from": {"storage": moved.origin}, "to": {"storage": moved.destination}}
    return {"item": moved.item, "quantity": _quantity(moved.item, moved.quantity), **ends}


def received_data(received: Received, storage: str) -> dict[str, Any]:
    amount = _quantity(received.item, received.quantity)
    return {
        "document_ref": {"type": "purchase_order", "id": received.purchase_order, "line": str(received.line)},
        "item": received.item,
        "received": amount,
        "accepted": amount,
        "rejected": {**amount, "value": "0"},
        "location": {"storage": storage},
    }


def _quantity(item: str, value: Decimal) -> dict[str, str]:
    return {"value": format(value, "f"), "uom": BASE_UNITS.get(item, "EA")}


def mes_messages(worked: Worked) -> Iterator[Body]:
    """The assembly's MES reports issue, scrap and completion apart."""
    order: dict[str, Any] = {"nummer": worked.order.number, "vorgang": "0010", "fertig": False}
    used = [_position(item, quantity) for item, quantity in worked.used.items()]
    yield _mes("mes.issue", worked.at, {"auftrag": order, "verbrauch": used})
    if worked.lost:
        cause = {"code": "S12", "text": "Lackschaden"}
        lost = [{**_position(worked.order.item, Decimal(worked.lost)), "grund": cause}]
        yield _mes("mes.scrap", worked.at + timedelta(seconds=1), {"auftrag": order, "ausschuss": lost})
    good = [{**_position(worked.order.item, Decimal(worked.good)), "charge": worked.order.lot}]
    done = {"auftrag": {**order, "fertig": worked.final}, "gutmengen": good}
    yield _mes("mes.completion", worked.at + timedelta(seconds=2), done)


def mes_move(moved: Moved) -> Body:
    ends = {"von": {"lagerort": moved.origin}, "nach": {"lagerort": moved.destination}}
    return _mes("mes.move", moved.at, {**_position(moved.item, moved.quantity), **ends})


def mes_receipt(received: Received) -> Body:
    amount = format(received.quantity, "f")
    order = {"nummer": received.purchase_order, "position": str(received.line)}
    amounts = {"eingang": amount, "gut": amount, "abgelehnt": "0"}
    unit = {"material": received.item, "einheit": MES_UNITS[BASE_UNITS.get(received.item, "EA")]}
    return _mes("mes.receipt", received.at, {"bestellung": order, **unit, **amounts})


def _mes(kind: str, at: datetime, fields: Mapping[str, Any]) -> Body:
    local = at.astimezone(GERMAN).isoformat()
    return Body(kind, JSON, _json({"ts": local, "arbeitsplatz": {"linie": "ML-1"}, **fields}))


def _position(item: str, quantity: Decimal) -> dict[str, Any]:
    return {"material": item, "menge": format(quantity, "f"), "einheit": MES_UNITS[BASE_UNITS.get(item, "EA")]}


def b2mml_report(worked: Worked) -> Body:
    """The machining's MES reports all of a work step in one document."""
    order = worked.order
    made = [_material(order.item, Decimal(worked.good), "Produced", f"<MaterialLotID>{order.lot}</MaterialLotID>")]
    used = [_material(item, quantity, "Consumed") for item, quantity in worked.used.items()]
    lost = [_material(order.item, Decimal(worked.lost), "Produced", after=_SCRAP_REASON)] if worked.lost else []
    text = _B2MML.format(
        at=_utc(worked.at),
        order=order.number,
        plant=order.plant,
        materials="".join([*used, *lost, *made]),
        state="Completed" if worked.final else "Running",
    )
    return Body("b2mml.ProductionPerformance", XML, text.encode())


def _material(item: str, quantity: Decimal, use: str, lot: str = "", after: str = "") -> str:
    amount = f"<QuantityString>{quantity:f}</QuantityString><DataType>decimal</DataType>"
    unit = f"<UnitOfMeasure>{B2MML_UNITS[BASE_UNITS.get(item, 'EA')]}</UnitOfMeasure>"
    return (
        f"<MaterialActual><MaterialDefinitionID>{item}</MaterialDefinitionID>{lot}<MaterialUse>{use}</MaterialUse>"
        f"<Quantity>{amount}{unit}</Quantity>{after}</MaterialActual>"
    )


_SCRAP_REASON = (
    "<MaterialActualProperty><ID>ScrapReason</ID><Value><ValueString>POROUS-WELD</ValueString>"
    "<DataType>string</DataType><UnitOfMeasure/></Value></MaterialActualProperty>"
)
_B2MML = """<?xml version="1.0" encoding="utf-8"?>
<ProductionPerformance xmlns="http://www.mesa.org/xml/B2MML-V0600">
<Location><EquipmentID>{plant}</EquipmentID><EquipmentElementLevel>Site</EquipmentElementLevel></Location>
<ProductionResponse><ID>{order}</ID><ProductionRequestID>{order}</ProductionRequestID>
<SegmentResponse><ID>S1</ID><ProcessSegmentID>WELD</ProcessSegmentID><ActualEndTime>{at}</ActualEndTime>
{materials}
</SegmentResponse><ResponseState>{state}</ResponseState></ProductionResponse></ProductionPerformance>
"""


def confirmations(worked: Iterable[Worked], first_record: int) -> Iterator[str]:
    """A row for each report; the last column says that the order is done."""
    for number, report in enumerate(worked, start=first_record):
        local = report.at.astimezone(DETROIT)
        yield ";".join(
            [
                f"{number:010d}",
                report.order.number.zfill(12),
                "0010",
                report.order.item,
                f"{report.good},000",
                f"{report.lost},000",
                "PC",
                "RUN" if report.lost else "",
                report.order.lot,
                local.strftime("%d.%m.%Y"),
                local.strftime("%H%M%S"),
                "X" if report.final else "",
            ]
        )


def issue_rows(worked: Iterable[Worked], first_record: int) -> Iterator[str]:
    """A movement 261 for each part that was fetched, just before the report."""
    record = first_record
    for report in worked:
        for item, quantity in report.used.items():
            at = report.at - timedelta(seconds=30)
            yield _movement(record, "261", item, quantity, "P300-ST", "", report.order.number, at)
            record += 1


def move_row(record: int, moved: Moved, code: str = "311") -> str:
    return _movement(record, code, moved.item, moved.quantity, moved.origin, moved.destination, "", moved.at)


def receipt_row(record: int, received: Received) -> str:
    order = f"{received.purchase_order}/{received.line:02d}"
    return _movement(record, "101", received.item, received.quantity, "", "P300-ST", order, received.at)


def _movement(
    record: int, code: str, item: str, quantity: Decimal, origin: str, destination: str, order: str, at: datetime
) -> str:
    number = f"{quantity:.3f}".replace(".", ",").zfill(13)
    unit = LEGACY_UNITS[BASE_UNITS.get(item, "EA")]
    local = at.astimezone(DETROIT).strftime("%Y%m%d%H%M%S")
    return (
        f"{record:010d}{code:<3}{item:<18}{number}{unit:<3}{origin:<10}{destination:<10}{order:<12}{'':<16}{local:<14}"
    )


def confirmations_trailer(rows: Sequence[str]) -> str:
    """Counts the rows and adds up good and scrap, of those rows that are whole."""
    fields = [row.split(";") for row in rows]
    sums = [sum((_plain(row[column]) for row in fields if len(row) > column), Decimal(0)) for column in (4, 5)]
    return ";".join(["TRL", str(len(rows)), *(_with_comma(total) for total in sums)])


def movements_trailer(rows: Sequence[str]) -> str:
    """Counts the rows and adds up their quantities."""
    total = sum((_plain(row[31:44]) for row in rows), Decimal(0))
    return f"TRL{len(rows):06d}{_with_comma(total).zfill(15)}"


def _plain(number: str) -> Decimal:
    return Decimal(number.replace(",", "."))


def _with_comma(number: Decimal) -> str:
    return f"{number:.3f}".replace(".", ",")


def as_file(rows: Iterable[str], header: str = "") -> bytes:
    return "".join(f"{row}\r\n" for row in ([header] if header else []) + list(rows)).encode("ascii")
