"""A stored message becomes a golden pair that tells nothing of whom it came from, and goes the same way."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from app.cli import main
from app.mapping_changes.masking import TooLarge, check_digit, mask, replacement
from app.mapping_changes.trying import Fault
from app.store.session import Store
from mappings.inbound.mes_json import completion
from mappings.registry import INBOUND, InboundMapping
from tests.factories import accept, incoming

Golden = Callable[..., Result]
SALT = b"salt"
DONE = {
    "ts": "2026-02-03T09:15:00",
    "werker": "Erika Muster",
    "auftrag": {"nummer": "000030000101", "vorgang": "0010"},
    "gutmengen": [{"material": "FRAME-X9", "charge": "L-0042", "menge": 12, "einheit": "STK"}],
    "bemerkung": "Charge L-0042 von Lieferant Beispiel",
}


@pytest.fixture
def golden(sqlite_url: str, tmp_path: Path) -> Golden:
    def call(*arguments: str) -> Result:
        environment = {"LINESIDE_HOME": str(tmp_path), "LINESIDE_DATABASE_URL": sqlite_url, "LINESIDE_CONFIG": ""}
        return CliRunner().invoke(main, ["mapping", "golden", *arguments, "--into", str(tmp_path)], env=environment)

    return call


def stored(store: Store, body: Any = None, kind: str = "mes.completion", **fields: Any) -> str:
    (message_id,) = accept(store, incoming("m1", kind, body or DONE, source="mes-p100", **fields))
    return str(message_id)


def files(folder: Path, case: str, kind: str = "mes.completion") -> dict[str, str]:
    return {path.name: path.read_text() for path in (folder / "mes_json" / kind / case).iterdir()}


def test_what_tells_of_people_orders_and_lots_is_replaced(golden: Golden, sqlite_store: Store, tmp_path: Path) -> None:
    result = golden(stored(sqlite_store), "--case", "two_lots")

    written = files(tmp_path, "two_lots")
    shown, (event,) = json.loads(written["input.json"]), json.loads(written["expected.json"])
    secrets = ("Erika", "Muster", "30000101", "L-0042", "Lieferant", "FRAME-X9")
    assert result.exit_code == 0, result.output
    assert not [text for text in secrets if text in "".join(written.values())]
    assert (shown["ts"], shown["gutmengen"][0]["menge"], shown["gutmengen"][0]["einheit"]) == (DONE["ts"], 12, "STK")
    assert event["data"]["outputs"][0]["lot"] == shown["gutmengen"][0]["charge"]
    assert event["data"]["order_id"] == shown["auftrag"]["nummer"]


def test_a_refused_message_becomes_a_pair_of_its_refusal(golden: Golden, sqlite_store: Store, tmp_path: Path) -> None:
    wrong = {**DONE, "gutmengen": [{**DONE["gutmengen"][0], "einheit": "FURLONG"}]}  # type: ignore[index]

    result = golden(stored(sqlite_store, wrong), "--case", "unknown_unit")

    written = files(tmp_path, "unknown_unit")
    assert result.exit_code == 0
    assert json.loads(written["refused.json"]) == {"code": "unit_unknown", "field": "gutmengen[0].menge"}
    assert "expected.json" not in written
    assert "Muster" not in written["input.json"]


def test_a_body_that_cannot_be_read_is_masked_too(golden: Golden, sqlite_store: Store, tmp_path: Path) -> None:
    body = json.dumps(DONE).encode()[:-2]

    result = golden(raw(sqlite_store, body), "--case", "cut_off")

    written = files(tmp_path, "cut_off")
    assert result.exit_code == 0
    assert json.loads(written["refused.json"])["code"] == "json_invalid"
    assert "Muster" not in written["input.json"]


def raw(store: Store, body: bytes) -> str:
    (message_id,) = accept(store, incoming("m2", "mes.completion", {}, source="mes-p100", body=body))
    return str(message_id)


def test_nothing_is_overwritten(golden: Golden, sqlite_store: Store, tmp_path: Path) -> None:
    message_id = stored(sqlite_store)
    golden(message_id)
    before = files(tmp_path, f"message_{message_id}")

    result = golden(message_id)

    assert result.exit_code == 1
    assert "nothing is overwritten" in result.stderr
    assert files(tmp_path, f"message_{message_id}") == before


def test_unmasked_shows_it_as_it_is(golden: Golden, sqlite_store: Store, tmp_path: Path) -> None:
    golden(stored(sqlite_store), "--case", "as_it_is", "--unmasked")

    assert json.loads(files(tmp_path, "as_it_is")["input.json"]) == DONE


def test_a_fault_of_the_code_is_no_expectation(
    golden: Golden, sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(payload: Any, context: Any) -> Any:
        return payload["nothing of that name"]

    broken.__module__ = completion.__name__
    key = ("mes_json", "mes.completion")
    monkeypatch.setitem(INBOUND, key, InboundMapping(INBOUND[key].read, broken))

    result = golden(stored(sqlite_store))

    assert result.exit_code == 1
    assert "KeyError" in result.stderr


def test_a_message_that_is_not_there_and_a_canonical_one_are_told(golden: Golden, sqlite_store: Store) -> None:
    canonical = stored(sqlite_store, {}, "inventory.moved.v1")

    assert "There is no message 99" in golden("99").stderr
    assert "It is canonical" in golden(canonical).stderr


@given(value=st.text(min_size=1, max_size=30))
def test_a_replacement_has_the_same_length_and_kinds_of_characters(value: str) -> None:
    masked = replacement(value, SALT)

    assert len(masked) == len(value)
    assert [sign.isdigit() for sign in masked] == [sign.isdigit() for sign in value]
    assert [sign.isalpha() for sign in masked] == [sign.isalpha() for sign in value]
    assert replacement(value, SALT) == masked


@pytest.mark.parametrize("number", ["4006381333931", "340123450000000017", "73513537"])
def test_a_check_digit_is_valid_afterwards(number: str) -> None:
    masked = replacement(number, SALT)

    assert check_digit(number[:-1]) == number[-1]
    assert masked != number
    assert check_digit(masked[:-1]) == masked[-1]


def test_zeros_that_pad_a_number_stay_and_the_number_is_one_with_and_without_them() -> None:
    assert replacement("000123456", SALT) == "000" + replacement("123456", SALT)


def test_a_code_that_the_mapping_decides_by_stays() -> None:
    def run(text: str) -> Any:
        row: Mapping[str, str] = json.loads(text)
        return [{"type": "t", "data": {"lot": row["lot"]}}] if row["kind"] == "261" else Fault("kind_unknown", "no")

    done = mask('{"kind": "261", "lot": "L-42"}', "json", run, lambda value: False, SALT)

    assert json.loads(done.text)["kind"] == "261"
    assert json.loads(done.text)["lot"] != "L-42"
    assert done.kept == ("261",)


def test_xml_is_masked_between_its_tags_and_in_its_attributes() -> None:
    text = '<a xmlns="urn:keep"><!-- by Erika --><b id="B-77">Fish &amp; Co</b><c><![CDATA[Max]]></c></a>'

    masked = mask(text, "xml", lambda changed: [], lambda value: False, SALT).text

    assert not [word for word in ("Erika", "B-77", "Fish", "Max") if word in masked]
    assert masked.startswith('<a xmlns="urn:keep"><!--')
    assert "&amp;" in masked


def test_a_payload_of_too_many_values_is_told() -> None:
    with pytest.raises(TooLarge):
        mask(json.dumps([f"value {number}" for number in range(2_001)]), "json", lambda text: [], lambda v: False, SALT)
