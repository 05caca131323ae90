"""A list costs what its page holds, and not what the tables hold: counted in the steps of SQLite's own machine, which
are the same on any computer however busy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from app.access.roles import Role
from app.bench.day_made import Plants, prepare, write_topology
from app.bench.days_copied import Copier
from app.bench.picture_calls import calls
from app.bench.picture_known import look_up
from app.bench.visibility import reconciled
from app.store.session import Store
from tests.web import account_for, web_app

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

ORDERS = 40
FEW, MANY = 4, 24
"""Days."""
EACH = 6
STEPS = 50
FLAT = 1.6
SOME_STEPS = 12_000
"""A page may cost so many steps more: that much a page of 50 differs from another."""


BOUNDED = {
    # A page of it looks at 5,000 entries at most, which are more than there are with few rows.
    **dict.fromkeys(("feed, oldest", "feed from somewhere", "feed of a plant", "feed since a day"), 60_000),
    # Looked for in a window of 50,000 messages, which does not end with few rows.
    "messages of a key": 150_000,
}
"""What costs more with more rows, up to so many steps: the window or the page that bounds it is larger than all rows of
the few days."""


class Steps:
    """Steps of all connections, in portions of ``STEPS``."""

    def __init__(self, store: Store) -> None:
        self.count = 0
        event.listen(store.engine, "checkout", lambda connection, *_: connection.set_progress_handler(self._one, STEPS))

    def _one(self) -> int:
        self.count += 1
        return 0


class Filled:
    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.topology = store, write_topology(folder / "topology.yaml")
        prepare(store, self.topology)
        plants = Plants(store, self.topology)
        plants.post_day(0, ORDERS, lambda share: None)
        plants.enter()
        plants.end_day(0, ORDERS)
        reconciled(store, self.topology)
        self.copier = Copier(store, 0)
        self.days = [0]

    def fill(self, days: int) -> None:
        while len(self.days) < days:
            self.copier.copy(len(self.days))
            self.days.append(len(self.days))

    def asked(self) -> Mapping[str, Any]:
        return calls(look_up(self.store, self.days, ORDERS), Random(7))


@pytest.fixture
def filled(sqlite_store: Store, tmp_path: Path) -> Iterator[Filled]:
    filled = Filled(sqlite_store, tmp_path)
    yield filled
    filled.copier.close()


@pytest.fixture
def app(filled: Filled, tmp_path: Path) -> Flask:
    return web_app(filled.store, tmp_path, filled.topology)


def steps_of(filled: Filled, client: FlaskClient, proof: Mapping[str, str], steps: Steps) -> dict[str, int]:
    """The most of some calls of each kind."""
    found = {}
    for name, path in filled.asked().items():
        most = 0
        for _ in range(EACH):
            asked, before = path(), steps.count
            answer = client.get(asked, headers=proof)
            assert answer.status_code in (200, 404), (asked, answer.text)
            most = max(most, steps.count - before)
        found[name] = most * STEPS
    return found


def test_six_times_as_many_rows_make_no_call_of_the_picture_dearer(filled: Filled, app: Flask) -> None:
    client, proof, steps = app.test_client(), account_for(filled.store, Role.VIEWER), Steps(filled.store)

    filled.fill(FEW)
    few = steps_of(filled, client, proof, steps)
    filled.fill(MANY)
    many = steps_of(filled, client, proof, steps)

    dearer = {
        name: f"{few[name]:,} steps with few rows, {steps:,} with many"
        for name, steps in many.items()
        if steps > BOUNDED.get(name, few[name] * FLAT + SOME_STEPS)
    }
    assert dearer == {}


def test_every_list_and_detail_of_the_api_is_measured(filled: Filled, app: Flask) -> None:
    urls = app.url_map.bind("localhost")
    asked = {urls.match(path().partition("?")[0], "GET")[0] for path in filled.asked().values()}

    there = {
        rule.endpoint: rule.rule
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/v1/") and "GET" in (rule.methods or ())
    }

    left_out = {endpoint: rule for endpoint, rule in there.items() if endpoint not in asked}
    assert sorted(left_out.values()) == sorted(UNMEASURED)


UNMEASURED = {
    "/v1/schemas": "no table",
    "/v1/schemas/<event_type>": "no table",
    "/v1/events.parquet": "as much as is asked for",
    "/v1/reconciliations/<int:report_id>/differences.csv": "all of one report",
    "/v1/admin/exception-rules": "no table",
    "/v1/admin/crosswalks/missing": "as many as are missing",
    "/v1/admin/crosswalks/history": "as many as people changed",
    "/v1/proposals/<int:proposal_id>": "people make them",
    "/v1/reconciliations/requests/<int:request_id>": "people make them",
    "/v1/webhooks/<int:subscriber_id>": "people make them",
    "/v1/webhooks/<int:subscriber_id>/deliveries": "needs a subscriber",
    "/v1/webhooks/<int:subscriber_id>/deliveries/<int:delivery_id>": "needs a subscriber",
}
"""And why."""
