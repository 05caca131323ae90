"""A dropped file is taken when it is whole, once, and to its last row; what cannot be read is said beside it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

import app.intake.rows_in as rows_in
from app.intake.watcher import Watcher
from app.store.messages_tables import Message
from app.store.session import Store
from config.topology import DropFile
from tests.fakes import Killed
from tests.shop import Shop, make_shop

HEADER = "record_no;item_no;qty\n"
CSV = DropFile(
    "CONF*.csv",
    "legacy.confirmation",
    "csv",
    {"delimiter": ";", "encoding": "utf-8", "columns": ["record_no", "item_no", "qty"], "id": ["record_no"]},
)
FIXED = DropFile(
    "MOVE*.txt",
    "legacy.movement",
    "fixed_width",
    {"encoding": "latin-1", "layout": [["record_no", 1, 4], ["item_no", 5, 6]], "id": ["record_no"]},
)
TRAILED = DropFile("TRAIL*.csv", "legacy.trailed", "csv", CSV.options | {"trailer": {"marker": "T", "count": 2}})
FILES = (CSV, FIXED, TRAILED)


@pytest.fixture
def shop(store: Store, tmp_path: Path) -> Shop:
    return make_shop(store, tmp_path, FILES)


@pytest.fixture
def small_shop(sqlite_store: Store, tmp_path: Path) -> Shop:
    """For what does not depend on the database."""
    return make_shop(sqlite_store, tmp_path, FILES)


def test_every_row_of_a_whole_file_becomes_a_message_and_the_file_is_archived(shop: Shop) -> None:
    shop.drop("CONF1.csv", HEADER + "1;FRAME;2\n2;FRAME;3\n")

    shop.watcher.look()

    assert [tuple(row) for row in shop.messages()] == [
        ("legacy.confirmation:1", 2, "legacy.confirmation"),
        ("legacy.confirmation:2", 3, "legacy.confirmation"),
    ]
    assert shop.names("archive") == ["CONF1.csv"]
    assert shop.names("in") == shop.names("working") == []
    assert shop.nudges == [("P300", 2)]


def test_a_fixed_width_file_is_read_by_its_layout(shop: Shop) -> None:
    shop.drop("MOVE1.txt", "0001FRAME1\n0002FRAME2\n")

    shop.watcher.look()

    assert [row.source_message_id for row in shop.messages()] == ["legacy.movement:0001", "legacy.movement:0002"]


def test_a_file_that_is_still_written_is_left_alone(small_shop: Shop) -> None:
    small_shop.drop("CONF1.csv", HEADER + "1;FRAME;2\n2;FR", settled=False)

    taken = small_shop.watcher.look()

    assert taken == 0
    assert small_shop.names("in") == ["CONF1.csv"]


def test_a_marker_says_at_once_that_a_file_is_whole(small_shop: Shop) -> None:
    small_shop.drop("CONF1.csv", HEADER + "1;FRAME;2\n", settled=False)
    small_shop.drop("CONF1.csv.ok", "")

    small_shop.watcher.look()

    assert small_shop.names("archive") == ["CONF1.csv"]
    assert small_shop.names("in") == []


@pytest.mark.parametrize("name", ["CONF1.csv.part", ".CONF1.csv", "CONF1.csv.tmp"])
def test_a_file_under_its_temporary_name_is_never_taken(small_shop: Shop, name: str) -> None:
    small_shop.drop(name, HEADER + "1;FRAME;2\n")

    small_shop.watcher.look()

    assert small_shop.names("in") == [name]


def test_the_same_file_under_two_names_is_taken_once_and_says_so(shop: Shop) -> None:
    shop.drop("CONF1.csv", HEADER + "1;FRAME;2\n")
    shop.watcher.look()
    shop.drop("CONF2.csv", HEADER + "1;FRAME;2\n")

    shop.watcher.look()

    assert len(shop.messages()) == 1
    assert shop.names("archive") == ["CONF1.csv", "CONF2.csv", "CONF2.csv.note.txt"]
    assert "same content as CONF1.csv" in (shop.folder.archive / "CONF2.csv.note.txt").read_text()


def test_a_row_that_came_in_another_file_before_is_a_repeat(shop: Shop) -> None:
    shop.drop("CONF1.csv", HEADER + "1;FRAME;2\n")
    shop.drop("CONF2.csv", HEADER + "1;FRAME;2\n2;FRAME;5\n")

    shop.watcher.look()

    assert len(shop.messages()) == 2
    assert [(file.rows_accepted, file.rows_repeated) for file in shop.files()] == [(1, 0), (1, 1)]


def test_bad_rows_stand_beside_the_archived_file_and_their_neighbours_are_taken(shop: Shop) -> None:
    shop.drop("CONF1.csv", HEADER + "1;FRAME;2\n2;FRAME\n;FRAME;1\n4;FRAME;1\n1;OTHER;9\n")

    shop.watcher.look()

    errors = shop.errors("CONF1.csv")
    assert [row.source_message_id for row in shop.messages()] == ["legacy.confirmation:1", "legacy.confirmation:4"]
    assert [(row["row"], row["field"]) for row in errors] == [("3", ""), ("4", "record_no"), ("6", "")]
    assert "came before under the same id" in errors[2]["reason"]
    assert errors[0]["content"] == "2;FRAME"


def test_latin_1_bytes_in_a_utf_8_file_cost_their_row_only(small_shop: Shop) -> None:
    small_shop.drop("CONF1.csv", HEADER.encode() + b"1;FRAME;2\n2;R\xe4der;1\n3;FRAME;1\n")

    small_shop.watcher.look()

    assert len(small_shop.messages()) == 2
    assert small_shop.errors("CONF1.csv")[0]["row"] == "3"


@pytest.mark.parametrize(
    "content", [b"\xef\xbb\xbf" + HEADER.encode() + b"1;FRAME;2\n", b"record_no;item_no;qty\r\n1;FRAME;2\r\n"]
)
def test_a_byte_order_mark_and_windows_line_ends_change_nothing(small_shop: Shop, content: bytes) -> None:
    small_shop.drop("CONF1.csv", content)

    small_shop.watcher.look()

    assert [row.source_message_id for row in small_shop.messages()] == ["legacy.confirmation:1"]


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("record_no,item_no,qty\n1,FRAME,2\n", "delimiter"),
        ("", "empty"),
        ("record_no;wrong;qty\n1;FRAME;2\n", "item_no"),
    ],
)
def test_a_file_that_is_not_what_the_topology_says_fails_with_its_reason(
    small_shop: Shop, content: str, part: str
) -> None:
    small_shop.drop("CONF1.csv", content)

    small_shop.watcher.look()

    assert small_shop.messages() == []
    assert small_shop.names("failed") == ["CONF1.csv", "CONF1.csv.error.txt"]
    assert part in (small_shop.folder.failed / "CONF1.csv.error.txt").read_text()


def test_a_header_without_rows_is_archived_and_takes_nothing(small_shop: Shop) -> None:
    small_shop.drop("CONF1.csv", HEADER)

    small_shop.watcher.look()

    assert small_shop.names("archive") == ["CONF1.csv"]
    assert small_shop.messages() == []


def test_half_a_file_with_a_trailer_takes_nothing(small_shop: Shop) -> None:
    small_shop.drop("TRAIL1.csv", HEADER + "1;FRAME;2\n2;FRAME;3\n")

    small_shop.watcher.look()

    assert small_shop.messages() == []
    assert "trailer" in (small_shop.folder.failed / "TRAIL1.csv.error.txt").read_text()


def test_a_file_of_no_known_kind_fails_and_names_the_patterns(small_shop: Shop) -> None:
    small_shop.drop("README.md", "hello")

    small_shop.watcher.look()

    assert "CONF*.csv" in (small_shop.folder.failed / "README.md.error.txt").read_text()


@pytest.mark.parametrize("kill_at", [1, 2, 3])
def test_a_killed_watcher_goes_on_at_the_row_where_it_stopped(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, kill_at: int
) -> None:
    monkeypatch.setattr(rows_in, "ROWS_PER_COMMIT", 2)
    rows = "".join(f"{n};FRAME;1\n" if n != 4 else "4;FRAME\n" for n in range(1, 8))
    shop.drop("CONF1.csv", HEADER + rows)
    monkeypatch.setattr(rows_in, "record_rows", _kill_at_call(kill_at, rows_in.record_rows))
    with pytest.raises(Killed):
        shop.watcher.look()

    shop.watcher.look()

    assert [row.row_number for row in shop.messages()] == [2, 3, 4, 6, 7, 8]
    assert [row["row"] for row in shop.errors("CONF1.csv")] == ["5"]
    (file,) = shop.files()
    assert (file.rows_done, file.rows_accepted, file.rows_repeated, file.rows_refused) == (7, 6, 0, 1)


def _kill_at_call(number: int, function: Callable[..., None]) -> Callable[..., None]:
    calls = iter(range(1, 1_000))

    def wrapped(*args: Any, **kwargs: Any) -> None:
        function(*args, **kwargs)
        if next(calls) == number:
            raise Killed

    return wrapped


def test_a_second_watcher_leaves_a_folder_that_is_held(shop: Shop) -> None:
    shop.drop("CONF1.csv", HEADER + "1;FRAME;2\n")
    shop.watcher.look()
    other = Watcher(shop.watcher.intake, shop.watcher.folders, "watcher-2")
    shop.drop("CONF2.csv", HEADER + "2;FRAME;2\n")

    taken = other.look()

    assert taken == 0
    assert shop.names("in") == ["CONF2.csv"]


def test_a_link_in_the_folder_is_not_followed(small_shop: Shop, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text(HEADER + "1;FRAME;2\n")
    small_shop.folder.make()
    (small_shop.folder.incoming / "CONF1.csv").symlink_to(secret)

    taken = small_shop.watcher.look()

    assert taken == 0
    with small_shop.store.reading() as session:
        assert session.execute(select(func.count()).select_from(Message)).scalar_one() == 0
