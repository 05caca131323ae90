"""Whatever is sent: never a failure of ours, and what was answered with 202 is kept to the byte and ends somewhere."""

from __future__ import annotations

import base64
import json
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from app.store.session import Store
from tests.flow.attack import Attack, attacks
from tests.interop.house import BATCH, House, open_house

pytestmark = pytest.mark.slow

EXAMPLES = 400
REFUSALS = {400, 401, 403, 409, 413, 415, 422}


@pytest.fixture
def house(store: Store, tmp_path: Path) -> House:
    opened = open_house(store, tmp_path)
    opened.release("P100", "1000")
    opened.release("P200", "1000", "FRAME-RAW")
    return opened


def test_no_request_makes_us_fail_and_none_that_was_accepted_is_changed_or_stuck(house: House) -> None:
    accepted: list[int] = []

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(attacks())
    def attack(sent: Attack) -> None:
        headers = [("Authorization", f"Bearer {house.keys[sent.source]}"), *sent.headers]
        answer = house.client.post("/v1/messages", data=sent.body, headers=headers, query_string=sent.query)
        accepted.extend(check_answer(house, sent, answer))

    attack()
    house.run()
    house.clock.pass_time(100_000)
    house.run()

    assert accepted
    for message in accepted:
        fate = house.fate(message)
        assert fate.state in ("posted", "waiting", "dead"), fate
        assert fate.state == "posted" or fate.reason, fate
        assert fate.code not in ("internal_error", "worker_lost"), (fate, house.kept(message))


def check_answer(house: House, sent: Attack, answer: TestResponse) -> list[int]:
    """The ids that were accepted now, each with its body as it was sent."""
    if answer.status_code in (202, 207) and "results" in answer.get_json():
        taken = [result["id"] for result in answer.get_json()["results"] if result["status"] == "accepted"]
        assert all(house.kept(message) in sent.body for message in taken)
        return taken
    if answer.status_code == 202:
        message = int(answer.get_json()["id"])
        assert house.kept(message) == body_of(sent)
        return [message]
    if answer.status_code == 200:
        return []
    assert answer.status_code in REFUSALS, answer.text
    assert answer.content_type == "application/problem+json"
    assert answer.get_json()["status"] == answer.status_code
    assert len(answer.get_json()["detail"]) > 10
    return []


def body_of(sent: Attack) -> bytes:
    """What is kept: the body, or the data of an event that carries them in base64."""
    try:
        event = json.loads(sent.body.decode("utf-8-sig"))
    except ValueError:
        return sent.body
    if isinstance(event, dict) and "data_base64" in event and "specversion" in event:
        return base64.b64decode(event["data_base64"])
    return sent.body


def test_a_batch_of_a_thousand_and_one_events_is_answered_one_by_one(house: House) -> None:
    events = [
        {"specversion": "1.0", "id": f"b{number}", "source": "erp", "type": "nobody.knows", "plant": "P100", "data": {}}
        for number in range(1_001)
    ]

    answer = house.post("erp", json.dumps(events).encode(), {"Content-Type": BATCH})

    assert answer.status_code == 202
    assert len({result["id"] for result in answer.get_json()["results"]}) == 1_001


def test_ids_that_look_alike_are_ids_of_their_own(house: House) -> None:
    ids = ["caf\u00e9", "cafe\u0301", "CAF\u00c9", "\U0001f6b2", "x" * 200]

    answers = [house.event("erp", name, "nobody.knows", {}) for name in ids]

    assert [answer.status_code for answer in answers] == [202] * len(ids)
    assert [answer.get_json()["source_message_id"] for answer in answers] == ids


CONFIRMATIONS = (
    "record_no;order_no;operation;item_no;good_qty;scrap_qty;unit;reason;lot_no;posted_on;posted_time;last\n"
    "1;1000;10;FRAME-200;5;0;PC;;L1;02.03.2026;080000;\n"
    '2;1000;10;FRAME-200;"5,5";1;PC;"scratched; deep";L2;02.03.2026;80000;X\n'
)


@st.composite
def hurt_files(draw: st.DrawFn) -> bytes:
    body = CONFIRMATIONS.encode(draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"])))
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(body)))
        odd = draw(st.sampled_from([b"\0", b'"', b";", b"\r", b"\n", b"\xff", b"\x85", b"\x1a", b"9" * 400, b"NaN"]))
        body = body[:place] + odd + body[place + draw(st.integers(0, 30)) :]
    return body


def test_no_file_stops_the_watcher_and_none_of_its_rows_is_stuck(house: House) -> None:
    numbers = count(1)

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(hurt_files())
    def attack(content: bytes) -> None:
        house.drop("legacy-p300", f"CONF{next(numbers)}.csv", content)
        for folder in ("in", "working"):
            assert list((house.settings.drop_dir / "legacy-p300" / folder).iterdir()) == []

    attack()
    house.run()
    house.clock.pass_time(100_000)
    house.run()

    fates = house.fates()
    assert len(fates) > 2
    assert {fate.state for fate in fates} <= {"posted", "waiting", "dead"}
    assert not {fate.code for fate in fates} & {"internal_error", "worker_lost"}
