"""Items, bills of materials, equipment, and what each system says of an item, over the API."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.access.roles import Role
from app.dead_letters.reversal import reverse
from app.reconcile.compare import Balance
from app.reconcile.snapshots import save_snapshot
from app.store.session import Store
from tests.factories import NOON, incoming, know_items, pipeline, run_once
from tests.facts import AT, ea, enter_all, post, state
from tests.fakes import Books
from tests.unit.test_logistics_views import pages
from tests.web import account_for, log_in, web_app

pytestmark = pytest.mark.slow

OLD = {"start": "2026-01-01T00:00:00Z", "end": "2026-06-01T00:00:00Z"}
NEW = {"start": "2026-05-01T00:00:00Z"}


def bom(message_id: str, value: str, at: str = AT, item: str = "BIKE-100", part: str = "WHEEL-10", **data: Any) -> Any:
    components = [{"item": part, "quantity": ea(value, "BOX"), "segment": "10"}]
    body = {"event_time": at, "item": item, "quantity": ea("10"), "components": components}
    return incoming(message_id, "bom.changed.v1", body | data)


def item(message_id: str, at: str, **data: Any) -> Any:
    body = {"event_time": at, "item": "RIM/1", "description": "Rim", "base_uom": "EA", "units": {"BOX": "20"}}
    return incoming(message_id, "item.changed.v1", body | data)


@pytest.fixture
def client(store: Store, tmp_path: Path) -> FlaskClient:
    know_items(store)
    account_for(store, Role.VIEWER)
    client = web_app(store, tmp_path).test_client()
    log_in(client, "viewer")
    return client


def test_items_are_as_messages_are_enriched_with_them_and_lead_to_the_message_that_told_them(
    client: FlaskClient, store: Store
) -> None:
    first, second = post(store, item("i1", AT, revision="A"), item("i2", "2026-03-02T10:00:00Z", revision="B"))

    rows = pages(client, "items", "items")
    versions = pages(client, "items/RIM/1/versions", "versions")

    assert [(row["item"], row["message_id"]) for row in rows] == [
        ("BIKE-100", None),
        ("RIM/1", second),
        ("WHEEL-10", None),
    ]
    assert client.get("/v1/items/RIM/1").json["units"] == {"BOX": "20"}
    assert [(row["revision"], row["message_id"], row["stands"]) for row in versions] == [
        ("B", second, True),
        ("A", first, True),
    ]
    assert client.get("/v1/items/NONE").status_code == 404


def test_a_bill_is_found_by_what_it_makes_and_takes_and_by_when_it_is_in_effect(
    client: FlaskClient, store: Store
) -> None:
    post(store, bom("b1", "2", revision="A", effectivity=OLD), bom("b2", "3", revision="B", effectivity=NEW))
    post(store, bom("b3", "1", item="WHEEL-10", part="BIKE-100"))

    every = pages(client, "boms", "boms")
    used = pages(client, "boms?component=BIKE-100", "boms")
    effective = {
        month: [
            row["revision"]
            for row in pages(client, f"boms?item=BIKE-100&effective_at=2026-{month}-15T00:00:00Z", "boms")
        ]
        for month in ("02", "05", "07")
    }

    assert [(row["item"], row["revision"]) for row in every] == [
        ("BIKE-100", "A"),
        ("BIKE-100", "B"),
        ("WHEEL-10", None),
    ]
    assert [row["item"] for row in used] == ["WHEEL-10"]
    assert effective == {"02": ["A"], "05": ["B"], "07": ["B"]}
    assert every[0]["components"] == [{"item": "WHEEL-10", "quantity": ea("20"), "segment": "10"}]


def test_of_a_revision_that_is_told_again_the_newest_stands_and_the_one_before_it_where_that_is_reversed(
    client: FlaskClient, store: Store
) -> None:
    _, newer = post(store, bom("b1", "2"), bom("b2", "3", "2026-03-02T10:00:00Z"))
    post(store, bom("b0", "9", "2026-03-01T10:00:00Z"))
    stood = client.get("/v1/boms").json["boms"]
    line = pipeline(store, {"erp": Books()})

    with store.writing() as session:
        reverse(session, newer, "a mistake", "ada", NOON, line.topology.lanes_of)
    run_once(line)
    enter_all(store)

    stands = client.get("/v1/boms").json["boms"]
    assert [row["components"][0]["quantity"]["value"] for row in (*stood, *stands)] == ["30", "20"]


def test_equipment_tells_its_state_its_history_and_its_time_in_each_state(client: FlaskClient, store: Store) -> None:
    post(
        store,
        state("e1", "RUN", "2026-03-02T06:00:00Z", reason="shift"),
        state("e2", "DOWN", "2026-03-02T08:00:00Z", **{"from": "RUN"}),
        state("e3", "RUN", "2026-03-02T09:00:00Z", **{"from": "SETUP"}),
        state("e4", "DOWN", "2026-03-02T07:00:00Z", "PRESS/2"),
    )
    window = "since=2026-03-02T07:00:00Z&until=2026-03-02T10:00:00Z"

    every = pages(client, "equipment", "equipment")
    down = pages(client, "equipment?state=DOWN&plant=P100", "equipment")
    states = pages(client, "equipment/P100/PRESS-1/states", "states")
    times = client.get(f"/v1/equipment/P100/PRESS-1?{window}").json["times"]

    assert [(row["equipment_id"], row["state"]) for row in every] == [("PRESS-1", "RUN"), ("PRESS/2", "DOWN")]
    assert [row["equipment_id"] for row in down] == ["PRESS/2"]
    assert [(row["state"], row["seconds"], row["follows"]) for row in states] == [
        ("RUN", None, False),
        ("DOWN", 3600.0, True),
        ("RUN", 7200.0, True),
    ]
    assert (times["seconds"], times["is_whole"]) == ({"DOWN": 3600.0, "RUN": 7200.0}, True)
    assert client.get("/v1/equipment/P100/NONE").status_code == 404


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("equipment/P100/X/states?after=WyJhIiwiYiIsImMiXQ", "query after"),
        ("equipment/P100/X?since=2026-03-03T00:00:00Z&until=2026-03-02T00:00:00Z", "query since"),
        ("boms?effective_at=soon", "query effective_at"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_its_name(client: FlaskClient, path: str, place: str) -> None:
    answer = client.get(f"/v1/{path}")

    assert (answer.status_code, answer.json["errors"][0]["place"]) == (422, place)


def test_what_each_system_said_last_stands_beside_the_ledger_now_and_as_of_then(
    client: FlaskClient, store: Store
) -> None:
    adjusted = {"event_time": AT, "item": "WHEEL-10", "reason": "found"}
    post(store, incoming("a1", "inventory.adjusted.v1", adjusted | {"delta": ea("12")}))
    later = adjusted | {"event_time": "2026-03-02T11:00:00Z", "delta": ea("5")}
    post(store, incoming("a2", "inventory.adjusted.v1", later))
    said = [
        Balance("P100", "WHEEL-10", "", "", Decimal(1), "BOX"),
        Balance("P200", "BIKE-100", "", "", Decimal(3), "EA"),
    ]
    with store.writing() as session:
        save_snapshot(session, "erp", NOON - timedelta(days=9), "read", "ada", [])
        save_snapshot(session, "erp", NOON - timedelta(hours=2), "read", "ada", said)
        save_snapshot(session, "mes", NOON, "file", "ada", [Balance("P100", "WHEEL-10", "", "", Decimal(2), "PALLET")])

    rows = pages(client, "inventory/by-system", "by_system")
    of_erp = pages(client, "inventory/by-system?system=erp&plant=P200", "by_system")

    assert [(row["plant"], row["item"], row["ledger"]) for row in rows] == [
        ("P100", "WHEEL-10", "17"),
        ("P200", "BIKE-100", "0"),
    ]
    told = {one["system"]: (one["quantity"], one["ledger_then"], one["difference"]) for one in rows[0]["systems"]}
    assert told == {"erp": ("10", "12", "-2"), "mes": (None, "17", None)}
    assert rows[0]["systems"][0]["taken_at"] == "2026-03-02T10:00:00.000Z"
    assert [one["quantity"] for row in of_erp for one in row["systems"]] == ["3"]
