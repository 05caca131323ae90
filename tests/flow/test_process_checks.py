"""What the picture says against a process call is said at once, and nothing is kept of the call."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.access.roles import Role
from app.audit.trail import read_trail
from app.store.session import Store
from tests.process_calls import WHEEL, Installation, amount, completed, installation, issued, released, shipped
from tests.web import account_for

pytestmark = pytest.mark.slow


@pytest.fixture
def here(store: Store, tmp_path: Path) -> Iterator[Installation]:
    made = installation(store, tmp_path, over_completion_percent=20.0)
    assert made.call("release-order", released(planned="10")).status_code == 200
    made.enter()
    yield made
    made.rest()


def _codes(*answers: Any) -> list[tuple[int, str | None]]:
    return [(one.status_code, one.json.get("code")) for one in answers]


def test_an_order_that_is_not_released_or_has_ended_takes_and_makes_nothing(here: Installation) -> None:
    here.stock(("9", "ST", ""))
    unknown = [here.call("issue-material", issued("1", "77")), here.call("post-completion", completed("1", "77"))]
    here.call("post-completion", completed("1", final=True))
    here.enter()

    ended = [
        here.call("issue-material", issued("1")),
        here.call("post-completion", completed("1")),
        here.call("release-order", released()),
    ]

    assert _codes(*unknown) == [(409, "order_not_released")] * 2
    assert _codes(*ended) == [(409, "order_ended")] * 3
    assert ended[0].json["errors"][0]["pointer"] == "/order_id"


def test_more_than_planned_is_taken_up_to_the_plants_tolerance(here: Installation) -> None:
    assert here.call("post-completion", completed("9")).status_code == 200
    here.enter()

    beyond = here.call("post-completion", completed("3.1"))
    within = here.call("post-completion", completed("0.3", outputs=[{"item": "BIKE-100", "quantity": amount("3")}]))

    assert _codes(beyond) == [(409, "over_completion")]
    assert (beyond.json["planned"], beyond.json["completed"], beyond.json["allowed"]) == ("10", "9", "12")
    assert within.status_code == 200


def test_an_item_that_nobody_has_described_is_refused_with_its_place(here: Installation) -> None:
    line = {"item": "NOBODY-1", "quantity": amount("1")}

    answer = here.call("issue-material", {"order_id": "1000", "components": [line]})

    assert _codes(answer) == [(422, "item_unknown")]
    assert answer.json["errors"][0]["pointer"] == "/components/0/item"


def test_more_than_is_free_or_of_an_unknown_lot_is_not_issued(here: Installation) -> None:
    here.stock(("5", "ST", "L1"), ("5", "ST", "L2"))

    answers = [
        here.call("issue-material", issued("11")),
        here.call("issue-material", issued("6", lot="L1")),
        here.call("issue-material", issued("6", storage="WIP")),
        here.call("issue-material", issued("1", lot="L9")),
        here.call("confirm-shipment", shipped("10.5")),
    ]

    short = (409, "not_enough")
    assert _codes(*answers) == [short, short, short, (409, "lot_unknown"), short]
    assert (answers[0].json["available"], answers[1].json["available"]) == ("10", "5")
    assert answers[0].json["errors"][0]["pointer"] == "/components/0/quantity"
    assert here.call("issue-material", issued("5", lot="L1", storage="ST")).status_code == 200


def test_lines_of_one_call_share_what_is_free(here: Installation) -> None:
    here.stock(("5", "ST", "L1"), ("5", "ST", "L2"))
    line = {"item": WHEEL, "quantity": amount("3"), "lot": "L1"}

    answer = here.call(
        "issue-material", {"order_id": "1000", "components": [line, {**line, "quantity": amount("2.5")}]}
    )

    assert _codes(answer) == [(409, "not_enough")]


def test_what_an_accepted_issue_is_about_to_take_is_not_free_any_more(here: Installation) -> None:
    here.stock(("10", "ST", ""))
    assert here.call("issue-material", issued("7")).status_code == 200

    not_entered = here.call("issue-material", issued("4"))
    here.enter()
    entered = here.call("issue-material", issued("4"))
    rest = here.call("issue-material", issued("3"))

    assert _codes(not_entered, entered) == [(409, "not_enough")] * 2
    assert [one.json["available"] for one in (not_entered, entered)] == ["3", "3"]
    assert not_entered.json["on_its_way_out"][0]["quantity"] == "7"
    assert rest.status_code == 200


def test_a_plant_may_let_through_what_is_short_with_a_warning(store: Store, tmp_path: Path) -> None:
    here = installation(store, tmp_path, when_short="warn")
    here.call("release-order", released())

    answer = here.call("issue-material", issued("2"))
    by_lot = here.call("issue-material", issued("2", lot="L9"))

    assert [one.status_code for one in (answer, by_lot)] == [200, 200]
    assert [one.json["warnings"][0]["code"] for one in (answer, by_lot)] == ["not_enough", "lot_unknown"]
    assert answer.json["warnings"][0]["pointer"] == "/components/0/quantity"
    here.rest()


def test_a_lot_on_hold_is_taken_only_by_a_person_with_a_reason(here: Installation) -> None:
    here.stock(("5", "ST", "L1"))
    here.hold("L1")
    operator = account_for(here.store, Role.OPERATOR)
    body = issued("2", lot="L1")

    held = here.call("issue-material", body)
    by_key = here.call("issue-material", body, query={"override": "released by phone"})
    query = {"source": "mes", "override": "released by phone"}
    by_person = here.call("issue-material", body, headers=operator, query=query)

    assert _codes(held, by_key) == [(409, "on_hold"), (403, None)]
    assert held.json["hold"]["reason"] == "crack"
    assert (by_person.status_code, by_person.json["warnings"][0]["code"]) == (200, "on_hold")
    with here.store.reading() as session:
        (last,) = read_trail(session, 1)
    assert (last.actor, last.detail["override"] if last.detail else None) == ("operator", "released by phone")


def test_a_refused_call_may_be_made_again_under_its_key(here: Installation) -> None:
    refused = here.call("issue-material", issued("2"), "i1")
    here.stock(("5", "ST", ""))

    again = here.call("issue-material", issued("2"), "i1")

    assert (refused.status_code, again.status_code, again.json["repeat"]) == (409, 200, False)
