"""Dropped files that are wrong: what is said, where they then stand, and that nobody else waits for them."""

from __future__ import annotations

import csv
import os
import time
from pathlib import Path

import pytest

from app.store.session import Store
from tests.interop.house import House, open_house

pytestmark = pytest.mark.slow

SOURCE = "legacy-p300"
HEADER = b"record_no;order_no;operation;item_no;good_qty;scrap_qty;unit;reason;lot_no;posted_on;posted_time;last"
GOOD = b"1;7001;10;FRAME-200;5;0;PC;;;02.03.2026;080000;"


@pytest.fixture
def house(sqlite_store: Store, tmp_path: Path) -> House:
    return open_house(sqlite_store, tmp_path)


def names(house: House, folder: str) -> list[str]:
    return sorted(path.name for path in (house.settings.drop_dir / SOURCE / folder).iterdir())


def errors(house: House, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(house.dropped(SOURCE, "archive", f"{name}.errors.csv").splitlines()))


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["no mark", "BOM"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"], ids=["LF", "CRLF", "CR"])
def test_a_file_is_posted_whatever_its_line_ends_and_mark(house: House, mark: bytes, end: bytes) -> None:
    house.release("P300", "7001", "FRAME-200")

    house.drop(SOURCE, "CONF1.csv", mark + HEADER + end + GOOD + end)
    house.run()

    assert [fate.state for fate in house.fates()] == ["posted", "posted"]
    assert house.books["erp"].documents[-1]["outputs"][0]["quantity"] == "5"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (HEADER.replace(b";", b",") + b"\n" + GOOD.replace(b";", b","), "write the file with ';'"),
        (b"", "the file is empty"),
        (HEADER.replace(b"unit", b"uom") + b"\n" + GOOD, "the header lacks unit and has the unknown uom"),
        (HEADER.decode().encode("utf-16"), "the file is in UTF-16; write it"),
        (b"PK\x03\x04\x00\x00" + os.urandom(2_000), "the header"),
    ],
    ids=["delimiter", "empty", "other header", "UTF-16", "a spreadsheet"],
)
def test_a_file_that_is_another_as_a_whole_takes_nothing_and_says_why(house: House, content: bytes, told: str) -> None:
    house.drop(SOURCE, "CONF1.csv", content)

    assert house.fates() == []
    assert names(house, "failed") == ["CONF1.csv", "CONF1.csv.error.txt"]
    assert told in house.dropped(SOURCE, "failed", "CONF1.csv.error.txt")


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (b"2;7001;10;FRAME-200", "the row has 4 columns, the header has 12"),
        (b"2;7001;10;FRAME-200;5;0;PC;gr\xfcn;;02.03.2026;080000;", "byte 0xfc at offset"),
        (b"2;7001;10;FRAME-200;5;0;PC;\0;;02.03.2026;080000;", "NUL byte"),
        (b";7001;10;FRAME-200;5;0;PC;;;02.03.2026;080000;", "fill it"),
        (b"   ;7001;10;FRAME-200;5;0;PC;;;02.03.2026;080000;", "fill it"),
        (b"2\x01;7001;10;FRAME-200;5;0;PC;;;02.03.2026;080000;", "take out control characters"),
        (b"2" * 190 + b";7001;10;FRAME-200;5;0;PC;;;02.03.2026;080000;", "shorten it"),
        (b'"2;7001;10;FRAME-200;5;0;PC;;;02.03.2026;080000;', "never closes"),
    ],
    ids=["columns", "Latin-1", "NUL", "no id", "blank id", "odd id", "long id", "open quote"],
)
def test_a_row_that_cannot_be_read_is_named_beside_the_file_and_its_neighbour_is_kept(
    house: House, row: bytes, told: str
) -> None:
    house.drop(SOURCE, "CONF1.csv", HEADER + b"\n" + GOOD + b"\n" + row + b"\n")

    (error,) = errors(house, "CONF1.csv")
    assert (error["row"], told in error["reason"]) == ("3", True), error
    assert len(house.fates()) == 1


