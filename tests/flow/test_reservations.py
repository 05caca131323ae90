"""What is reserved is kept for whom it is reserved, counted once, and free again when its time is over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.dead_letters.reversal import reverse
from app.errors import Refused
from app.inbox.states import Move, State, move_messages
from app.processes.rounds import Endings
from app.projections.projector import rebuild
from app.store.session import Store
from tests.factories import NOON
from tests.process_calls import WHEEL, Installation, amount, installation, issued, released, shipped
from tests.reading import states

pytestmark = pytest.mark.slow


@pytest.fixture
def here(store: Store, tmp_path: Path) -> Iterator[Installation]:
    made = installation(store, tmp_path)
    made.stock(("10", "ST", "L1"), ("10", "ST", "L2"))
    yield made
    made.rest()


def reserve(here: Installation, much: str, key: str | None = None, **more: Any) -> Any:
    return here.call("reserve-inventory", {"item": WHEEL, "quantity": amount(much), **more}, key)


def _release_order(here: Installation, order: str, needed: str) -> None:
    assert here.call("release-order", released(order, needed)).status_code == 200
    here.enter()


def _of(here: Installation, code: str) -> dict[str, Any]:
    return dict(here.client.get(f"/v1/reservations/{code}", headers=here.key).json)


def _figures(here: Installation) -> tuple[str, str, str]:
    told = here.inventory()
    return told["unrestricted"], told["reserved"], told["available"]


def test_what_is_free_is_reserved_and_more_is_not(here: Installation) -> None:
    first = reserve(here, "1.5", "a", reason="rush", lot="L1", location={"storage": "ST"})
    more = reserve(here, "18.6")
    of_lot = reserve(here, "8.6", lot="L1")

    assert (first.status_code, first.json["state"], first.json["quantity"]) == (201, "open", "1.5")
    assert first.headers["Location"] == f"/v1/reservations/{first.json['reservation_id']}"
    assert [one.status_code for one in (more, of_lot)] == [409, 409]
    assert (more.json["available"], of_lot.json["available"]) == ("18.5", "8.5")
    assert more.json["held_by"][0]["reservation"] == first.json["reservation_id"]
    assert _figures(here) == ("20", "1.5", "18.5")


def test_a_repeat_is_answered_with_the_first_one_and_other_content_is_a_conflict(here: Installation) -> None:
    first = reserve(here, "8", "a")

    again = reserve(here, "8", "a")
    other = reserve(here, "7", "a")

    assert (again.status_code, again.json["reservation_id"]) == (200, first.json["reservation_id"])
    assert other.status_code == 409
    assert _figures(here)[1] == "8"


def test_the_unit_of_a_reservation_is_the_items_base_unit(here: Installation) -> None:
    box = here.call("reserve-inventory", {"item": WHEEL, "quantity": amount("1.5", "BOX")})

    assert (box.json["quantity"], box.json["uom"]) == ("15", "EA")


def test_an_orders_need_and_its_own_reservation_count_once(here: Installation) -> None:
    _release_order(here, "1000", "8")
    seen = [_figures(here)[1:]]
    reserve(here, "6", order_id="1000")
    seen.append(_figures(here)[1:])
    reserve(here, "6", order_id="1000")
    seen.append(_figures(here)[1:])

    too_much = reserve(here, "9", order_id="1000")
    by_others = reserve(here, "8.5")

    assert seen == [("8", "12"), ("8", "12"), ("12", "8")]
    assert (too_much.json["available"], by_others.json["available"]) == ("8", "8")


def test_an_issue_uses_its_orders_reservation_and_takes_nobody_elses(here: Installation) -> None:
    _release_order(here, "1000", "1")
    _release_order(here, "2000", "1")
    code = reserve(here, "18", order_id="1000").json["reservation_id"]

    other = here.call("issue-material", issued("3", "2000"))
    own = here.call("issue-material", issued("5", "1000"))
    before_entered = reserve(here, "1.5").json["available"]
    here.enter()

    assert (other.status_code, other.json["code"]) == (409, "not_enough")
    assert own.status_code == 200
    told = _of(here, code)
    assert (told["state"], told["used"], told["remaining"]) == ("open", "5", "13")
    assert [use["message_id"] for use in told["uses"]] == [own.json["id"]]
    assert (before_entered, _figures(here)) == ("1", ("15", "14", "1"))


@pytest.mark.parametrize("way", ["delivery", "name"])
def test_a_shipment_consumes_the_reservation_of_its_delivery_or_that_it_names(here: Installation, way: str) -> None:
    for_whom = {"delivery_id": "D-1"} if way == "delivery" else {}
    code = reserve(here, "20", **for_whom).json["reservation_id"]
    named = {"document_ref": {"type": "reservation", "id": code}} if way == "name" else {}

    shipment = here.call("confirm-shipment", shipped("20", **named))
    here.enter()

    assert shipment.status_code == 200, shipment.json
    assert _of(here, code)["state"] == "consumed"
    assert _figures(here) == ("0", "0", "0")


def test_a_reversed_issue_opens_its_reservation_again_and_a_rebuild_finds_the_same(here: Installation) -> None:
    _release_order(here, "1000", "4")
    code = reserve(here, "4", order_id="1000").json["reservation_id"]
    issue = here.call("issue-material", issued("4", "1000")).json["id"]
    here.enter()
    rebuild(here.store, NOON)
    here.enter()
    seen = [(_of(here, code)["state"], len(_of(here, code)["uses"]))]
    with here.store.writing() as session:
        reverse(session, issue, "by mistake", "ada", NOON, here.line.topology.lanes_of)
    here.work()
    here.enter()
    seen.append((_of(here, code)["state"], len(_of(here, code)["uses"])))

    assert states(here.store, issue) == ["compensated"]
    assert seen == [("consumed", 1), ("open", 0)]


def test_what_was_accepted_before_a_reservation_uses_nothing_of_it(here: Installation) -> None:
    _release_order(here, "1000", "4")
    here.call("issue-material", issued("4", "1000"))
    code = reserve(here, "4", order_id="1000").json["reservation_id"]

    here.enter()

    assert (_of(here, code)["used"], _figures(here)) == ("0", ("16", "4", "12"))


def test_a_released_reservation_is_free_and_its_targets_are_told(here: Installation) -> None:
    code = reserve(here, "20").json["reservation_id"]
    here.rest()

    done = here.call("release-reservation", {"reservation_id": code, "reason": "order changed"}, "end")
    again = here.call("release-reservation", {"reservation_id": code, "reason": "order changed"}, "end")
    twice = here.call("release-reservation", {"reservation_id": code})
    unknown = here.call("release-reservation", {"reservation_id": "RS-9"})
    here.rest()

    assert [one.status_code for one in (done, again, twice, unknown)] == [200, 200, 409, 422]
    assert (done.json["state"], again.json["repeat"], twice.json["code"]) == ("released", True, "reservation_ended")
    told = [(one["type"], one["data"]["reservation_id"], one["data"].get("ended")) for one in here.erp.documents]
    assert told == [("inventory.reserved.v1", code, None), ("inventory.reservation.ended.v1", code, "released")]
    assert here.erp.documents[1]["data"]["quantity"] == amount("20")
    assert _figures(here)[2] == "20"


def test_a_reservation_expires_in_its_time_once_and_its_targets_are_told(here: Installation) -> None:
    code = reserve(here, "20", until="2026-03-02T13:00:00Z").json["reservation_id"]
    past = reserve(here, "1", until="2026-03-02T11:00:00Z")
    here.rest()
    here.clock.pass_time(3_600)
    at_once = reserve(here, "1")
    for _ in range(2):
        Endings().tick(here.store, here.clock())
    here.work()

    assert (past.status_code, past.json["code"]) == (422, "until_is_past")
    assert at_once.status_code == 201
    told = _of(here, code)
    assert (told["state"], told["remaining"]) == ("expired", "0")
    ended = [one["data"] for one in here.erp.documents if one["type"] == "inventory.reservation.ended.v1"]
    assert [(one["reservation_id"], one["ended"]) for one in ended] == [(code, "expired")]
    assert states(here.store, told["ended_message_id"]) == ["posted"]


def test_stock_that_a_dead_issue_would_take_is_kept_until_a_person_has_decided(here: Installation) -> None:
    _release_order(here, "1000", "1")
    here.erp.before.append(Refused("blocked", "No."))
    dead = here.call("issue-material", issued("15", "1000")).json["id"]
    kept = reserve(here, "6")
    with here.store.writing() as session:
        move_messages(session, [Move(dead, State.DISCARDED)], NOON)
    Endings().tick(here.store, NOON)

    assert (kept.status_code, kept.json["available"]) == (409, "5")
    assert reserve(here, "6").status_code == 201


def test_nobody_sends_a_reservation_by_the_ordinary_door(here: Installation) -> None:
    data = {"event_time": "2026-03-02T08:00:00Z", "reservation_id": "X", "item": WHEEL, "quantity": amount("1")}
    query = {"type": "inventory.reserved.v1", "plant": "P100"}

    answer = here.client.post(
        "/v1/messages", json=data, headers=here.key | {"Idempotency-Key": "x"}, query_string=query
    )

    assert answer.status_code == 422
    assert "/v1/processes/reserve-inventory" in answer.json["detail"]


def test_late_losses_of_stock_make_available_negative_and_hide_nothing(here: Installation) -> None:
    reserve(here, "20")

    here.stock(("-3", "ST", "L1"))

    assert _figures(here) == ("17", "20", "-3")


def test_the_list_has_pages_and_filters(here: Installation) -> None:
    codes = [reserve(here, "1", delivery_id=f"D-{n}").json["reservation_id"] for n in range(3)]

    page = here.client.get("/v1/reservations?limit=2", headers=here.key).json
    rest = here.client.get(page["next"], headers=here.key).json
    one = here.client.get(
        "/v1/reservations?delivery_id=D-1&state=open&plant=P100&fields=reservation_id", headers=here.key
    )

    assert [row["reservation_id"] for row in page["reservations"] + rest["reservations"]] == codes[::-1]
    assert (rest["next"], one.json["reservations"]) == (None, [{"reservation_id": codes[1]}])
