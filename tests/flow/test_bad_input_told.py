"""Words that came from a sender or a target never stop the step that writes them down."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.access.roles import Role
from app.adapters.base import TargetAnswer
from app.errors import Refused, Transient
from app.store.postings_tables import Posting
from app.store.session import Store
from tests.factories import NOON, accept, incoming, know_items, move_event, pipeline, run_once
from tests.fakes import Books, Clock
from tests.reading import message, states, timeline
from tests.web import account_for, web_app

NUL_KEY = b'{"a\\u0000b": 1, "a\\u0000b": 2}'
ODD = "half \ud800 and NUL \x00"


def test_a_reason_that_quotes_a_nul_stops_neither_its_message_nor_its_neighbours(store: Store) -> None:
    know_items(store)
    bad, good = accept(store, incoming("bad", "inventory.moved.v1", {}, body=NUL_KEY), move_event("good"))

    run_once(pipeline(store, {"erp": Books()}))

    assert states(store, bad, good) == ["dead", "posted"]
    assert message(store, bad).reason_field == "a\ufffdb"


@pytest.mark.parametrize("error", [Refused("c" * 100, ODD, ODD * 50), Transient(ODD)])
def test_whatever_a_target_says_when_it_refuses_is_written_down(store: Store, error: Exception) -> None:
    books = Books()
    books.before = [error]
    know_items(store)
    (moved,) = accept(store, move_event())

    run_once(pipeline(store, {"erp": books}, Clock(NOON)))

    assert states(store, moved)[0] in ("dead", "waiting")
    assert "half \ufffd and NUL \ufffd" in (message(store, moved).reason or "")


def test_whatever_a_target_answers_is_written_down(store: Store) -> None:
    class Odd(Books):
        def post(self, request: object) -> TargetAnswer:
            return TargetAnswer(ODD + "x" * 300, {"note": ODD})

    know_items(store)
    (moved,) = accept(store, move_event())

    run_once(pipeline(store, {"erp": Odd()}))

    assert timeline(store, moved)[-1] == "posted"
    with store.reading() as session:
        posting = session.query(Posting).filter_by(message_id=moved).one()
        assert posting.answer == {"note": ODD}
        assert posting.reference is not None
        assert posting.reference.startswith("half \ufffd and NUL \ufffd")


def test_a_question_that_no_database_can_be_asked_is_the_askers_fault_and_not_the_databases(
    store: Store, tmp_path: Path
) -> None:
    client = web_app(store, tmp_path).test_client()
    viewer = account_for(store, Role.VIEWER)

    answer = client.get("/v1/messages?plant=P%00", headers=viewer)

    if store.is_sqlite:
        assert answer.get_json()["messages"] == []
    else:
        assert (answer.status_code, "NUL" in answer.get_json()["detail"]) == (422, True)
