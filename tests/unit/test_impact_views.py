"""What dead letters hold up, over the API, at a terminal and in the console: sorted, filtered, page by page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from app.access.roles import Role
from app.cli import main
from app.dead_letters.impact_lists import impact_of
from app.dead_letters.weighing import weigh_portion
from app.inbox.states import Move, State, move_messages
from app.pipeline.transform import transform_due
from app.store.session import Store
from app.web.impacts import told_impact, words_of_impact
from tests.factories import NOON, accept, completion, know_items, move_event, pipeline, release
from tests.fakes import Books
from tests.web import account_for, log_in, web_app

pytestmark = pytest.mark.slow

LETTERS = "/v1/admin/dead-letters"


@pytest.fixture
def client(store: Store, tmp_path: Path) -> FlaskClient:
    return web_app(store, tmp_path).test_client()


@pytest.fixture
def dead(store: Store) -> list[int]:
    """A move that holds up nothing, a release that is due today, one like the first, and one of another plant."""
    know_items(store)
    ids = accept(
        store, move_event("m0", lot="L1"), release(), move_event("m1", lot="L2"), move_event("m2", plant="P200")
    )
    for plant in ("P100", "P200"):
        transform_due(pipeline(store, {"erp": Books()}), plant, 10)
    with store.writing() as session:
        move_messages(session, [Move(key, State.DEAD, reason_code="no", reason="No.") for key in ids], NOON)
    weigh_portion(store, NOON, new=True)
    return ids


def pages(client: FlaskClient, path: str, headers: dict[str, str]) -> list[dict[str, Any]]:
    """Every row, one a page."""
    rows: list[dict[str, Any]] = []
    following: str | None = path
    while following is not None:
        answer = client.get(following, headers=headers)
        assert answer.status_code == 200, answer.text
        rows += answer.json["dead_letters"]
        following = answer.json["next"]
        assert len(rows) < 20
    return rows


def test_a_list_by_impact_shows_the_parts_and_goes_on_where_the_page_ended(
    client: FlaskClient, store: Store, dead: list[int]
) -> None:
    viewer = account_for(store, Role.VIEWER)
    moved, released, other, of_p200 = dead

    rows = pages(client, f"{LETTERS}?sort=impact&limit=1", viewer)
    newest = pages(client, f"{LETTERS}?limit=1", viewer)

    assert [row["id"] for row in rows] == [released, of_p200, other, moved]
    assert [row["id"] for row in newest] == [of_p200, other, released, moved]
    impact = rows[0]["impact"]
    assert impact["points"] == sum(impact["parts"].values()) == 10
    assert impact["due"] == [
        {"order": "1000", "due_at": "2026-03-02T16:00:00.000Z", "ended": False, "late_seconds": None}
    ]


@pytest.mark.parametrize(
    ("query", "expected"), [("order=1000", [1]), ("lot=L2", [2]), ("item=WHEEL-10&plant=P200", [3]), ("lot=L9", [])]
)
def test_a_list_is_narrowed_to_what_letters_are_about(
    client: FlaskClient, store: Store, dead: list[int], query: str, expected: list[int]
) -> None:
    rows = pages(client, f"{LETTERS}?sort=impact&limit=1&{query}", account_for(store, Role.VIEWER))

    assert [row["id"] for row in rows] == [dead[place] for place in expected]


def test_one_letter_tells_what_it_holds_up(client: FlaskClient, store: Store, dead: list[int]) -> None:
    answer = client.get(f"{LETTERS}/{dead[0]}", headers=account_for(store, Role.VIEWER))

    assert answer.json["impact"]["lots"] == ["L1"]
    assert answer.json["impact"]["weighed_at"] == "2026-03-02T12:00:00.000Z"


@pytest.mark.parametrize("query", ["sort=size", "sort=impact&after=x", "sort=impact&after=WyItMSIsICIxIl0"])
def test_what_cannot_be_a_sort_or_a_place_is_refused(client: FlaskClient, store: Store, query: str) -> None:
    answer = client.get(f"{LETTERS}?{query}", headers=account_for(store, Role.VIEWER))

    assert answer.status_code == 422


def test_requeue_takes_what_letters_are_about_as_a_filter(client: FlaskClient, store: Store, dead: list[int]) -> None:
    operator = account_for(store, Role.OPERATOR)

    answer = client.post(f"{LETTERS}/requeue", json={"filter": {"lot": "L2"}}, headers=operator)

    assert answer.json["ids"] == [dead[2]]


def test_the_console_lists_those_first_that_hold_up_most_and_says_what(
    client: FlaskClient, store: Store, dead: list[int]
) -> None:
    account_for(store, Role.VIEWER)
    log_in(client, "viewer")

    page = client.get("/dead-letters").text
    of_lot = client.get("/dead-letters?kind=lot&code=L2").text

    assert page.index(f">{dead[1]}</a>") < page.index(f">{dead[2]}</a>") < page.index(f">{dead[0]}</a>")
    assert "lateness 10" in page
    assert "value unknown" in page
    assert f">{dead[2]}</a>" in of_lot
    assert f">{dead[1]}</a>" not in of_lot


def test_a_terminal_lists_them_the_same_way(
    sqlite_store: Store, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    know_items(sqlite_store)
    ids = accept(sqlite_store, release(), move_event("m0", lot="L1"), completion("c1"))
    transform_due(pipeline(sqlite_store, {"erp": Books()}), "P100", 10)
    with sqlite_store.writing() as session:
        move_messages(session, [Move(key, State.DEAD, reason_code="no", reason="No.") for key in ids], NOON)
    weigh_portion(sqlite_store, NOON, new=True)
    monkeypatch.setenv("LINESIDE_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("LINESIDE_HOME", str(tmp_path))

    listed = CliRunner().invoke(main, ["dead", "list", "--json"])
    of_lot = CliRunner().invoke(main, ["dead", "list", "--lot", "L1"])
    shown = CliRunner().invoke(main, ["dead", "show", str(ids[0])])

    assert [row["id"] for row in json.loads(listed.output)["dead_letters"]] == [ids[0], ids[2], ids[1]]
    assert "lots L1; items WHEEL-10; 2 EA WHEEL-10; value unknown" in of_lot.output
    assert "orders 1000" in shown.output


def test_what_nobody_has_weighed_yet_says_so(store: Store) -> None:
    know_items(store)
    accept(store, move_event("m0"))
    with store.writing() as session:
        move_messages(session, [Move(1, State.DEAD, reason_code="no", reason="No.")], NOON)
    with store.reading() as session:
        impact = impact_of(session, 1)

    assert impact is not None
    told = told_impact(impact, NOON)
    assert told == {"points": 0, "weighed_at": None}
    assert words_of_impact(told) == ""
