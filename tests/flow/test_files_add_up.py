"""A file that does not add up, is cut off or never came is raised, and closes when the whole one comes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

import app.intake.take as take
from app.completeness.keeping import keep_books
from app.store.exception_tables import BusinessException
from app.store.session import Store
from config.completeness import Counting, FileNumber
from config.topology import DropFile, Topology
from tests.factories import NOON, demo_topology
from tests.fakes import Killed
from tests.shop import Shop, make_shop

TRAILER = {"marker": "T", "count": 2, "sums": [{"column": "qty", "at": 3}], "decimal": ",", "when_wrong": "take"}
ADDED = DropFile(
    "CONF*.csv",
    "legacy.confirmation",
    "csv",
    {"delimiter": ";", "columns": ["record_no", "item_no", "qty"], "id": ["record_no"], "trailer": TRAILER},
    file_number=FileNumber(Counting(wrap_at=9_999), name=r"CONF(?P<number>[0-9]{4})\.csv"),
)
ALL = ADDED.options | {"trailer": TRAILER | {"when_wrong": "refuse"}}
REFUSED = replace(ADDED, pattern="ALL*.csv", options=ALL, file_number=None)
FIXED = DropFile(
    "MOVE*.txt",
    "legacy.movement",
    "fixed_width",
    {
        "layout": [["record_no", 1, 4], ["qty", 5, 6]],
        "id": ["record_no"],
        "header": True,
        "trailer": {"marker": "TRL", "count": [4, 3], "sums": [{"column": "qty", "at": [7, 8]}], "when_wrong": "take"},
    },
    file_number=FileNumber(header=(4, 5)),
)
NUMBERED = replace(ADDED, pattern="NUM*.csv", file_number=FileNumber(trailer=4))
HEADER = "record_no;item_no;qty\n"


@pytest.fixture
def shop(sqlite_store: Store, tmp_path: Path) -> Shop:
    return make_shop(sqlite_store, tmp_path, (ADDED, REFUSED, FIXED, NUMBERED))


def topology(shop: Shop) -> Topology:
    return replace(demo_topology(), sources={"legacy": shop.folder.source})


def take_in(shop: Shop, name: str, content: str) -> None:
    shop.drop(name, content)
    shop.watcher.look()


def told(shop: Shop) -> list[tuple[str, str | None, str | None, str]]:
    with shop.store.reading() as session:
        found = list(session.scalars(select(BusinessException).order_by(BusinessException.id)))
    return [(each.rule, each.missing_from, each.missing_to, each.state) for each in found]


def detail(shop: Shop) -> dict[str, Any]:
    with shop.store.reading() as session:
        return dict(session.scalars(select(BusinessException).order_by(BusinessException.id)).first().detail)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("CONF0001.csv", HEADER + "1;A;1.250,5\n2;B;3-\nT;2;1247,500\n"),
        ("ALL1.csv", HEADER + "1;A;2\nT;1;2,0\n"),
        ("MOVE1.txt", "HDR00007\n0001  2.50\n0002  1.00\nTRL002    3.50\n"),
        ("NUM1.csv", HEADER + "1;A;2\nT;1;2;00012\n"),
    ],
)
def test_a_file_that_adds_up_is_taken_and_nothing_is_raised(shop: Shop, name: str, content: str) -> None:
    take_in(shop, name, content)
    keep_books(shop.store, topology(shop), NOON + timedelta(hours=1))

    assert shop.names("archive") == [name]
    assert len(shop.messages()) >= 1
    assert told(shop) == []


def test_good_rows_of_a_file_that_does_not_add_up_are_taken_and_the_difference_is_told(shop: Shop) -> None:
    take_in(shop, "CONF0001.csv", HEADER + "1;A;2\n2;B;x\n3;C;4\nT;4;9,5\n")

    assert len(shop.messages()) == 3
    assert told(shop) == [("file_total_wrong", "row 4", "row 4", "open")]
    assert detail(shop)["differences"] == [
        {"what": "rows", "expected": "4", "found": "3"},
        {"what": "qty", "expected": "9,5", "found": "6"},
    ]
    assert [(row["row"], row["field"]) for row in shop.errors("CONF0001.csv")] == [("", "rows"), ("", "qty")]
    assert "1 rows could not be added" in shop.errors("CONF0001.csv")[0]["reason"]


@pytest.mark.parametrize("rest", ["3;C;4", '3;"C'])
def test_a_file_that_is_cut_off_loses_the_row_that_may_be_cut_and_is_told(shop: Shop, rest: str) -> None:
    take_in(shop, "CONF0001.csv", HEADER + "1;A;2\n2;B;5\n" + rest)

    assert len(shop.messages()) == 2
    assert told(shop) == [("file_cut_off", "row 4", None, "open")]
    assert [row["row"] for row in shop.errors("CONF0001.csv")] == ["4", ""]


def test_rows_behind_the_trailer_are_listed_one_by_one(shop: Shop) -> None:
    take_in(shop, "CONF0001.csv", HEADER + "1;A;2\nT;1;2\n7;X;1\n8;Y;1\n")
    take_in(shop, "MOVE1.txt", "HDR00001\n0001  2.50\nTRL001    2.50\n0002  1.00\n")

    assert len(shop.messages()) == 2
    assert [row["row"] for row in shop.errors("CONF0001.csv")] == ["4", "5", ""]
    assert [rule for rule, *_ in told(shop)] == ["file_total_wrong"] * 2


def test_the_whole_file_closes_what_was_raised_of_the_broken_one_and_is_no_repeat(shop: Shop) -> None:
    take_in(shop, "CONF0001.csv", HEADER + "1;A;2\n")
    take_in(shop, "CONF0001.csv", HEADER + "1;A;2\n2;B;5\nT;2;8\n")
    in_between = told(shop)

    take_in(shop, "CONF0001.csv", HEADER + "1;A;2\n2;B;5\nT;2;7\n")
    keep_books(shop.store, topology(shop), NOON)
    keep_books(shop.store, topology(shop), NOON + timedelta(hours=1))

    assert [(rule, state) for rule, *_, state in in_between] == [
        ("file_cut_off", "resolved"),
        ("file_total_wrong", "open"),
    ]
    assert [state for *_, state in told(shop)] == ["resolved", "resolved"]
    assert len(shop.messages()) == 2


def test_a_file_that_is_refused_is_told_and_its_number_is_missing_until_it_comes(shop: Shop) -> None:
    owed = topology(shop)
    take_in(shop, "ALL1.csv", HEADER + "9;A;2\nT;2;2\n")
    for number in (1, 2, 4):
        take_in(shop, f"CONF{number:04d}.csv", HEADER + f"{number};A;2\nT;1;2\n")
    keep_books(shop.store, owed, NOON + timedelta(minutes=5))
    before = told(shop)

    take_in(shop, "CONF0003.csv", HEADER + "3;A;2\nT;1;2\n")
    take_in(shop, "ALL1.csv", HEADER + "9;A;2\nT;1;2\n")
    keep_books(shop.store, owed, NOON + timedelta(minutes=6))

    assert before == [("file_total_wrong", "row 2", "row 2", "open"), ("numbers_missing", "3", "3", "open")]
    assert [state for *_, state in told(shop)] == ["resolved", "resolved"]


def test_a_file_whose_name_holds_no_number_is_told(shop: Shop) -> None:
    take_in(shop, "CONF-mine.csv", HEADER + "1;A;2\nT;1;2\n")
    keep_books(shop.store, topology(shop), NOON)

    assert [rule for rule, *_ in told(shop)] == ["numbers_unreadable"]


def test_a_crash_before_the_end_of_a_broken_file_tells_it_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(take, "tell_archived", killed)
        with pytest.raises(Killed):
            take_in(shop, "CONF0001.csv", HEADER + "1;A;2\nT;2;2\n")

    shop.watcher.look()

    assert told(shop) == [("file_total_wrong", "row 2", "row 2", "open")]
    assert len(shop.errors("CONF0001.csv")) == 1
