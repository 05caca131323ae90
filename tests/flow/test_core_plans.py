"""What runs for every batch or every second finds its rows by index, however many are due, wait or are done."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import event, insert, text
from sqlalchemy.orm import Session

from app.inbox.claim import Claimed, claim_messages, count_due
from app.inbox.figures import plant_figures
from app.inbox.lanes import claim_lane, claim_lanes, oldest_untransformed
from app.inbox.order import blocking_predecessors, overtaken, wake_next
from app.inbox.states import Step
from app.inbox.trailing import first_trailing, wake_next_trailing
from app.inbox.wakes import wake, wake_arrived, wake_portion
from app.pipeline import set_back
from app.postings.reversals import open_orders
from app.store.messages_tables import Message, StateCount
from app.store.order_tables import OpenWake
from app.store.session import Store
from tests.factories import NOON
from tests.services import postgres_database

pytestmark = pytest.mark.slow

MESSAGES = 24_000

# (state, step, due, lane) of one message in twelve each: most are due or wait; the oldest third is posted.
KINDS = [
    ("received", "transform", True, 0),
    ("transformed", "enrich", True, 0),
    *[("enriched", "post", True, lane) for lane in (1, 2, 3, 4)],
    *[("waiting", "post", False, lane) for lane in (1, 2, 3)],
    ("waiting", "enrich", False, 0),
    ("waiting", "enrich", False, 0),
    ("dead", None, False, 0),
]


def _row(number: int) -> dict[str, Any]:
    posted = ("posted", "post", True, 4) if number % 50 == 0 else ("posted", None, False, 0)
    state, step, due, lane = KINDS[number % 12] if number > MESSAGES / 3 else posted
    waits = {"post": "key:P100:lot:7", "enrich": "item:X"}.get(step or "") if state == "waiting" else None
    return {
        "id": number,
        "plant": "P100",
        "source": "mes",
        "source_message_id": f"m{number}",
        "type": "inventory.moved.v1",
        "digest": "",
        "state": state,
        "step": step,
        "lane": lane,
        "due_at": (NOON - timedelta(seconds=number % 999) if due else NOON + timedelta(hours=1)) if step else None,
        "attempts": 0,
        "ordering_key": f"lot:{number % 97}" if step == "post" else None,
        "key_rank": f"{number:040}" if step == "post" else "",
        "waiting_for": waits,
        "received_at": NOON,
        "state_at": NOON,
    }


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def crowded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Filled once for all tests, which take back what they wrote. A database of its own: PostgreSQL's plans follow from
    all that a table has held."""
    with ExitStack() as ending:
        if request.param == "sqlite":
            path = tmp_path_factory.mktemp("crowded") / "lineside.db"
            shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
            url = f"sqlite:///{path}"
        else:
            template = request.getfixturevalue("postgres_template")
            url = ending.enter_context(postgres_database(f"TEMPLATE {template}"))
        store = Store(url)
        ending.callback(store.dispose)
        _fill(store)
        yield store


def _fill(store: Store) -> None:
    with store.writing() as session:
        session.connection().execute(insert(Message), [_row(number) for number in range(1, MESSAGES)])
        counts = [
            {"plant": "P100", "type": "t", "state": state, "count": 1} for state in ("received", "waiting", "posted")
        ]
        session.connection().execute(insert(StateCount), counts)
    if not store.is_sqlite:
        with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE messages"))


def _claimed(session: Session) -> list[Claimed]:
    _, claimed = claim_lanes(session, "P100", 100, "t", NOON, 60, lanes_most=1)
    return claimed


def _portion(session: Session) -> None:
    wakes = {"reference": "item:X", "after_id": 0, "again": False, "opened_at": NOON}
    session.execute(insert(OpenWake).values(wakes))
    wake_portion(session, NOON)


QUERIES: dict[str, Callable[[Session], object]] = {
    "what is due to transform": lambda session: count_due(session, "P100", Step.TRANSFORM, NOON),
    "what is due to enrich": lambda session: count_due(session, "P100", Step.ENRICH, NOON),
    "what is due to post": lambda session: count_due(session, "P100", Step.POST, NOON),
    "nothing due to post": lambda session: count_due(session, "P100", Step.POST, NOON - timedelta(days=1)),
    "a claim": lambda session: claim_messages(session, "P100", Step.TRANSFORM, 100, "t", NOON, 60),
    "a lane": lambda session: claim_lane(session, "P100", "t", NOON, 60),
    "a lane's messages": _claimed,
    "the oldest untransformed": lambda session: oldest_untransformed(session, "P100"),
    "predecessors": lambda session: blocking_predecessors(session, "P100", _claimed(session), {}),
    "those that were overtaken": lambda session: overtaken(session, "P100", [m.id for m in _claimed(session)], "x"),
    "those next in their keys": lambda session: wake_next(session, [m.id for m in _claimed(session)], NOON),
    "those that are being reversed": lambda session: open_orders(session, [m.id for m in _claimed(session)]),
    "those that trail before them": lambda session: first_trailing(session, "P100", [50, 100], [50], ["erp"]),
    "those that trail behind them": lambda session: wake_next_trailing(session, [(50, "erp"), (100, None)], NOON),
    "nobody to wake": lambda session: wake(session, ["item:Y"], NOON),
    "nobody for whom it arrived": lambda session: wake_arrived(session, ["item:Y", "stock:P100:Y"], NOON),
    "a portion of those for whom it arrived": lambda session: _portion(session),
    "what is due too late": lambda session: set_back.portion(session, "P100", Step.POST, 1, (NOON, 0)),
    "the figures": lambda session: plant_figures(session, ["P100"], NOON),
}


@pytest.mark.parametrize("name", QUERIES)
def test_no_query_of_the_core_walks_the_messages(crowded: Store, name: str) -> None:
    statements: list[tuple[str, Any]] = []

    def note(_c: object, _cursor: object, statement: str, parameters: Any, _x: object, many: bool) -> None:
        statements.append((statement, parameters[0] if many else parameters))

    with crowded.engine.connect() as connection, Session(connection) as session:
        event.listen(connection, "before_cursor_execute", note)
        QUERIES[name](session)
        session.rollback()

    assert [line for statement in statements for line in _walks(crowded, *statement)] == []


def _walks(store: Store, statement: str, parameters: Any) -> list[str]:
    """The lines of the plan that read messages without an index, by one on the state of all plants, or one by one
    along the primary key."""
    explain = "EXPLAIN QUERY PLAN " if store.is_sqlite else "EXPLAIN (COSTS OFF) "
    with store.engine.connect() as connection:
        cursor = connection.connection.cursor()
        cursor.execute(explain + statement, parameters)
        lines = [str(row[3] if store.is_sqlite else row[0]) for row in cursor.fetchall()]
        cursor.close()
    walks = [line for line in lines if "messages" in line and "SCAN" in line.upper() and "Index" not in line]
    by_state = [line for line in lines if "ix_messages_state" in line and "(state=?)" in line]
    unbounded = [
        line
        for line, after in pairwise([*lines, ""])
        if "Scan using" in line and " on messages" in line and "Index Cond" not in after
    ]
    return [line for line in walks + by_state + unbounded if "Bitmap" not in line]
