"""Every reason of a dead letter says what a person can do: it is read at night by somebody who did not write it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from app.store.session import Store
from tests.interop.house import ROWS_OVER_HTTP, House, open_house

pytestmark = pytest.mark.slow

MEND = re.compile(
    r"(Correct the payload here and resubmit it, or have it sent anew under a new id"
    r"|then requeue|, then discard|; then discard|discard (it|the row) if that is right"
    r"|Discard it, or have its type mapped|send it in several messages|requeue it)"
)
MES, B2MML, CSV, FIXED = "mes-p100", "mes-p200", ROWS_OVER_HTTP, ROWS_OVER_HTTP
GOOD = {"material": "BIKE-100", "menge": 1, "einheit": "STK"}
ORDER = {"ts": "2026-03-02T09:00:00", "auftrag": {"nummer": "1"}}
MOVE = {"ts": "2026-03-02T09:00:00", "material": "WHEEL-10", "menge": 1, "einheit": "STK", "von": {}, "nach": {}}
ROW = {
    "record_no": "1",
    "order_no": "7",
    "operation": "",
    "item_no": "FRAME-200",
    "good_qty": "1",
    "scrap_qty": "0",
    "unit": "PC",
    "reason": "",
    "lot_no": "",
    "posted_on": "02.03.2026",
    "posted_time": "080000",
    "last": "",
}
MOVEMENT = {
    "record_no": "1",
    "movement": "311",
    "item_no": "FRAME-200",
    "quantity": "1",
    "unit": "PC",
    "from_storage": "A",
    "to_storage": "B",
    "order_no": "",
    "lot_no": "",
    "posted_at": "20260302080000",
}
COMPLETION, CONFIRMATION, PERFORMANCE = "mes.completion", "legacy.confirmation", "b2mml.ProductionPerformance"


def performance(material: str, more: str = "<ID>1</ID><EndTime>2026-03-02T08:00:00Z</EndTime>") -> bytes:
    segment = f"<SegmentResponse>{material}</SegmentResponse>"
    response = f"<ProductionResponse>{more}{segment}</ProductionResponse>"
    return f"<ProductionPerformance>{response}</ProductionPerformance>".encode()


def actual(use: str = "Produced", uom: str = "each", amounts: int = 1) -> str:
    amount = f"<Quantity><QuantityString>1</QuantityString><UnitOfMeasure>{uom}</UnitOfMeasure></Quantity>" * amounts
    named = f"<MaterialDefinitionID>FRAME-RAW</MaterialDefinitionID><MaterialUse>{use}</MaterialUse>"
    return f"<MaterialActual>{named}{amount}</MaterialActual>"


CASES: list[tuple[str, str, Any, str]] = [
    (MES, "epcis.ObjectEvent", {}, "type_unmapped"),
    (MES, COMPLETION, b"no JSON", "json_invalid"),
    (MES, COMPLETION, {}, "payload_invalid"),
    (MES, COMPLETION, ORDER | {"gutmengen": []}, "contract_violated"),
    (MES, COMPLETION, ORDER | {"gutmengen": [GOOD | {"menge": -1}]}, "quantity_invalid"),
    (MES, COMPLETION, ORDER | {"gutmengen": [GOOD | {"einheit": "X"}]}, "unit_unknown"),
    (MES, COMPLETION, ORDER | {"gutmengen": [GOOD | {"einheit": "KGM"}]}, "unit_unknown"),
    (MES, COMPLETION, ORDER | {"gutmengen": [GOOD], "ts": "gestern"}, "time_invalid"),
    (MES, "mes.move", MOVE | {"von": {"status": "X"}}, "stock_status_unknown"),
    (MES, "mes.move", MOVE, "contract_violated"),
    (B2MML, PERFORMANCE, b"<a>", "xml_invalid"),
    (B2MML, PERFORMANCE, b"<SyncMaterialDefinition/>", "document_unknown"),
    (B2MML, PERFORMANCE, b'<!DOCTYPE a [<!ENTITY b "x">]><a>&b;</a>', "xml_forbidden"),
    (B2MML, PERFORMANCE, performance(""), "nothing_reported"),
    (B2MML, PERFORMANCE, performance(actual("Sample")), "material_use_unsupported"),
    (B2MML, PERFORMANCE, performance(actual(amounts=2)), "quantity_ambiguous"),
    (B2MML, PERFORMANCE, performance(actual(uom="ton")), "unit_unknown"),
    (B2MML, PERFORMANCE, performance(actual(), "<ID>1</ID>"), "time_missing"),
    (B2MML, PERFORMANCE, performance(actual(), ""), "payload_invalid"),
    (
        B2MML,
        PERFORMANCE,
        performance(actual(), "<ID>1</ID><OperationsType>Quality</OperationsType>"),
        "operations_type_unsupported",
    ),
    (CSV, CONFIRMATION, [], "row_invalid"),
    (CSV, CONFIRMATION, ROW | {"good_qty": "1.5"}, "quantity_invalid"),
    (CSV, CONFIRMATION, ROW | {"good_qty": "0"}, "nothing_reported"),
    (CSV, CONFIRMATION, ROW | {"last": "Y"}, "payload_invalid"),
    (CSV, CONFIRMATION, ROW | {"item_no": ""}, "payload_invalid"),
    (CSV, CONFIRMATION, ROW | {"posted_on": "00:00.0"}, "time_invalid"),
    (FIXED, "legacy.movement", MOVEMENT | {"movement": "312"}, "movement_unknown"),
    (FIXED, "legacy.movement", MOVEMENT | {"quantity": "0"}, "quantity_invalid"),
]


@pytest.fixture
def house(sqlite_store: Store, tmp_path: Path) -> House:
    return open_house(sqlite_store, tmp_path)


@pytest.mark.parametrize(
    ("source", "kind", "body", "code"), CASES, ids=[f"{kind} {code}" for _, kind, _, code in CASES]
)
def test_a_dead_letter_says_what_to_do(house: House, source: str, kind: str, body: Any, code: str) -> None:
    """Sent as plain text, so that even what the door would refuse comes as far as the step that reads it."""
    fate = house.fate_of(house.send(source, "m1", kind, body, "text/plain"))

    assert (fate.state, fate.code) == ("dead", code)
    assert MEND.search(fate.reason), fate.reason


@pytest.mark.parametrize(
    ("body", "waits_for"),
    [
        (ORDER | {"gutmengen": [GOOD | {"material": "NEW"}]}, "item NEW"),
        (ORDER | {"gutmengen": [GOOD]}, "release of order 1"),
    ],
)
def test_what_waited_too_long_says_for_what_and_what_to_do(house: House, body: Any, waits_for: str) -> None:
    answer = house.send(MES, "m1", COMPLETION, body)
    house.run()
    house.clock.pass_time(90_000)

    fate = house.fate_of(answer)

    assert (fate.state, fate.code) == ("dead", "waited_too_long")
    assert waits_for in fate.reason
    assert MEND.search(fate.reason), fate.reason
