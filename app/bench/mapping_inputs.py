"""One message of each format, of some size, and the parser that a user would call alone; for ``bench mappings``.

Where Lineside writes the format too, the message is what it writes; otherwise it is made here.
"""

from __future__ import annotations

import csv
import importlib
import io
import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lxml import etree

from mappings.context import Event, ItemFacts, OutboundContext, PlantFacts
from mappings.formats.idoc import CONTROL
from mappings.formats.idoc_records import CONTROL_COLUMNS, HEAD_COLUMNS, columns, segment_columns, segment_type
from mappings.registry import OUTBOUND

LINES = 20
"""Lines of a document that has any."""
ROWS = 1_000
"""Rows of a file."""
PARTNERS = {"sender": "4012345000009", "receiver": "4012345000016"}

PLANT = PlantFacts("P100", "Assembly", "Europe/Berlin", {"storage": "ST01", "site": "P100"})
CSV_COLUMNS = [
    "record_no",
    "order_no",
    "operation",
    "item_no",
    "good_qty",
    "scrap_qty",
    "unit",
    "reason",
    "lot_no",
    "posted_on",
    "posted_time",
    "last",
]
TRANSACTION_COLUMNS = [
    *("TransactionID", "ProductID", "ReferenceOrderID", "ReferenceOrderLineID", "TransactionDate", "TransactionType"),
    *("Quantity", "ActualCost", "ModifiedDate"),
]
LAYOUT = (
    *(("record_no", 1, 10), ("movement", 11, 3), ("item_no", 14, 18), ("quantity", 32, 13), ("unit", 45, 3)),
    *(
        ("from_storage", 48, 10),
        ("to_storage", 58, 10),
        ("order_no", 68, 12),
        ("lot_no", 80, 16),
        ("posted_at", 96, 14),
    ),
)


@dataclass(frozen=True)
class Sample:
    """``family`` and ``type`` name the inbound mapping; ``file`` is the format of a file of rows, with its options.
    ``bare`` is the parser alone; ``messages``: how many the body holds. ``beside``: where the bare parser leaves the
    content where it is, or is none that is kept, one that gives it to Python, with its name."""

    name: str
    family: str
    type: str
    body: bytes
    bare: Callable[[bytes], Any]
    yardstick: str
    messages: int = 1
    file: str | None = None
    options: dict[str, Any] | None = None
    beside: tuple[Callable[[bytes], Any], str] | None = None


def samples() -> list[Sample]:
    return [
        Sample("JSON", "mes_json", "mes.completion", _json(), json.loads, "json.loads"),
        Sample(
            "CSV",
            "legacy_files",
            "legacy.confirmation",
            _csv(),
            _csv_alone,
            "csv.reader",
            ROWS,
            "csv",
            {"delimiter": ";", "columns": CSV_COLUMNS, "header": True},
        ),
        Sample(
            "fixed width",
            "legacy_files",
            "legacy.movement",
            _fixed_width(),
            _slices,
            "slices of lines",
            ROWS,
            "fixed_width",
            {"layout": [list(column) for column in LAYOUT]},
        ),
        Sample(
            "AdventureWorks",
            "adventureworks",
            "adventureworks.transaction",
            _transactions(),
            _tabs_alone,
            "csv.reader",
            ROWS,
            "csv",
            {"delimiter": "\t", "columns": TRANSACTION_COLUMNS, "header": False},
        ),
        _written("B2MML", "mes_b2mml", "b2mml.OperationsPerformance", "b2mml", "production.completed.v1"),
        _written("IDoc XML", "sap_idoc", "idoc.MBGMCR", "sap_idoc", "production.completed.v1", form="xml"),
        _written("IDoc flat", "sap_idoc", "idoc.MBGMCR", "sap_idoc", "production.completed.v1", form="flat"),
        _written("EDIFACT", "edifact", "edifact.DESADV", "edifact", "shipment.confirmed.v1", **PARTNERS),
        _written("X12", "x12", "x12.856", "x12", "shipment.confirmed.v1", **PARTNERS),
        _written(
            "EPCIS",
            "epcis",
            "epcis.EPCISDocument",
            "epcis",
            "shipment.confirmed.v1",
            items={"BIKE-100": "04012345222227"},
        ),
    ]


def _json() -> bytes:
    lines = [
        {"material": "BIKE-100", "charge": f"L{number}", "menge": "2.5", "einheit": "STK", "lagerort": "ST01"}
        for number in range(LINES)
    ]
    head = {"ts": "2026-03-01T10:15:00+01:00", "auftrag": {"nummer": "1000123", "vorgang": "0010"}}
    return json.dumps(head | {"gutmengen": lines}).encode()


def _csv() -> bytes:
    rows = [";".join(CSV_COLUMNS)]
    rows += [
        f"{n};{1000000 + n % 50};0010;BIKE-100;{n % 9 + 1},5;0;PC;;L{n};01.03.2026;{n // 60 % 24:02}{n % 60:02}00;"
        for n in range(ROWS)
    ]
    return "\n".join(rows).encode()


