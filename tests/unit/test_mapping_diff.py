"""`lineside mapping diff` tells what a changed mapping would make of messages that came before."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import mappings
from app.adapters.registry import build_adapter
from app.cli import main
from app.clock import utc_now
from app.commands import mapping_diff
from app.mapping_changes import released
from app.mapping_changes.stored_messages import Chosen, stored_messages
from app.pipeline.context import Pipeline
from app.pipeline.transform import transform_due
from app.projections.items import save_items
from app.store.session import Store
from config.settings import load_settings
from config.topology_file import load_topology
from mappings.context import Event, InboundContext
from mappings.inbound.mes_json import move
from mappings.registry import INBOUND, InboundMapping
from tests.factories import accept, incoming

pytestmark = pytest.mark.slow

Diff = Callable[..., Result]
KEY = ("mes_json", "mes.move")
TREE = Path(mappings.__file__).parent


@pytest.fixture
def diff(sqlite_url: str, tmp_path: Path) -> Diff:
    def call(*arguments: str) -> Result:
        environment = {"LINESIDE_HOME": str(tmp_path), "LINESIDE_DATABASE_URL": sqlite_url, "LINESIDE_CONFIG": ""}
        return CliRunner().invoke(main, ["mapping", "diff", *arguments], env=environment)

    return call


def moved(number: int, pieces: object, **fields: Any) -> Any:
    body = {"ts": "2026-02-03T09:15:00", "material": "WHEEL-10", "menge": pieces, "einheit": "STK"}
    body |= {"charge": f"L{number}", "von": {"lagerort": "P100-ST"}, "nach": {"lagerort": "P100-WIP"}}
    return incoming(f"m{number}", "mes.move", body | fields, source="mes-p100")


def mapped(store: Store, *messages: Any, at: timedelta = timedelta()) -> list[int]:
    """Accepted and transformed under the packaged topology."""
    topology, settings = load_topology(None), load_settings({})
    pipeline = Pipeline(store, topology, lambda code: build_adapter(topology.targets[code], settings), "test")
    ids = accept(store, *messages, at=utc_now() - at)
    transform_due(pipeline, "P100", 100)
    return ids


def use(monkeypatch: pytest.MonkeyPatch, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """A working copy whose mapping of moves does something else."""

    def to_canonical(payload: Any, context: InboundContext) -> Sequence[Event]:
        return [Event(event.type, change(dict(event.data))) for event in move.to_canonical(payload, context)]

    to_canonical.__module__ = move.__name__
    monkeypatch.setitem(INBOUND, KEY, InboundMapping(INBOUND[KEY].read, to_canonical))


def answer(result: Result) -> Any:
    return json.loads(result.stdout)


def test_a_mapping_that_is_as_it_was_changes_nothing(diff: Diff, sqlite_store: Store) -> None:
    mapped(sqlite_store, moved(1, 4), moved(2, -1))

    result = diff("--json")

    (group,) = answer(result)["groups"]
    assert (result.exit_code, group["looked_at"], group["unchanged"]) == (0, 2, 2)
    assert group["stored_versions"] == {INBOUND[KEY].version: 1, "none": 1}


def test_each_changed_field_is_counted_with_examples(
    diff: Diff, sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = mapped(sqlite_store, *(moved(number, 4) for number in range(5)))
    use(monkeypatch, lambda data: data | {"lot": "LOT-" + data["lot"]})

    result = diff("--json")

    (group,) = answer(result)["groups"]
    (found,) = group["fields"]
    assert (result.exit_code, group["changed"]) == (1, 5)
    assert (found["field"], found["count"], len(found["examples"])) == ("inventory.moved.v1 lot", 5, 3)
    assert found["examples"][0] == {"id": ids[-1], "old": "L4", "new": "LOT-L4"}


def test_the_effect_on_quantities_is_told_exactly(
    diff: Diff, sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    mapped(sqlite_store, moved(1, "0.1"), moved(2, "0.2"))
    use(monkeypatch, lambda data: data | {"quantity": {"value": data["quantity"]["value"] + "5", "uom": "EA"}})

    told = answer(diff("--json"))

    assert told["amounts"] == [
        {
            "item": "WHEEL-10",
            "uom": "EA",
            "type": "inventory.moved.v1",
            "field": "quantity",
            "old": "0.3",
            "new": "0.4",
            "difference": "0.1",
            "value": None,
            "value_unknown": "the item is not known",
        }
    ]


def test_the_effect_on_value_is_told_at_standard_cost_and_an_item_without_one_is_named(
    diff: Diff, sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs = {"WHEEL-10": {"value": "12.5", "currency": "EUR"}, "SADDLE-20": None, "TUBE-1": None}
    items = [{"code": code, "base_uom": "EA", "standard_cost": cost} for code, cost in costs.items()]
    items[0]["units"] = {"BOX": "10"}
    with sqlite_store.writing() as session:
        save_items(session, items, "erp", utc_now())
    mapped(sqlite_store, moved(1, 4), moved(2, 6), moved(3, 2, material="SADDLE-20"))
    use(monkeypatch, lambda data: data | {"quantity": {"value": data["quantity"]["value"], "uom": "BOX"}})

    result, shown = diff("--json"), diff().stdout

    rows = {(row["item"], row["uom"]): row for row in answer(result)["amounts"]}
    value = {"currency": "EUR", "old": "125", "new": "0", "difference": "-125"}
    assert rows["WHEEL-10", "EA"]["value"] == value
    assert rows["WHEEL-10", "BOX"]["value"] == {**value, "old": "0", "new": "1250", "difference": "1250"}
    assert rows["SADDLE-20", "EA"]["value_unknown"] == "no system told its standard cost"
    (field,) = answer(result)["values"]
    assert field["values"] == [{"currency": "EUR", "old": "125", "new": "1250", "difference": "1125"}]
    assert (field["unknown_count"], [each["item"] for each in field["unknown_items"]]) == (1, ["SADDLE-20"])
    assert "inventory.moved.v1 quantity: 125 -> 1250 EUR, difference 1125; without 1 items" in shown
    assert "SADDLE-20" in shown


def test_what_would_newly_be_refused_is_told_with_its_reason_and_ids(
    diff: Diff, sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = mapped(sqlite_store, moved(1, 4), moved(2, 5))
    use(monkeypatch, lambda data: data | {"to": {}})

    (group,) = answer(diff("--json"))["groups"]

    (refusal,) = group["refusals"]
    assert (group["newly_refused"], refusal["code"], refusal["field"]) == (2, "contract_violated", "to")
    assert refusal["ids"] == ids[::-1]


def test_a_dead_letter_that_the_mapping_takes_now_is_newly_accepted(
    diff: Diff, sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    (dead,) = mapped(sqlite_store, moved(1, 4, nach={"lagerort": "P100-ST"}))
    use(monkeypatch, lambda data: data | {"to": {"storage": "ELSEWHERE"}})

    told = answer(diff("--json"))

    assert (told["groups"][0]["newly_accepted"], told["groups"][0]["accepted_ids"]) == (1, [dead])
    assert (told["amounts"][0]["old"], told["amounts"][0]["new"]) == ("0", "4")


def test_only_messages_of_the_span_are_looked_at(diff: Diff, sqlite_store: Store) -> None:
    mapped(sqlite_store, moved(1, 4), at=timedelta(days=8))
    mapped(sqlite_store, moved(2, 4), at=timedelta(days=6))

    assert answer(diff("--since", "7d", "--json"))["looked_at"] == 1
    assert answer(diff("--since", "9d", "--json"))["looked_at"] == 2
    assert answer(diff("--since", "9d", "--type", "mes.scrap", "--json"))["looked_at"] == 0


def test_what_was_found_is_printed_when_a_person_ends_it(
    diff: Diff, sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    mapped(sqlite_store, moved(1, 4))

    def interrupted(store: Store, chosen: Chosen, limit: int) -> Any:
        yield from stored_messages(store, chosen, limit)
        raise KeyboardInterrupt

    monkeypatch.setattr(mapping_diff, "stored_messages", interrupted)

    result = diff("--json")

    assert result.exit_code == 1
    assert (answer(result)["looked_at"], answer(result)["partial"]) == (1, True)


def test_a_released_tree_is_asked_instead_of_what_is_stored(diff: Diff, sqlite_store: Store, tmp_path: Path) -> None:
    (changed,) = mapped(sqlite_store, moved(1, 4))
    change_move(tmp_path)

    result = diff("--released", str(tmp_path), "--json")

    (group,) = answer(result)["groups"]
    assert answer(result)["held_against"] == f"the mappings of {tmp_path}"
    assert (group["changed"], group["stored_otherwise"]) == (1, 1)
    assert group["fields"][0] == {
        "field": "inventory.moved.v1 from.bin",
        "count": 1,
        "examples": [{"id": changed, "old": "OLD", "new": None}],
    }


def change_move(folder: Path) -> None:
    """A copy of the mappings in which a move has a bin, named or not."""
    shutil.copytree(TREE, folder / "mappings", ignore=shutil.ignore_patterns("__pycache__"))
    file = folder / "mappings" / "inbound" / "mes_json" / "move.py"
    text = file.read_text()
    assert 'end.get("platz")' in text
    file.write_text(text.replace('end.get("platz")', 'end.get("platz", "OLD")'))


def test_a_commit_is_a_release_too(tmp_path: Path) -> None:
    change_move(tmp_path)
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.com"]
    for arguments in (["init", "-q"], ["add", "mappings"], [*identity, "commit", "-q", "-m", "released"]):
        subprocess.run(["git", "-C", str(tmp_path), *arguments], check=True, capture_output=True)
    shutil.rmtree(tmp_path / "mappings")

    with released.released_folder("HEAD", tmp_path) as (folder, name):
        assert '"OLD"' in (folder / "mappings/inbound/mes_json/move.py").read_text()
        assert name.startswith("HEAD (")

    assert not folder.exists()


@pytest.mark.parametrize("named", ["no-such-tag", "--help"])
def test_a_release_that_is_not_there_is_told(diff: Diff, sqlite_store: Store, named: str) -> None:
    result = diff(f"--released={named}")

    assert result.exit_code == 2
    assert "no commit, branch or tag" in result.stderr


def test_released_mappings_that_cannot_be_run_are_told(diff: Diff, sqlite_store: Store, tmp_path: Path) -> None:
    mapped(sqlite_store, moved(1, 4))
    change_move(tmp_path)
    (tmp_path / "mappings" / "context.py").write_text("raise RuntimeError('half written')\n")

    result = diff("--released", str(tmp_path))

    assert result.exit_code == 2
    assert "half written" in result.stderr
