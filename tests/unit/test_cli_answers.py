"""Each command answers in text and in JSON, and its exit code says how it went."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from app.cli import main
from app.dead_letters.selection import DeadFilter, matching_ids
from app.inbox.accept import accept_messages
from app.pipeline.transform import transform_due
from app.store.messages_tables import Message
from app.store.session import Store
from config.topology_file import PACKAGED
from mappings.registry import OUTBOUND, OutboundMapping
from tests.factories import NOON, accept, incoming, know_items, move_event, pipeline, run_once
from tests.fakes import Books, echo
from tests.reading import states

pytestmark = pytest.mark.slow

Run = Callable[..., Result]

SECRETS = {"LINESIDE_SECRET_ERP": "k" * 20, "LINESIDE_SECRET_WMS": "k" * 20}


@pytest.fixture
def run(sqlite_url: str, tmp_path: Path) -> Run:
    """Calls `lineside` as a process would, in a home of its own."""

    def call(*arguments: str, environment: dict[str, str] | None = None, typed: str | None = None) -> Result:
        values = {"LINESIDE_HOME": str(tmp_path), "LINESIDE_DATABASE_URL": sqlite_url, "LINESIDE_CONFIG": ""}
        return CliRunner().invoke(main, arguments, env={**values, **(environment or {})}, input=typed)

    return call


@pytest.fixture
def dead_letters(sqlite_store: Store) -> list[int]:
    """Three messages that could not be mapped."""
    with sqlite_store.writing() as session:
        accept_messages(session, [incoming(f"m{number}", "mes.nonsense", {}) for number in range(3)], NOON)
    transform_due(pipeline(sqlite_store, {"erp": Books()}), "P100", 10)
    with sqlite_store.reading() as session:
        return matching_ids(session, DeadFilter(), 10)


def answer(result: Result) -> Any:
    return json.loads(result.stdout)


def test_check_says_yes_and_names_the_secrets_that_are_not_set(run: Run) -> None:
    result = run("check", "--json", environment=SECRETS)

    assert result.exit_code == 0
    assert answer(result)["usable"] is True
    assert {each["variable"] for each in answer(result)["secrets_not_set"]} == {
        "LINESIDE_SECRET_PLANNING",
        "LINESIDE_SECRET_MES",
    }


def test_check_says_of_each_fault_its_file_line_reason_and_mend(run: Run, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    text = PACKAGED.read_text().replace("adapter: tryton", "adapter: trytn").replace("plants: [P100]", "plants: [P900]")
    wrong.write_text(text)

    told = run("check", "--json", environment={"LINESIDE_CONFIG": str(wrong)})
    shown = run("check", environment={"LINESIDE_CONFIG": str(wrong)})

    faults = answer(told)["faults"]
    lines = text.splitlines()
    assert told.exit_code == shown.exit_code == 1
    assert {lines[fault["line"] - 1].strip() for fault in faults} == {"adapter: trytn", "plants: [P900]"}
    assert all(fault["file"] == str(wrong) and fault["mend"] for fault in faults)
    assert f"{wrong}:{faults[0]['line']}: " in shown.stdout


@pytest.mark.parametrize(
    ("variable", "value"),
    [("LINESIDE_PORT", "http"), ("LINESIDE_CONFIG", "/not/there.yaml"), ("LINESIDE_BROKER_URL", "kafka://x")],
)
def test_a_setting_that_cannot_be_used_is_named(run: Run, variable: str, value: str) -> None:
    result = run("check", environment={variable: value})

    assert result.exit_code == 2
    assert variable in result.stderr


def test_a_database_that_does_not_answer_is_told_without_its_password(run: Run) -> None:
    url = "postgresql://someone:pass-word@127.0.0.1:1/nowhere"

    result = run("dead", "list", environment={"LINESIDE_DATABASE_URL": url})

    assert result.exit_code == 3
    assert "127.0.0.1:1/nowhere" in result.stderr
    assert "pass-word" not in result.output + result.stderr


def test_a_database_that_is_not_there_is_not_made_by_looking_at_it(run: Run, tmp_path: Path) -> None:
    result = run("keys", "list", environment={"LINESIDE_DATABASE_URL": f"sqlite:///{tmp_path}/none.db"})

    assert result.exit_code == 2
    assert "lineside migrate" in result.stderr
    assert not (tmp_path / "none.db").exists()


def test_migrate_makes_the_database_and_may_be_repeated(run: Run, tmp_path: Path) -> None:
    fresh = {"LINESIDE_DATABASE_URL": f"sqlite:///{tmp_path}/new/fresh.db"}

    results = [run("migrate", "--json", environment=fresh) for _ in range(2)]

    assert [result.exit_code for result in results] == [0, 0]
    assert run("keys", "list", "--json", environment=fresh).exit_code == 0


def test_dead_letters_are_listed_newest_first_with_their_reason(run: Run, dead_letters: list[int]) -> None:
    result = run("dead", "list", "--json")

    rows = answer(result)["dead_letters"]
    assert [row["id"] for row in rows] == sorted(dead_letters, reverse=True)
    assert {row["reason_code"] for row in rows} == {"type_unmapped"}


def test_a_dry_run_says_how_many_and_moves_none(run: Run, dead_letters: list[int]) -> None:
    result = run("dead", "requeue", "--reason", "type_unmapped", "--dry-run", "--json")

    assert answer(result) == {"count": 3, "ids": dead_letters, "not_dead": [], "dry_run": True}
    assert len(answer(run("dead", "list", "--json"))["dead_letters"]) == 3


def test_requeue_by_filter_moves_what_matches_and_nothing_else(
    run: Run, dead_letters: list[int], sqlite_store: Store
) -> None:
    none = run("dead", "requeue", "--plant", "P200", "--json")
    all_of_them = run("dead", "requeue", "--plant", "P100", "--out-of-order", "counted by hand", "--json")

    assert (none.exit_code, answer(none)["count"]) == (1, 0)
    assert (all_of_them.exit_code, answer(all_of_them)["ids"]) == (0, dead_letters)
    assert answer(run("dead", "list", "--json"))["dead_letters"] == []
    with sqlite_store.reading() as session:
        assert list(session.scalars(select(Message.requeued))) == ["out_of_order"] * len(dead_letters)


@pytest.mark.parametrize("command", [("requeue",), ("discard", "--reason", "sent twice")])
def test_ids_that_are_no_dead_letters_are_told_and_the_others_are_done(
    run: Run, dead_letters: list[int], sqlite_store: Store, command: tuple[str, ...]
) -> None:
    (alive,) = accept(sqlite_store, incoming("alive", "mes.nonsense", {}))
    ids = [str(key) for key in (dead_letters[0], alive, 99_999)]

    tried = run("dead", *command, *ids, "--dry-run", "--json")
    shown = run("dead", *command, *ids)

    not_dead = [{"id": alive, "state": "received"}, {"id": 99_999, "state": None}]
    assert (tried.exit_code, answer(tried)["not_dead"], answer(tried)["ids"]) == (1, not_dead, [dead_letters[0]])
    assert shown.exit_code == 1
    assert f"Not a dead letter: {alive} (received), 99999 (unknown)" in shown.stderr
    assert states(sqlite_store, dead_letters[0]) != ["dead"]


@pytest.mark.parametrize("options", [("--plant", "P10"), ("--source", "mes-p10")])
@pytest.mark.parametrize("command", ["list", "requeue"])
def test_a_plant_or_source_that_there_is_not_is_told(run: Run, command: str, options: tuple[str, str]) -> None:
    result = run("dead", command, *options)

    assert result.exit_code == 2
    assert f"did you mean {options[1]}0?" in result.stderr


def test_requeue_wants_to_know_which(run: Run, dead_letters: list[int]) -> None:
    assert run("dead", "requeue").exit_code == 2
    assert run("dead", "requeue", str(dead_letters[0]), "--plant", "P100").exit_code == 2


def test_a_discarded_message_keeps_who_and_why(run: Run, dead_letters: list[int]) -> None:
    result = run("dead", "discard", str(dead_letters[0]), "--reason", "sent by mistake")

    story = answer(run("trace", str(dead_letters[0]), "--json"))
    assert result.exit_code == 0
    assert story["state"] == "discarded"
    assert story["timeline"][-1]["actor"].startswith("cli:")
    assert story["timeline"][-1]["note"] == "sent by mistake"
    assert run("dead", "show", str(dead_letters[0])).exit_code == 1


def test_trace_tells_the_whole_path_in_text_and_by_the_senders_id(run: Run, dead_letters: list[int]) -> None:
    shown = run("trace", str(dead_letters[0]), "--documents")
    found = run("trace", "m0", "--source", "mes", "--json")

    assert "type_unmapped" in shown.stdout
    assert "sent -> received" in shown.stdout
    assert "received -> dead" in shown.stdout
    assert answer(found)["id"] == dead_letters[0]


def test_documents_are_told_as_json_and_nothing_is_padded(
    run: Run, sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(OUTBOUND, ("echo", "inventory.moved.v1"), OutboundMapping(echo))
    know_items(sqlite_store)
    (posted,) = accept(sqlite_store, move_event())
    run_once(pipeline(sqlite_store, {"erp": Books()}))

    shown = run("trace", str(posted), "--documents").stdout

    sent = shown.partition("    sent\n")[2].partition("\n    answered")[0]
    canonical = shown.partition("\nCanonical\n")[2].partition("\n\n")[0]
    assert isinstance(json.loads(sent), dict)
    assert json.loads(canonical)[0]["data"]["item"] == "WHEEL-10"
    assert [line for line in shown.splitlines() if line != line.rstrip()] == []


def test_trace_of_nothing_is_a_no(run: Run) -> None:
    assert run("trace", "4711").exit_code == 1
    assert run("trace", "x", "--source", "mes").exit_code == 1


def test_what_a_sender_wrote_cannot_drive_the_terminal(run: Run, sqlite_store: Store) -> None:
    with sqlite_store.writing() as session:
        (accepted,) = accept_messages(session, [incoming("\x1b[2Jevil[red]", "mes.nonsense", {})], NOON)

    result = run("trace", str(accepted.id))

    assert "\x1b" not in result.stdout
    assert "evil[red]" in result.stdout


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "amqp://someone:pass-word@127.0.0.1:1//"])
def test_a_broker_that_does_not_answer_stops_the_start_with_one_line(run: Run, url: str) -> None:
    ports = {"LINESIDE_PORT": str(free_port()), "LINESIDE_FLOWER_PORT": str(free_port())}

    result = run("up", environment={"LINESIDE_BROKER_URL": url, **ports})

    assert result.exit_code == 3, result.output
    assert "LINESIDE_BROKER_URL" in result.stderr
    assert "pass-word" not in result.output


def test_a_home_that_cannot_be_written_stops_the_start_with_one_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    result = run("up", environment={"LINESIDE_HOME": str(tmp_path / "file" / "home")})

    assert result.exit_code == 2, result.output
    assert "LINESIDE_HOME" in result.stderr


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