def _transactions() -> bytes:
    rows = (
        (100_000 + n, n % 500, 40_000 + n, n % 3, f"2026-03-01 {n // 60 % 24:02}:{n % 60:02}:00", "PSW"[n % 3])
        for n in range(ROWS)
    )
    more = ("5", "12.5000", "2026-03-01 00:00:00")
    return "\n".join("\t".join([*map(str, row), *more]) for row in rows).encode()


def _fixed_width() -> bytes:
    values = ("261", "TUBE-1", "12,500", "PC", "P300-ST", "", "1000123", "L-7")
    widths = [width for _, _, width in LAYOUT]
    rows = [(f"{n:010}", *values, f"20260301{n // 60 % 24:02}{n % 60:02}00") for n in range(ROWS)]
    padded = ("".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(padded).encode()


def _csv_alone(body: bytes) -> Any:
    return list(csv.DictReader(io.StringIO(body.decode()), delimiter=";"))


def _tabs_alone(body: bytes) -> Any:
    return list(csv.DictReader(io.StringIO(body.decode()), TRANSACTION_COLUMNS, delimiter="\t"))


def _slices(body: bytes) -> Any:
    lines = body.decode().split("\n")
    return [{name: line[first - 1 : first - 1 + width].strip() for name, first, width in LAYOUT} for line in lines]


def _written(name: str, family: str, kind: str, target: str, event_type: str, **options: Any) -> Sample:
    line = {"item": "BIKE-100", "quantity": {"value": "25", "uom": "EA"}}
    lines = [line | {"lot": f"L{number}"} for number in range(LINES)]
    data: dict[str, Any] = {"event_time": "2026-03-01T09:15:00Z", "location": {"site": "P100", "storage": "ST01"}}
    if event_type.startswith("production"):
        data |= {"order_id": "1000123", "segment": "0010", "transformation_id": "P100/1000123", "outputs": lines}
        data |= {"final": False}
    else:
        data |= {"document_ref": {"type": "purchase_order", "id": "4500012"}}
        data |= {"delivery_id": "80012345", "ship_from": "4012345000009", "ship_to": "4012345000016", "lines": lines}
    items = {"BIKE-100": ItemFacts("BIKE-100", "Bicycle", "EA", {})}
    context = OutboundContext(PLANT, target, "LSABCDEFGHIJKLMNOPQRSTUVWX", items, options)
    document = OUTBOUND[target, event_type].to_document(Event(event_type, data), context) or {}
    text = document.get("text")
    body = text.encode() if isinstance(text, str) else json.dumps(document["capture"]).encode()
    bare, yardstick = _BARE[name]
    return Sample(name, family, kind, body, bare, yardstick, beside=_BESIDE.get(name))


def _edifact_alone(body: bytes) -> Any:
    pydifact = importlib.import_module("pydifact.parser")
    with warnings.catch_warnings():
        # It tells of each kind of segment that it has no directory of.
        warnings.simplefilter("ignore")
        return list(pydifact.Parser().parse(body.decode()))


def _x12_alone(body: bytes) -> Any:
    text = body.decode()
    return [segment.split(text[3]) for segment in text.split(text[105])]


def _idoc_alone(body: bytes) -> Any:
    return [(line[:30], line[63:]) for line in body.decode().splitlines()]


def _visited(body: bytes) -> Any:
    return [(element.tag, element.text) for element in etree.fromstring(body).iter()]


def _all_columns(body: bytes) -> Any:
    found = []
    for line in body.decode().splitlines():
        columns = _COLUMNS_OF[line[:30].strip()]
        found.append({name: line[start:end].strip() for name, start, end in columns})
    return found


def _columns_of(segment: str) -> list[tuple[str, int, int]]:
    if segment == CONTROL:
        return [(one.name, one.start, one.end) for one in columns(CONTROL_COLUMNS)]
    head = columns(HEAD_COLUMNS)
    own = [(one.name, head[-1].end + one.start, head[-1].end + one.end) for one in segment_columns(segment)]
    return [*((one.name, one.start, one.end) for one in head), *own]


class _Columns(dict[str, list[tuple[str, int, int]]]):
    """Of each kind of record, by the name that it begins with; looked up once."""

    def __missing__(self, name: str) -> list[tuple[str, int, int]]:
        self[name] = found = _columns_of(CONTROL if name.startswith(CONTROL) else segment_type(name))
        return found


_COLUMNS_OF = _Columns()


def _pyx12_alone(body: bytes) -> Any:
    pyx12 = importlib.import_module("pyx12.x12file")
    return list(pyx12.X12Reader(io.StringIO(body.decode())))


_BESIDE: dict[str, tuple[Callable[[bytes], Any], str]] = {
    "B2MML": (_visited, "lxml, each tag and text read"),
    "IDoc XML": (_visited, "lxml, each tag and text read"),
    "IDoc flat": (_all_columns, "slices of all columns"),
    "X12": (_pyx12_alone, "pyx12's X12Reader"),
}
_BARE: dict[str, tuple[Callable[[bytes], Any], str]] = {
    "B2MML": (etree.fromstring, "lxml.etree.fromstring"),
    "IDoc XML": (etree.fromstring, "lxml.etree.fromstring"),
    "IDoc flat": (_idoc_alone, "slices of lines"),
    "EDIFACT": (_edifact_alone, "pydifact's parser"),
    "X12": (_x12_alone, "str.split"),
    "EPCIS": (json.loads, "json.loads"),
}
