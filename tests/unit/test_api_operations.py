"""Queues, paused targets, the trail, health, metrics and the OpenAPI document."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from openapi_spec_validator import validate
from sqlalchemy import text

from app.access.roles import Role
from app.api.registration import openapi_document
from app.audit.trail import record
from app.inbox.figures import count_states, percentile, plant_figures
from app.inbox.states import Move, State, Step, move_messages
from app.postings.pauses import pause_target
from app.store.session import Store
from tests.factories import NOON, accept, move_event
from tests.fakes import Clock
from tests.web import Nudged, account_for, web_app

pytestmark = pytest.mark.slow


@pytest.fixture
def nudged() -> Nudged:
    return Nudged()


@pytest.fixture
def app(sqlite_store: Store, tmp_path: Path, nudged: Nudged) -> Flask:
    return web_app(sqlite_store, tmp_path, nudged=nudged, clock=Clock(NOON + timedelta(minutes=1)))


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def test_the_figures_of_a_plant_are_exact_before_and_after_they_are_folded(store: Store) -> None:
    ids = accept(store, *[move_event(f"m{number}") for number in range(5)])
    with store.writing() as session:
        move_messages(session, [Move(ids[0], State.DEAD, reason_code="x", reason="y")], NOON)
    with store.reading() as session:
        before = count_states(session)

    with store.writing() as session:
        session.execute(
            text(
                "INSERT INTO state_counts (plant, type, state, count) "
                "SELECT plant, type, state, sum(change) FROM state_changes GROUP BY plant, type, state"
            )
        )
        session.execute(text("DELETE FROM state_changes"))

    with store.reading() as session:
        assert count_states(session) == before == {("P100", "received"): 4, ("P100", "dead"): 1}


def test_the_figures_name_the_oldest_unfinished_and_the_latency_of_late(store: Store) -> None:
    ids = accept(store, *[move_event(f"m{number}") for number in range(21)])
    with store.writing() as session:
        for number, message_id in enumerate(ids[:20], start=1):
            move_messages(session, [Move(message_id, State.TRANSFORMED, Step.ENRICH, NOON)], NOON)
            move_messages(session, [Move(message_id, State.ENRICHED, Step.POST, NOON)], NOON)
            posted_at = NOON + timedelta(seconds=number)
            move_messages(session, [Move(message_id, State.POSTED)], posted_at)

    with store.reading() as session:
        (figures,) = plant_figures(session, ["P100"], NOON + timedelta(minutes=1))
        (later,) = plant_figures(session, ["P100"], NOON + timedelta(hours=2))

    assert (figures.accepted, figures.count("posted"), figures.in_progress) == (21, 20, 1)
    assert figures.oldest_at == NOON
    assert (figures.latency_p50, figures.latency_p95, figures.latency_messages) == (10, 19, 20)
    assert later.latency_p50 is None


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=50), st.integers(1, 100))
def test_a_percentile_is_a_value_that_so_many_do_not_exceed(values: list[float], percent: int) -> None:
    found = percentile(sorted(values), percent)

    assert found in values
    assert found is not None
    assert sum(value <= found for value in values) * 100 >= percent * len(values)


def test_queues_tell_counts_ages_and_paused_targets(client: FlaskClient, sqlite_store: Store) -> None:
    accept(sqlite_store, move_event())
    with sqlite_store.writing() as session:
        pause_target(session, "erp", "HTTP 401", NOON)

    told = client.get("/v1/admin/queues", headers=account_for(sqlite_store, Role.VIEWER)).json

    assert [plant["plant"] for plant in told["plants"]] == ["P100", "P200", "P300"]
    assert told["plants"][0]["states"] == {"received": 1}
    assert told["plants"][0]["oldest_received_at"] == {"received": "2026-03-02T12:00:00.000Z"}
    paused = {"paused_at": "2026-03-02T12:00:00.000Z", "reason": "HTTP 401", "actor": "lineside"}
    assert told["paused_targets"] == [{"target": "erp", **paused}]
    assert told["targets"] == [
        {
            "target": "erp",
            "circuit": "closed",
            "failures": 0,
            "opened_at": None,
            "retry_at": None,
            "calls": 0,
            "calls_in_flight": 4,
            "tokens": None,
            "paused": paused,
        }
    ]


def test_a_resumed_target_wakes_what_waited_for_it_and_is_noted(
    client: FlaskClient, sqlite_store: Store, nudged: Nudged
) -> None:
    operator = account_for(sqlite_store, Role.OPERATOR)
    (message_id,) = accept(sqlite_store, move_event())
    with sqlite_store.writing() as session:
        pause_target(session, "erp", "HTTP 401", NOON)
        waits = Move(message_id, State.WAITING, Step.POST, NOON + timedelta(hours=1), waiting_for="target:erp")
        move_messages(session, [waits], NOON)

    first, again = (client.post("/v1/admin/targets/erp/resume", headers=operator) for _ in range(2))

    trail = client.get("/v1/admin/audit?actor=operator", headers=operator).json["entries"]
    assert first.json == {"target": "erp", "due_again": 1}
    assert again.status_code == 409
    assert client.post("/v1/admin/targets/epr/resume", headers=operator).status_code == 404
    assert [entry["action"] for entry in trail] == ["target.resumed"]
    assert nudged.plants


def test_the_trail_is_paged_without_gaps(client: FlaskClient, sqlite_store: Store) -> None:
    viewer = account_for(sqlite_store, Role.VIEWER)
    with sqlite_store.writing() as session:
        for number in range(5):
            record(session, "anna", "target.resumed", f"target:{number}", None, NOON)

    first = client.get("/v1/admin/audit?limit=3", headers=viewer).json
    second = client.get(first["next"], headers=viewer).json

    subjects = [entry["subject"] for page in (first, second) for entry in page["entries"]]
    assert subjects == [f"target:{number}" for number in (4, 3, 2, 1, 0)]
    assert second["next"] is None


def test_it_is_ready_when_the_database_has_the_newest_schema(client: FlaskClient, sqlite_store: Store) -> None:
    ready = client.get("/readyz").status_code
    with sqlite_store.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0000'"))

    assert (ready, client.get("/readyz").status_code) == (200, 503)


def test_it_is_alive_and_not_ready_without_a_database(tmp_path: Path) -> None:
    client = web_app(Store(f"sqlite:///{tmp_path}/no/l.db"), tmp_path).test_client()

    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 503


def test_metrics_tell_the_backlog_its_age_and_the_dead(client: FlaskClient, sqlite_store: Store) -> None:
    ids = accept(sqlite_store, move_event("a"), move_event("b"))
    with sqlite_store.writing() as session:
        move_messages(session, [Move(ids[1], State.DEAD, reason_code="x", reason="y")], NOON)

    told = client.get("/metrics").text

    assert 'lineside_backlog_messages{plant="P100",state="received",step="transform"} 1.0' in told
    assert 'lineside_oldest_age_seconds{plant="P100",state="received"} 60.0' in told
    assert 'lineside_dead_messages{plant="P100"} 1.0' in told


def test_the_openapi_document_is_valid_and_says_who_may(client: FlaskClient) -> None:
    document = client.get("/openapi.json").json

    validate(document)
    assert document["openapi"].startswith("3.1")
    assert document["paths"]["/v1/messages"]["post"]["security"] == [{"source_key": []}]
    assert document["paths"]["/v1/admin/queues"]["get"]["security"] == [{"account": []}]


def test_the_openapi_document_knows_every_route_of_the_api(app: Flask, client: FlaskClient) -> None:
    paths = client.get("/openapi.json").json["paths"]

    known = {(path.split("{")[0], method.upper()) for path, methods in paths.items() for method in methods}
    served = {
        (rule.rule.split("<")[0], method)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/v1/")
        for method in rule.methods or ()
        if method not in ("HEAD", "OPTIONS")
    }
    assert served <= known


def test_the_openapi_document_is_made_when_first_asked_for_once_in_a_process(app: Flask, client: FlaskClient) -> None:
    openapi_document.cache_clear()

    assert client.get("/healthz").status_code == 200
    assert openapi_document.cache_info().misses == 0
    told = [client.get("/openapi.json").data for _ in range(2)]

    assert told[0] == told[1]
    assert openapi_document.cache_info().misses == 1


@pytest.mark.parametrize("name", ["swagger-ui.css", "swagger-ui-bundle.js"])
def test_the_page_to_try_it_needs_nothing_from_elsewhere(client: FlaskClient, name: str) -> None:
    page = client.get("/docs")

    with client.get(f"/docs/assets/{name}") as asset:
        assert asset.status_code == 200
    assert "http://" not in page.text
    assert "https://" not in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
