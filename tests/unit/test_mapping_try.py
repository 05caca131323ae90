"""`lineside mapping try` shows what a file would become, and changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func, select

from app.cli import main
from app.store.base import Base
from app.store.session import Store
from config.topology_file import PACKAGED
from mappings.inbound.mes_json import move
from mappings.registry import INBOUND, InboundMapping
from tests.factories import know_items

Try = Callable[..., Result]
MOVE = {"ts": "2026-02-03T09:15:00", "material": "WHEEL-10", "menge": 4, "einheit": "STK"}
MOVE |= {"von": {"lagerort": "P100-ST"}, "nach": {"lagerort": "P100-WIP"}}
HEADER = "record_no;order_no;operation;item_no;good_qty;scrap_qty;unit;reason;lot_no;posted_on;posted_time;last"
GOOD = "0009000001;000030000101;0010;FRAME-200;2;0;PC;;;03.02.2026;101500;"


@pytest.fixture
def attempt(sqlite_url: str, tmp_path: Path) -> Try:
    """Writes the file and tries it; ``database=False``: where there is none."""

    def call(name: str, content: str, *arguments: str, database: bool = True, config: Path | str = "") -> Result:
        file = tmp_path / name
        file.write_text(content)
        url = sqlite_url if database else f"sqlite:///{tmp_path}/none.db"
        environment = {"LINESIDE_HOME": str(tmp_path), "LINESIDE_DATABASE_URL": url, "LINESIDE_CONFIG": str(config)}
        return CliRunner().invoke(main, ["mapping", "try", str(file), *arguments], env=environment)

    return call


def rows_of(store: Store) -> dict[str, int]:
    """The tables that hold something, apart from what every new database holds."""
    with store.reading() as session:
        counts = {
            table.name: session.scalar(select(func.count()).select_from(table)) or 0
            for table in Base.metadata.sorted_tables
        }
    return {name: count for name, count in counts.items() if count and name not in {"lanes"}}


def answer(result: Result) -> Any:
    return json.loads(result.stdout)


def test_a_body_is_shown_as_its_event_and_as_the_document_of_each_target(attempt: Try, sqlite_store: Store) -> None:
    know_items(sqlite_store)

    result = attempt("m.json", json.dumps(MOVE), "--source", "mes-p100", "--type", "mes.move", "--json")

    (message,) = answer(result)["messages"]
    (event,) = message["events"]
    assert result.exit_code == 0
    assert (event["type"], event["data"]["event_time"]) == ("inventory.moved.v1", "2026-02-03T08:15:00Z")
    assert {each["target"] for each in event["documents"] if each["document"]} == {"erp", "wms"}
    assert message["mapping_version"] == INBOUND["mes_json", "mes.move"].version


def test_trying_stores_nothing(attempt: Try, sqlite_store: Store) -> None:
    know_items(sqlite_store)

    result = attempt("m.json", json.dumps(MOVE), "--source", "mes-p100", "--type", "mes.move")

    assert result.exit_code == 0
    assert rows_of(sqlite_store) == {"items": 2}


def test_what_a_message_would_wait_for_is_told(attempt: Try, sqlite_store: Store) -> None:
    know_items(sqlite_store, "WHEEL-10")

    result = attempt("CONF1.csv", f"{HEADER}\n{GOOD}\nTRL;1;2;0\n", "--source", "legacy-p300")

    assert "Waits for item FRAME-200" in result.stdout
    assert "Waits for release of order 30000101" in result.stdout
    assert "wms: its document needs item FRAME-200, which is unknown here" in result.stdout


def test_without_a_database_the_events_are_shown_all_the_same(attempt: Try) -> None:
    result = attempt("CONF1.csv", f"{HEADER}\n{GOOD}\nTRL;1;2;0\n", "--source", "legacy-p300", "--json", database=False)

    assert result.exit_code == 0
    assert "lineside migrate" in answer(result)["no_database"]
    assert answer(result)["messages"][0]["ordering_key"] == "order:30000101"


def test_each_row_that_would_be_refused_is_told_with_its_line_and_its_field(attempt: Try) -> None:
    rows = [HEADER, GOOD, GOOD.replace(";PC;", ";FURLONG;"), GOOD + ";too many", "TRL;1;2;0"]

    result = attempt("CONF1.csv", "\n".join(rows), "--source", "legacy-p300", "--first", "1", "--json")

    told = answer(result)
    assert result.exit_code == 1
    assert (told["looked_at"], told["refused"]) == (4, 3)
    assert [(fault["place"], fault["code"], fault["field"]) for fault in told["faults"]] == [
        ("line 3", "unit_unknown", "good_qty"),
        ("line 4", "row_unreadable", None),
        ("the file", "trailer_wrong", None),
    ]


def test_one_row_can_be_picked_by_its_line(attempt: Try) -> None:
    rows = [HEADER, GOOD, GOOD.replace("0009000001", "0009000002"), "TRL;2;4;0"]

    result = attempt("CONF1.csv", "\n".join(rows), "--source", "legacy-p300", "--row", "3", "--json")

    assert [each["source_message_id"] for each in answer(result)["messages"]] == ["legacy.confirmation:0009000002"]


def test_a_cloud_event_that_its_key_could_not_send_is_refused(attempt: Try) -> None:
    event = {"specversion": "1.0", "id": "1", "source": "mes-p200", "type": "mes.move", "data": MOVE}

    result = attempt("e.json", json.dumps(event), "--source", "mes-p100")

    assert result.exit_code == 1
    assert "forbidden" in result.stdout


def test_a_fault_in_the_mappings_own_code_is_told_with_its_line(attempt: Try, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(payload: Any, context: Any) -> Any:
        return payload["nothing of that name"]

    broken.__module__ = move.__name__
    monkeypatch.setitem(INBOUND, ("mes_json", "mes.move"), InboundMapping(INBOUND["mes_json", "mes.move"].read, broken))

    result = attempt("m.json", json.dumps(MOVE), "--source", "mes-p100", "--type", "mes.move", "--json")

    refused = answer(result)["messages"][0]["refused"]
    assert (result.exit_code, refused["code"]) == (1, "internal_error")
    assert f"KeyError: 'nothing of that name' ({Path(__file__).name} line " in refused["reason"]


def test_a_value_that_a_crosswalk_lacks_would_have_it_wait(attempt: Try, sqlite_store: Store, tmp_path: Path) -> None:
    own = tmp_path / "topology.yaml"
    mapping = "    mapping: mes_json"
    text = PACKAGED.read_text()
    assert text.count(mapping) == 1
    own.write_text(text.replace(mapping, f"    crosswalks: [storages]\n{mapping}"))
    arguments = ("m.json", json.dumps(MOVE), "--source", "mes-p100", "--type", "mes.move", "--json")

    result = attempt(*arguments, config=own)

    (message,) = answer(result)["messages"]
    assert (result.exit_code, message["refused"], message["events"]) == (0, None, [])
    assert "crosswalk storages of mes-p100" in message["waits"]


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("m.json", ["--source", "mes-p900"], "has no source 'mes-p900'"),
        ("m.json", ["--source", "mes-p100"], "Give --type"),
        ("m.json", ["--source", "mes-p100", "--type", "mes.move", "--plant", "P300"], "sends for P100, not for P300"),
        ("m.json", ["--source", "erp"], "Give --plant"),
        ("m.bin", ["--source", "mes-p100", "--type", "mes.move"], "does not say what it is"),
        ("other.csv", ["--source", "legacy-p300"], "knows no such file"),
    ],
)
def test_a_call_that_does_not_say_enough_is_told_what_to_add(
    attempt: Try, name: str, arguments: list[str], told: str
) -> None:
    result = attempt(name, "{}", *arguments)

    assert result.exit_code == 2
    assert told in result.stderr
