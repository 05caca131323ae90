"""A value that a crosswalk lacks makes its messages wait, and filling it in lets all of them go on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.crosswalks.changing import Entry
from app.crosswalks.lookup import list_changes, list_missing
from app.store.session import Store
from app.web.crosswalks import change_crosswalk
from app.web.problems import Problem
from config.topology import Topology
from config.topology_file import load_topology
from tests.interop.house import House, open_house

pytestmark = pytest.mark.slow

ORDER = {"auftrag": {"nummer": "1000123"}, "ts": "2026-03-01T10:00:00+01:00"}


def topology(**crosswalks: tuple[str, ...]) -> Topology:
    """The packaged one, in which these systems use these crosswalks; ``_`` stands for ``-``."""
    packaged = load_topology(None)
    sources, targets = dict(packaged.sources), dict(packaged.targets)
    for name, used in crosswalks.items():
        code = name.replace("_", "-")
        if code in sources:
            sources[code] = replace(sources[code], crosswalks=used)
        else:
            targets[code] = replace(targets[code], crosswalks=used)
    return replace(packaged, sources=sources, targets=targets)


def send_completion(house: House, number: int, unit: str = "FASS") -> int:
    body = ORDER | {"gutmengen": [{"material": "BIKE-100", "menge": 2, "einheit": unit}]}
    answer = house.send("mes-p100", f"m-{number}", "mes.completion", body)
    assert answer.status_code == 202, answer.text
    return int(answer.get_json()["id"])


def send_scrap(house: House, reason: str) -> int:
    lost = {"material": "BIKE-100", "menge": 1, "einheit": "STK", "grund": {"code": reason}}
    answer = house.send("mes-p100", f"scrap-{reason}", "mes.scrap", ORDER | {"ausschuss": [lost]})
    assert answer.status_code == 202, answer.text
    return int(answer.get_json()["id"])


def fill(house: House, name: str, value: str, becomes: str | None, system: str = "mes-p100") -> int:
    entries = [Entry(value, becomes)]
    return change_crosswalk(
        house.store, house.topology, system, name, entries, "an operator", "as agreed", house.clock()
    )


def events(house: House, message: int) -> Any:
    (event,) = house.events(message)
    return event["data"]


def test_whatever_waits_for_a_value_goes_on_once_it_is_filled_in(store: Store, tmp_path: Path) -> None:
    house = open_house(store, tmp_path, topology(mes_p100=("units",)))
    house.release("P100", "1000123")
    messages = [send_completion(house, number) for number in range(3)]
    house.run()
    waiting = [house.fate(message) for message in messages]
    with store.reading() as session:
        missing = list_missing(session)

    changed = fill(house, "units", "FASS", "EA")
    house.run()

    assert {fate.state for fate in waiting} == {"waiting"}
    assert waiting[0].reason == "Waits for crosswalk units of mes-p100: it has no entry for 'FASS'."
    assert [(one.system, one.name, one.value, one.messages) for one in missing] == [("mes-p100", "units", "FASS", 3)]
    assert changed == 1
    assert [house.fate(message).state for message in messages] == ["posted"] * 3
    assert events(house, messages[0])["outputs"][0]["quantity"] == {"value": "2", "uom": "EA"}
    with store.reading() as session:
        assert list_missing(session) == []


def test_a_unit_of_the_topology_needs_no_entry(store: Store, tmp_path: Path) -> None:
    house = open_house(store, tmp_path, topology(mes_p100=("units",)))
    house.release("P100", "1000123")

    message = send_completion(house, 1, "STK")
    house.run()

    assert house.fate(message).state == "posted"


def test_a_value_that_nobody_fills_in_is_dead_with_that_reason_in_the_end(store: Store, tmp_path: Path) -> None:
    house = open_house(store, tmp_path, topology(mes_p100=("reasons",)))
    message = send_scrap(house, "K7")
    house.run()

    house.clock.now += timedelta(days=2)
    house.run()

    fate = house.fate(message)
    assert (fate.state, fate.code) == ("dead", "waited_too_long")
    assert "crosswalk reasons of mes-p100: it has no entry for 'K7'" in fate.reason


def test_a_changed_entry_counts_from_then_on_and_changes_nothing_that_was(store: Store, tmp_path: Path) -> None:
    house = open_house(store, tmp_path, topology(mes_p100=("reasons",)))
    house.release("P100", "1000123")
    fill(house, "reasons", "K7", "SCRATCH")
    first = send_scrap(house, "K7")
    house.run()

    fill(house, "reasons", "K7", "DENT")
    second = house.send(
        "mes-p100",
        "scrap-again",
        "mes.scrap",
        ORDER | {"ausschuss": [{"material": "BIKE-100", "menge": 1, "einheit": "STK", "grund": {"code": "K7"}}]},
    ).get_json()["id"]
    house.run()

    assert [events(house, message)["reason"] for message in (first, second)] == ["SCRATCH", "DENT"]
    with store.reading() as session:
        history = [(one.before, one.after, one.actor, one.note) for one in list_changes(session, "mes-p100", None, 10)]
    assert history == [("SCRATCH", "DENT", "an operator", "as agreed"), (None, "SCRATCH", "an operator", "as agreed")]


def test_an_entry_that_is_as_it_was_leaves_no_history(store: Store, tmp_path: Path) -> None:
    house = open_house(store, tmp_path, topology(mes_p100=("reasons",)))
    fill(house, "reasons", "K7", "DENT")

    assert fill(house, "reasons", "K7", "DENT") == 0
    assert fill(house, "reasons", "K8", None) == 0
    with store.reading() as session:
        assert len(list_changes(session, None, None, 10)) == 1


def test_a_target_has_crosswalks_of_its_own(store: Store, tmp_path: Path) -> None:
    house = open_house(store, tmp_path, topology(planning=("reasons",)))
    house.release("P100", "1000123")
    message = send_scrap(house, "K7")
    house.run()
    before = house.fate(message)

    fill(house, "reasons", "K7", "DENT", system="planning")
    house.run()

    assert (before.state, before.reason) == (
        "waiting",
        "Waits for crosswalk reasons of planning: it has no entry for 'K7'.",
    )
    assert house.fate(message).state == "posted"
    (document,) = house.books["planning"].documents
    assert "DENT" in str(document)
    assert events(house, message)["reason"] == "K7"


def test_another_process_reads_what_was_changed(store: Store, tmp_path: Path) -> None:
    """Each process keeps the tables; the version that it reads with every batch says that they are old."""
    house = open_house(store, tmp_path, topology(mes_p100=("reasons",)))
    house.release("P100", "1000123")
    fill(house, "reasons", "K7", "SCRATCH")
    house.run()
    with store.reading() as session:
        uses = [("mes-p100", ("reasons",))]
        kept = house.pipeline.crosswalks.read(session, uses)["mes-p100"].becomes("reasons", "K7")

    fill(house, "reasons", "K7", "DENT")

    with store.reading() as session:
        read = house.pipeline.crosswalks.read(session, uses)["mes-p100"].becomes("reasons", "K7")
    assert (kept, read) == ("SCRATCH", "DENT")


@pytest.mark.parametrize("reason", ["x" * 101, "a\nb", "\u0000"])
def test_a_value_that_no_table_could_hold_is_dead_at_once(store: Store, tmp_path: Path, reason: str) -> None:
    house = open_house(store, tmp_path, topology(mes_p100=("reasons",)))

    answer = house.send(
        "mes-p100",
        "scrap",
        "mes.scrap",
        ORDER | {"ausschuss": [{"material": "BIKE-100", "menge": 1, "einheit": "STK", "grund": {"code": reason}}]},
    )
    house.run()

    assert house.fate(int(answer.get_json()["id"])).state == "dead"


@pytest.mark.parametrize(
    ("system", "name", "value", "becomes", "told"),
    [
        ("mes-p100", "reason", "K7", "DENT", "did you mean reasons?"),
        ("mes-p200", "reasons", "K7", "DENT", "uses no crosswalk; list them in its block"),
        ("mes-p1000", "reasons", "K7", "DENT", "did you mean mes-p100?"),
        ("mes-p100", "reasons", "", "DENT", "1 to 100 printable characters"),
        ("mes-p100", "reasons", " K7", "DENT", "without blanks around them"),
        ("mes-p100", "reasons", "K7", "a\tb", "1 to 100 printable characters"),
    ],
)
def test_an_entry_that_could_never_count_is_refused_with_the_mend(
    store: Store, tmp_path: Path, system: str, name: str, value: str, becomes: str, told: str
) -> None:
    house = open_house(store, tmp_path, topology(mes_p100=("reasons",)))

    with pytest.raises(Problem) as caught:
        fill(house, name, value, becomes, system)

    assert told in caught.value.detail


def test_a_systems_tables_have_a_bound_and_what_is_there_can_still_be_changed(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = open_house(store, tmp_path, topology(mes_p100=("reasons",)))
    monkeypatch.setattr("app.crosswalks.changing.ENTRIES_MOST", 2)
    fill(house, "reasons", "K1", "DENT")
    fill(house, "reasons", "K2", "DENT")

    with pytest.raises(Problem) as caught:
        fill(house, "reasons", "K3", "DENT")

    assert "hold at most 2 entries" in caught.value.detail
    assert fill(house, "reasons", "K1", "SCRATCH") == 1
