"""A dead letter's payload is corrected on a page or at a terminal; what was typed is never lost to an error."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskClient

from app.access.roles import Role
from app.cli import main
from app.inbox.states import Move, State, move_messages
from app.store.documents import load_payloads
from app.store.session import Store
from tests.factories import NOON, accept, completion, incoming
from tests.reading import states
from tests.unit.test_api_messages import DATA, STRUCTURED, event
from tests.web import Nudged, account_for, csrf_of, log_in, web_app

pytestmark = pytest.mark.slow

Run = Callable[..., Result]
MENDED = event("c1", data=DATA | {"order_id": "2000"})


@pytest.fixture
def nudged() -> Nudged:
    return Nudged()


@pytest.fixture
def operator(sqlite_store: Store, tmp_path: Path, nudged: Nudged) -> FlaskClient:
    account_for(sqlite_store, Role.OPERATOR)
    client = web_app(sqlite_store, tmp_path, nudged=nudged).test_client()
    log_in(client, "operator")
    return client


@pytest.fixture
def run(sqlite_url: str, tmp_path: Path) -> Run:
    def call(*arguments: str, typed: bytes | None = None) -> Result:
        values = {"LINESIDE_HOME": str(tmp_path), "LINESIDE_DATABASE_URL": sqlite_url, "LINESIDE_CONFIG": ""}
        return CliRunner().invoke(main, arguments, env=values, input=typed)

    return call


def kill(store: Store, letter: int) -> int:
    with store.writing() as session:
        move_messages(session, [Move(letter, State.DEAD, reason_code="x", reason="Correct it.")], NOON)
    return letter


@pytest.fixture
def dead(sqlite_store: Store) -> int:
    body = json.dumps(event("c1")).encode()
    (letter,) = accept(sqlite_store, completion("c1", body=body, content_type=STRUCTURED))
    return kill(sqlite_store, letter)


def typed_in(page: str) -> str:
    """What stands in the form, as a browser reads it: without the line end behind the opening tag."""
    found = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", page, re.DOTALL)
    assert found is not None, "the page has no form for a payload"
    return html.unescape(found[1]).replace("\r\n", "\n")


def as_read(store: Store, letter: int) -> bytes:
    with store.reading() as session:
        return load_payloads(session, [letter])[letter].body


def test_a_payload_is_corrected_on_its_page_and_due_again(
    operator: FlaskClient, dead: int, sqlite_store: Store, nudged: Nudged
) -> None:
    there = f"/dead-letters/{dead}/correct"
    linked = f'href="{there}"' in operator.get(f"/messages/{dead}").text
    page = operator.get(there).text
    mended = typed_in(page).replace("\n", "\r\n").replace('"1000"', '"2000"')

    answer = operator.post(there, data={"csrf_token": csrf_of(page), "payload": mended})

    assert linked
    assert answer.location == f"/messages/{dead}"
    assert states(sqlite_store, dead) == ["received"]
    assert json.loads(as_read(sqlite_store, dead)) == MENDED
    assert b"\r" not in as_read(sqlite_store, dead)
    assert nudged.plants == [("P100", 1)]


@pytest.mark.parametrize("typed", ["{", "", '{"a": "<script>alert(1)</script>"}', json.dumps(event("another"))])
def test_a_correction_that_cannot_be_right_comes_back_with_what_was_typed(
    operator: FlaskClient, dead: int, sqlite_store: Store, typed: str
) -> None:
    there = f"/dead-letters/{dead}/correct"
    token = csrf_of(operator.get(there).text)

    answer = operator.post(there, data={"csrf_token": token, "payload": typed})

    assert answer.status_code in (400, 422)
    assert "Not resubmitted." in answer.text
    assert typed_in(answer.text) == typed
    assert "<script>alert" not in answer.text
    assert states(sqlite_store, dead) == ["dead"]


def test_what_was_typed_is_kept_where_somebody_else_was_quicker(
    operator: FlaskClient, dead: int, sqlite_store: Store
) -> None:
    there = f"/dead-letters/{dead}/correct"
    token = csrf_of(operator.get(there).text)
    operator.post(f"/dead-letters/{dead}/requeue", data={"csrf_token": token})

    answer = operator.post(there, data={"csrf_token": token, "payload": json.dumps(MENDED)})

    assert answer.status_code == 409
    assert typed_in(answer.text) == json.dumps(MENDED)
    assert operator.get(there).location == f"/messages/{dead}"


def test_a_correction_needs_the_role_and_the_forms_token(operator: FlaskClient, dead: int, sqlite_store: Store) -> None:
    account_for(sqlite_store, Role.VIEWER)
    there, viewer = f"/dead-letters/{dead}/correct", operator.application.test_client()
    log_in(viewer, "viewer")

    answers = [operator.post(there, data={"payload": json.dumps(MENDED)}), viewer.get(there)]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert "/correct" not in viewer.get(f"/messages/{dead}").text
    assert states(sqlite_store, dead) == ["dead"]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/xml", b'<?xml version="1.0" encoding="iso-8859-1"?><a>\xfc</a>'),
        ("application/xml", b'<?xml version="1.0" encoding="iso-8859-1"?><a>u</a>'),
        ("application/octet-stream", b"a\0b"),
        ("text/csv", b"gr\xfcn;1"),
        ("text/csv", b"1;" * 60_000),
    ],
)
def test_what_a_form_could_not_give_back_as_it_is_is_corrected_at_a_terminal(
    operator: FlaskClient, sqlite_store: Store, content_type: str, body: bytes
) -> None:
    (letter,) = accept(sqlite_store, incoming("o1", "mes.own", {}, body=body, content_type=content_type))
    kill(sqlite_store, letter)

    page = operator.get(f"/dead-letters/{letter}/correct").text

    assert "<textarea" not in page
    assert f"lineside dead correct {letter} --file" in page


@pytest.mark.parametrize("body", [b"\n  <a>1</a>\n", b"<a>\r\n</a>", b"1;\xc3\xbc;\xc2\xa0\r\n2;x\r\n"])
def test_text_that_was_not_touched_comes_back_to_the_byte(
    operator: FlaskClient, sqlite_store: Store, body: bytes
) -> None:
    kind = "text/csv" if b";" in body else "application/xml"
    (letter,) = accept(sqlite_store, incoming("o1", "mes.own", {}, body=body, content_type=kind))
    there = f"/dead-letters/{kill(sqlite_store, letter)}/correct"
    page = operator.get(there).text

    sent = typed_in(page).replace("\n", "\r\n")
    operator.post(there, data={"csrf_token": csrf_of(page), "payload": sent})

    assert as_read(sqlite_store, letter) == body


def test_numbers_keep_their_digits_where_json_is_laid_out(operator: FlaskClient, sqlite_store: Store) -> None:
    body = b'{"a":1.50,"b":12345678901234567890.10,"c":[],"d":"\\u00017"}'
    (letter,) = accept(sqlite_store, incoming("o1", "mes.own", {}, body=body))

    page = operator.get(f"/dead-letters/{kill(sqlite_store, letter)}/correct").text

    assert "1.50" in typed_in(page)
    assert "12345678901234567890.10" in typed_in(page)
    assert json.loads(typed_in(page))["d"] == "\x017"


def test_a_payload_is_taken_out_mended_and_resubmitted_at_a_terminal(
    run: Run, dead: int, sqlite_store: Store, tmp_path: Path
) -> None:
    taken = run("dead", "payload", str(dead)).stdout_bytes
    mended = tmp_path / "payload"
    mended.write_bytes(taken.replace(b'"1000"', b'"2000"'))

    tried = run("dead", "correct", str(dead), "--file", str(mended), "--dry-run", "--json")
    unmoved = states(sqlite_store, dead)
    done = run("dead", "correct", str(dead), "--file", "-", "--json", typed=mended.read_bytes())

    assert taken == json.dumps(event("c1")).encode()
    assert json.loads(tried.stdout) == {"id": dead, "resubmitted": False, "dry_run": True}
    assert unmoved == ["dead"]
    assert (done.exit_code, json.loads(done.stdout)["resubmitted"]) == (0, True)
    assert states(sqlite_store, dead) == ["received"]
    assert run("dead", "payload", str(dead)).stdout_bytes == mended.read_bytes()


def test_a_correction_at_a_terminal_that_cannot_be_right_is_a_no_with_its_faults(
    run: Run, dead: int, sqlite_store: Store
) -> None:
    wrong = json.dumps(event("c1", data=DATA | {"order_id": ""})).encode()

    shown = run("dead", "correct", str(dead), "--file", "-", typed=wrong)
    told = run("dead", "correct", str(dead), "--file", "-", "--json", "--dry-run", typed=wrong)
    absent = run("dead", "correct", "999", "--file", "-", typed=wrong)

    assert [shown.exit_code, told.exit_code, absent.exit_code] == [1, 1, 1]
    assert "/data/order_id" in shown.stderr
    assert json.loads(told.stdout)["problem"]["errors"][0]["pointer"] == "/data/order_id"
    assert "999" in absent.stderr
    assert states(sqlite_store, dead) == ["dead"]
