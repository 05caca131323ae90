"""The console: every number leads to its list, and a person can act where it says so."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.access.roles import Role
from app.inbox.states import Move, State, move_messages
from app.postings.pauses import pause_target
from app.store.session import Store
from app.web.access_acts import make_key
from tests.factories import NOON, accept, move_event
from tests.fakes import Clock
from tests.reading import states
from tests.web import Nudged, account_for, csrf_of, log_in, web_app

pytestmark = pytest.mark.slow


@pytest.fixture
def nudged() -> Nudged:
    return Nudged()


@pytest.fixture
def app(sqlite_store: Store, tmp_path: Path, nudged: Nudged) -> Flask:
    return web_app(sqlite_store, tmp_path, nudged=nudged, clock=Clock(NOON + timedelta(minutes=5)))


@pytest.fixture
def operator(app: Flask, sqlite_store: Store) -> FlaskClient:
    account_for(sqlite_store, Role.OPERATOR)
    client = app.test_client()
    log_in(client, "operator")
    return client


@pytest.fixture
def viewer(app: Flask, sqlite_store: Store) -> FlaskClient:
    account_for(sqlite_store, Role.VIEWER)
    client = app.test_client()
    log_in(client, "viewer")
    return client


@pytest.fixture
def dead(sqlite_store: Store) -> list[int]:
    ids = accept(sqlite_store, *[move_event(f"m{number}") for number in range(3)])
    with sqlite_store.writing() as session:
        moves = [Move(key, State.DEAD, reason_code="unit_unknown", reason="No unit 'STK'.") for key in ids[:2]]
        move_messages(session, moves, NOON)
    return ids[:2]


@pytest.mark.usefixtures("dead")
def test_each_number_of_the_first_page_leads_to_a_list_of_as_many(viewer: FlaskClient) -> None:
    page = viewer.get("/").text

    links = re.findall(r'<a href="(/(?:messages|dead-letters)[^"]*)" class="\w*" aria-label="(\d+) ', page)
    assert len(links) >= 6
    for url, count in links:
        rows = re.findall(r'<td class="num"><a href="/messages/\d+">', viewer.get(url.replace("&amp;", "&")).text)
        assert len(rows) == int(count), url


@pytest.mark.usefixtures("dead")
def test_a_viewer_sees_no_buttons_that_act(viewer: FlaskClient) -> None:
    pages = viewer.get("/dead-letters").text + viewer.get("/messages/1").text

    assert "Requeue" not in pages
    assert "Discard" not in pages


def test_a_dead_letter_is_requeued_from_its_list(
    operator: FlaskClient, dead: list[int], sqlite_store: Store, nudged: Nudged
) -> None:
    token = csrf_of(operator.get("/dead-letters?plant=P100").text)

    answer = operator.post(
        f"/dead-letters/{dead[0]}/requeue", data={"csrf_token": token, "back": "/dead-letters?plant=P100"}
    )

    assert answer.location == "/dead-letters?plant=P100"
    assert states(sqlite_store, *dead) == ["received", "dead"]
    assert nudged.plants == [("P100", 1)]
    assert f'Message <a href="/messages/{dead[0]}">{dead[0]}</a> is due again.' in operator.get(answer.location).text


def test_the_mend_at_the_end_of_a_long_reason_stands_in_the_lists(viewer: FlaskClient, sqlite_store: Store) -> None:
    (letter,) = accept(sqlite_store, move_event())
    reason = f"The unit STCK is unknown; {'it is known in many others, ' * 20}add it to the source, then requeue."
    with sqlite_store.writing() as session:
        move_messages(session, [Move(letter, State.DEAD, reason_code="unit_unknown", reason=reason)], NOON)

    for page in (viewer.get("/dead-letters").text, viewer.get("/messages").text):
        assert f'title="{reason}"' in page
        assert re.search(r">The unit STCK is unknown; [^<]* … [^<]*add it to the source, then requeue\.<", page)


def test_all_that_match_are_requeued_after_their_number_was_shown(
    operator: FlaskClient, dead: list[int], sqlite_store: Store
) -> None:
    asked = operator.get("/dead-letters/requeue?reason_code=unit_unknown").text

    form = {"csrf_token": csrf_of(asked), "reason_code": "unit_unknown"}
    operator.post("/dead-letters/requeue", data=form)

    assert "Requeue 2 dead letters?" in asked
    assert states(sqlite_store, *dead) == ["received", "received"]


@pytest.mark.parametrize(("reason", "state"), [("", "dead"), ("  x ", "dead"), ("sent by mistake", "discarded")])
def test_a_dead_letter_is_discarded_with_a_reason_only(
    operator: FlaskClient, dead: list[int], sqlite_store: Store, reason: str, state: str
) -> None:
    token = csrf_of(operator.get(f"/messages/{dead[0]}").text)

    operator.post(f"/dead-letters/{dead[0]}/discard", data={"csrf_token": token, "reason": reason})

    assert states(sqlite_store, dead[0]) == [state]


def test_a_paused_target_is_told_on_the_first_page_and_resumed_there(
    operator: FlaskClient, sqlite_store: Store
) -> None:
    with sqlite_store.writing() as session:
        pause_target(session, "erp", "HTTP 401: the key is not accepted", NOON)
    page = operator.get("/").text

    operator.post("/targets/erp/resume", data={"csrf_token": csrf_of(page)})

    assert "HTTP 401: the key is not accepted" in page
    assert "is paused" not in operator.get("/").text


def test_a_plant_is_paused_with_a_reason_and_resumed_on_the_first_page(
    operator: FlaskClient, sqlite_store: Store
) -> None:
    token = csrf_of(operator.get("/").text)
    operator.post("/plants/P100/pause", data={"csrf_token": token, "reason": " "})
    without_reason = operator.get("/").text
    operator.post("/plants/P100/pause", data={"csrf_token": token, "reason": "stocktaking"})
    operator.post("/targets/erp/pause", data={"csrf_token": token, "reason": "moves house"})
    page = operator.get("/").text

    operator.post("/plants/P100/resume", data={"csrf_token": token})

    assert "Plant P100 is paused" not in without_reason
    assert "Plant P100 is paused</strong> by operator" in page
    assert "moves house" in page
    assert "is paused</strong> by" in operator.get("/").text
    assert "stocktaking" not in operator.get("/").text


def test_what_was_received_is_shown_and_never_run(viewer: FlaskClient, sqlite_store: Store) -> None:
    evil = "<script>alert(1)</script>"
    body = f'{{"a": "{evil}"}}'.encode()
    (message_id,) = accept(sqlite_store, move_event(evil, body=body, ordering_key=evil, attributes={evil: evil}))
    with sqlite_store.writing() as session:
        move = Move(message_id, State.DEAD, reason_code="x", reason=f"{evil} message 12", reason_field=evil)
        move_messages(session, [move], NOON)

    for page in (f"/messages/{message_id}", "/messages", "/dead-letters"):
        answer = viewer.get(page)
        assert evil not in answer.text
        assert "&lt;script&gt;" in answer.text
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]


def test_times_are_in_the_plants_zone_and_in_utc_for_the_pointer(viewer: FlaskClient, sqlite_store: Store) -> None:
    (message_id,) = accept(sqlite_store, move_event())

    page = viewer.get(f"/messages/{message_id}").text

    assert (
        '<time datetime="2026-03-02T12:00:00.000+00:00" title="2026-03-02 12:00:00.000 UTC">2026-03-02 13:00:00' in page
    )


def test_a_page_that_is_not_there_is_told_as_a_page(viewer: FlaskClient) -> None:
    answers = [viewer.get(path, headers={"Accept": "text/html"}) for path in ("/messages/77", "/nothing")]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert all(answer.content_type.startswith("text/html") for answer in answers)


@pytest.mark.parametrize("query", ["state=gone", "before=x", "received_before=noon"])
def test_a_filter_that_cannot_be_meant_is_told_on_a_page(viewer: FlaskClient, query: str) -> None:
    answer = viewer.get(f"/messages?{query}")

    assert answer.status_code == 422
    assert query.split("=")[0] in answer.text


def test_lists_are_paged_to_their_end(viewer: FlaskClient, sqlite_store: Store) -> None:
    accept(sqlite_store, *[move_event(f"m{number}") for number in range(120)])

    seen: list[str] = []
    url: str | None = "/messages?plant=P100"
    while url:
        page = viewer.get(url).text
        seen += re.findall(r'<td class="num"><a href="/messages/(\d+)">', page)
        following = re.search(r'<a href="([^"]+)" rel="next">', page)
        url = following[1].replace("&amp;", "&") if following else None

    assert [int(text) for text in seen] == list(range(120, 0, -1))


def test_the_trail_names_who_did_what(operator: FlaskClient, dead: list[int]) -> None:
    token = csrf_of(operator.get("/dead-letters").text)
    operator.post(f"/dead-letters/{dead[0]}/requeue", data={"csrf_token": token})

    page = operator.get("/audit").text

    assert "dead_letter.requeued" in page
    assert f'<a href="/messages/{dead[0]}">message:{dead[0]}</a>' in page


def test_the_trail_is_told_in_words_and_says_whose_time_it_is(operator: FlaskClient, sqlite_store: Store) -> None:
    make_key(sqlite_store, "line 4", "mes", ["P100", "P200"], "anna", NOON)
    make_key(sqlite_store, "every line", "mes", [], "anna", NOON)

    page = operator.get("/audit").text

    assert re.search(r"plants</span>\s+P100, P200\s", page)
    assert re.search(r"plants</span>\s+all\s", page)
    assert "When (UTC)" in page


def test_no_page_asks_anything_of_another_machine(operator: FlaskClient, dead: list[int]) -> None:
    paths = ["/", "/messages", f"/messages/{dead[0]}", "/dead-letters", "/dead-letters/requeue", "/audit"]

    resources = [
        found
        for path in paths
        for found in re.findall(r'<(?:script|link|img)[^>]*(?:src|href)="([^"]+)"', operator.get(path).text)
    ]

    assert resources
    assert all(resource.startswith("/static/") for resource in resources)
