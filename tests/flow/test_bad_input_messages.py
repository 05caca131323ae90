"""Every kind of bad message, from the door to what the operator sees, over the packaged topology and mappings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.store.session import Store
from tests.interop.house import BATCH, CLOUD_EVENT, House, know_items, open_house

pytestmark = pytest.mark.slow

AT = "2026-03-02T08:00:00Z"
COMPLETED = "production.completed.v1"


@pytest.fixture
def house(sqlite_store: Store, tmp_path: Path) -> House:
    return open_house(sqlite_store, tmp_path)


def completion(menge: Any = 2, einheit: str = "STK", material: str = "BIKE-100") -> dict[str, Any]:
    good = {"material": material, "menge": menge, "einheit": einheit}
    return {"ts": "2026-03-02T09:00:00", "auftrag": {"nummer": "1000"}, "gutmengen": [good]}


def moved(message_id: str, **changes: Any) -> dict[str, Any]:
    data = {"event_time": AT, "item": "WHEEL-10", "quantity": {"value": "2", "uom": "EA"}}
    data |= {"from": {"storage": "P100-ST"}, "to": {"storage": "P100-WIP"}} | changes
    return {
        "specversion": "1.0",
        "id": message_id,
        "source": "erp",
        "type": "inventory.moved.v1",
        "plant": "P100",
        "data": data,
    }


@pytest.mark.parametrize(
    ("headers", "status", "told"),
    [
        ({"Authorization": ""}, 401, "an API key of the source"),
        ({"Authorization": "Bearer ls_" + "A" * 43}, 401, "unknown or was revoked"),
        ({"Authorization": "Bearer nonsense"}, 401, "unknown or was revoked"),
        ({"X-Api-Key": "nonsense", "Authorization": ""}, 401, "unknown or was revoked"),
    ],
    ids=["missing", "unknown", "misshapen", "in the other header"],
)
def test_a_key_that_is_missing_or_wrong_is_told_and_nothing_is_kept(
    house: House, headers: dict[str, str], status: int, told: str
) -> None:
    answer = house.post("mes-p100", json.dumps(completion()).encode(), headers, type="mes.completion")

    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert told in answer.get_json()["detail"]
    assert house.fates() == []


def test_a_type_that_nobody_has_mapped_is_kept_and_says_what_to_do(house: House) -> None:
    body = b"ISA*00*          *00*~\r\n\xff\x00"

    answer = house.send("mes-p100", "x12-1", "x12.850", body, "application/edi-x12")
    fate = house.fate_of(answer)

    assert (fate.state, fate.code) == ("dead", "type_unmapped")
    assert "Add the mapping, then requeue" in fate.reason
    assert house.kept(answer.get_json()["id"]) == body


def test_a_slip_in_a_known_type_is_told_at_once(house: House) -> None:
    answer = house.send("mes-p100", "s1", "mes.completions", completion())

    assert answer.status_code == 422
    assert "did you mean 'mes.completion'" in answer.get_json()["detail"]


def test_one_bad_event_of_a_batch_is_told_and_the_others_are_posted(house: House) -> None:
    bad = moved("m2", quantity={"value": "-2", "uom": "EA"})

    answer = house.post("erp", json.dumps([moved("m1"), bad, moved("m3")]).encode(), {"Content-Type": BATCH})
    house.run()

    results = answer.get_json()["results"]
    assert answer.status_code == 207
    assert [result["status"] for result in results] == ["accepted", "refused", "accepted"]
    assert results[1]["problem"]["errors"][0]["pointer"] == "/data/quantity/value"
    assert [fate.state for fate in house.fates()] == ["posted", "posted"]


def test_a_body_of_ten_megabytes_is_refused_with_the_limit_and_its_variable(house: House) -> None:
    answer = house.send("mes-p100", "big", "mes.completion", b'{"a": "' + b"x" * 10_000_000 + b'"}')

    assert (answer.status_code, answer.mimetype) == (413, "application/problem+json")
    assert "5,000,000 bytes" in answer.get_json()["detail"]
    assert "LINESIDE_MAX_BODY_BYTES" in answer.get_json()["detail"]


def test_the_same_id_twice_is_posted_once_and_another_payload_is_told(house: House) -> None:
    house.release("P100", "1000")
    answers = [house.send("mes-p100", "c1", "mes.completion", body) for body in [completion(), completion(2.0)]]
    other = house.send("mes-p100", "c1", "mes.completion", completion(3))

    house.run()

    assert [answer.status_code for answer in answers] == [202, 200]
    assert answers[0].get_json()["id"] == answers[1].get_json()["id"] == other.get_json()["id"]
    assert other.status_code == 409
    assert [document["outputs"][0]["quantity"] for document in house.books["erp"].documents] == ["2"]


@pytest.mark.parametrize(
    ("body", "code", "told"),
    [
        (completion(-2), "quantity_invalid", "gutmengen[0].menge must not be negative"),
        (completion(0), "quantity_invalid", "gutmengen[0].menge must be more than zero"),
        (completion("NaN"), "quantity_invalid", "gutmengen[0].menge must be a finite decimal number"),
        (completion("1e999"), "quantity_invalid", "gutmengen[0].menge must have at most 18 digits"),
        (completion("1,5"), "quantity_invalid", "gutmengen[0].menge must be a finite decimal number"),
        (completion(None), "payload_invalid", "gutmengen[0].menge must not be null"),
        (completion(einheit="FASS"), "unit_unknown", "no translation for"),
        (completion(einheit="KGM"), "unit_unknown", "Item BIKE-100 has no unit 'KG'; it has: EA"),
        ({"ts": "2026-03-02T09:00:00"}, "payload_invalid", "auftrag is missing"),
        ([], "payload_invalid", "the payload must be an object"),
    ],
)
def test_a_message_that_cannot_be_right_is_dead_with_its_place_and_what_to_do(
    house: House, body: Any, code: str, told: str
) -> None:
    house.release("P100", "1000")

    fate = house.fate_of(house.send("mes-p100", "bad", "mes.completion", body))

    assert (fate.state, fate.code) == ("dead", code)
    assert told in fate.reason
    assert fate.field is not None or isinstance(body, list)


def test_json_that_holds_nan_is_refused_at_the_door(house: House) -> None:
    answer = house.send("mes-p100", "nan", "mes.completion", json.dumps(completion(float("nan"))).encode())

    assert answer.status_code == 400
    assert "NaN is no JSON number" in answer.get_json()["detail"]


def test_an_item_that_nobody_knows_is_waited_for_and_named_and_posted_when_it_comes(house: House) -> None:
    house.release("P100", "1000")
    answer = house.send("mes-p100", "new", "mes.completion", completion(material="BIKE-900"))

    waiting = house.fate_of(answer)
    know_items(house.store, [("BIKE-900", "EA", {})])
    house.clock.pass_time(60)
    house.run()

    assert (waiting.state, "Waits for item BIKE-900" in waiting.reason) == ("waiting", True)
    assert house.fate(answer.get_json()["id"]).state == "posted"


def test_an_item_that_never_comes_is_dead_and_says_what_to_do(house: House) -> None:
    house.release("P100", "1000")
    answer = house.send("mes-p100", "new", "mes.completion", completion(material="BIKE-900"))
    house.run()

    house.clock.pass_time(90_000)
    fate = house.fate_of(answer)

    assert (fate.state, fate.code) == ("dead", "waited_too_long")
    assert "item BIKE-900" in fate.reason
    assert "then requeue" in fate.reason


@pytest.mark.parametrize(
    ("source", "content_type", "body", "status", "told"),
    [
        ("mes-p100", "application/json", b"<a/>", 400, "line 1 column 1"),
        ("mes-p100", "application/json", b'{"ts": "\xe4"}', 400, "byte 8"),
        ("mes-p200", "application/xml", b"{}", 400, "not XML"),
        ("mes-p200", "application/xml", b"<a>&b;</a>", 400, "not XML"),
        ("mes-p200", "text/xml", b'<!DOCTYPE a [<!ENTITY b "x">]><a>&b;</a>', 422, "document type"),
        ("mes-p200", "text/xml", b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', 422, "document type"),
        ("mes-p100", "image/png", b"\x89PNG", 415, "Content-Type"),
    ],
)
def test_a_body_that_is_not_what_it_says_is_refused_with_its_place(
    house: House, source: str, content_type: str, body: bytes, status: int, told: str
) -> None:
    kind = "mes.completion" if source == "mes-p100" else "b2mml.ProductionPerformance"

    answer = house.send(source, "odd", kind, body, content_type)

    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert told in answer.text
    assert house.fates() == []


@pytest.mark.parametrize(
    ("query", "told"), [({"source": "mes-p10"}, "did you mean 'mes-p100'"), ({"plant": "P10"}, "did you mean 'P100'")]
)
def test_a_source_or_plant_that_nobody_knows_is_told_with_the_likely_one(
    house: House, query: dict[str, str], told: str
) -> None:
    headers = {"Idempotency-Key": "u1", "Content-Type": "application/json"}

    answer = house.post("mes-p100", json.dumps(completion()).encode(), headers, type="mes.completion", **query)

    assert answer.status_code == 422
    assert told in answer.get_json()["detail"]


def test_an_empty_batch_is_refused(house: House) -> None:
    answer = house.post("erp", b" [ ] ", {"Content-Type": BATCH})

    assert (answer.status_code, "empty" in answer.get_json()["detail"]) == (422, True)


@pytest.mark.parametrize("quantity", ["-1", "NaN", "0", "Infinity", 1.5e300])
def test_a_canonical_quantity_that_cannot_be_right_is_refused_at_the_door(house: House, quantity: Any) -> None:
    answer = house.post(
        "erp",
        json.dumps(moved("q1", quantity={"value": quantity, "uom": "EA"})).encode(),
        {"Content-Type": CLOUD_EVENT},
    )

    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["pointer"] == "/data/quantity/value"