def test_a_header_alone_is_archived(house: House) -> None:
    house.drop(SOURCE, "CONF1.csv", HEADER + b"\n")

    assert (names(house, "archive"), house.fates()) == (["CONF1.csv"], [])


def test_a_file_under_two_names_is_posted_once(house: House) -> None:
    house.release("P300", "7001", "FRAME-200")

    for name in ("CONF1.csv", "CONF2.csv"):
        house.drop(SOURCE, name, HEADER + b"\n" + GOOD + b"\n")
    house.run()

    assert len(house.books["erp"].documents) == 1
    assert "same content as CONF1.csv" in house.dropped(SOURCE, "archive", "CONF2.csv.note.txt")


def test_rows_that_come_again_with_their_columns_in_another_order_are_repeats(house: House) -> None:
    turned = [b";".join(reversed(line.split(b";"))) for line in (HEADER, GOOD)]

    house.drop(SOURCE, "CONF1.csv", HEADER + b"\n" + GOOD + b"\n")
    house.drop(SOURCE, "CONF2.csv", b"\n".join(turned) + b"\n")

    assert len(house.fates()) == 1
    assert names(house, "archive") == ["CONF1.csv", "CONF2.csv"]


def test_a_half_written_row_is_named_and_nothing_is_made_of_it(house: House) -> None:
    house.drop(SOURCE, "CONF1.csv", HEADER + b"\n" + GOOD + b"\n2;7001;10;FRAME-2")

    assert [error["row"] for error in errors(house, "CONF1.csv")] == ["3"]
    assert len(house.fates()) == 1


@pytest.mark.parametrize(
    "name",
    [b"CONF\xe4.csv", b"CONF" + b"x" * 247 + b".csv", b"R" * 255, b"CONF\n.csv", b"CONF1.csv.errors.csv"],
    ids=["Latin-1", "255 bytes", "255 bytes of no kind", "line end", "named like our own"],
)
def test_a_file_of_any_name_is_taken_and_stops_no_other(house: House, name: bytes) -> None:
    folder = os.fsencode(house.settings.drop_dir / SOURCE / "in")
    Path(os.fsdecode(os.path.join(folder, name))).write_bytes(b"no;header\n")
    os.utime(os.path.join(folder, name), (time.time() - 60, time.time() - 60))

    house.drop(SOURCE, "CONF2.csv", HEADER + b"\n" + GOOD + b"\n")

    assert names(house, "in") == names(house, "working") == []
    assert "CONF2.csv" in names(house, "archive")
    assert len(names(house, "failed")) == 2


def test_a_file_that_the_disk_does_not_give_stops_no_other_and_is_taken_when_it_does(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.intake import take

    def unreadable(path: Path) -> tuple[str, int]:
        raise PermissionError(13, "Permission denied", str(path))

    fingerprint = take._fingerprint
    monkeypatch.setattr(take, "_fingerprint", lambda p: unreadable(p) if p.name == "CONF1.csv" else fingerprint(p))
    with pytest.raises(PermissionError):
        house.drop(SOURCE, "CONF1.csv", HEADER + b"\n" + GOOD + b"\n")
    with pytest.raises(PermissionError):
        house.drop(SOURCE, "CONF2.csv", HEADER + b"\n2" + GOOD + b"\n")
    meanwhile = names(house, "archive")

    monkeypatch.undo()
    house.watcher.look()

    assert meanwhile == ["CONF2.csv"]
    assert names(house, "archive") == ["CONF1.csv", "CONF2.csv"]


def test_a_dropped_file_named_like_a_list_of_errors_is_gone_on_with_after_a_crash(house: House) -> None:
    (house.settings.drop_dir / SOURCE / "working" / "CONF1.csv.errors.csv").write_bytes(HEADER + b"\n" + GOOD)

    house.watcher.look()

    assert names(house, "archive") == ["CONF1.csv.errors.csv"]
