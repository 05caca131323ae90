"""A file of IDocs becomes a message each, once, whatever file brings it again."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from app.store.session import Store
from config.topology import DropFile
from config.topology_file import load_topology
from tests.idocs import FlatIdoc, movement
from tests.interop.house import House, open_house


@pytest.fixture
def house(store: Store, tmp_path: Path) -> House:
    packaged = load_topology(None)
    files = (DropFile("*.idoc", "idoc.MBGMCR", "idoc"),)
    source = replace(
        packaged.sources["mes-p100"], intake="drop", mapping="sap_idoc", files=files, units={"ST": "EA"}, options={}
    )
    return open_house(store, tmp_path, replace(packaged, sources={**packaged.sources, "mes-p100": source}))


def test_the_idocs_of_a_file_are_posted_and_a_bad_one_is_dead_with_its_place(house: House) -> None:
    good = movement("0000000000000001", ORDERID="", MOVE_TYPE="311", MOVE_STLOC="0002").body()
    bad = movement("0000000000000002", MOVE_TYPE="999").body()

    house.drop("mes-p100", "A.idoc", b"lost segment\n" + good + bad)
    house.drop("mes-p100", "B.idoc", good + b"\n")
    house.run()

    posted, dead = house.fates()
    assert posted.state == "posted"
    assert (dead.state, dead.code) == ("dead", "movement_unknown")
    assert dead.field == "line 4, segment 000003 (E2BP2017_GM_ITEM_CREATE) MOVE_TYPE"
    assert "no control record EDI_DC40" in house.dropped("mes-p100", "archive", "A.idoc.errors.csv")


@pytest.fixture
def mixed(sqlite_store: Store, tmp_path: Path) -> House:
    """A source whose one kind of file brings materials and movements, in whatever order."""
    packaged = load_topology(None)
    files = (DropFile("*.idoc", "", "idoc", types=("idoc.MATMAS", "idoc.MBGMCR")),)
    source = replace(
        packaged.sources["mes-p100"], intake="drop", mapping="sap_idoc", files=files, units={"ST": "EA"}, options={}
    )
    return open_house(sqlite_store, tmp_path, replace(packaged, sources={**packaged.sources, "mes-p100": source}))


@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("padded", [True, False], ids=["padded", "trimmed"])
def test_a_file_of_several_message_types_gives_each_to_its_mapping(mixed: House, padded: bool, line_end: str) -> None:
    material = FlatIdoc("MATMAS", "0000000000000001", padded=padded)
    material.add("E2MARAM005", MATNR="000000000000004711", MEINS="ST").add("E2MAKTM001", SPRAS_ISO="EN", MAKTX="Wheel")
    moved = movement("0000000000000002", padded=padded, ORDERID="", MOVE_TYPE="311", MOVE_STLOC="0002")
    order = FlatIdoc("ORDERS", "0000000000000003", padded=padded).add("E2EDK01005", BELNR="4500017")

    mixed.drop("mes-p100", "MIX.idoc", b"".join(each.body(line_end) for each in (moved, order, material)))
    mixed.run()

    assert [event["type"] for event in mixed.events(1, 2)] == ["inventory.moved.v1", "item.changed.v1"]
    assert mixed.events(2)[0]["data"]["item"] == "4711"
    (error,) = csv.DictReader(mixed.dropped("mes-p100", "archive", "MIX.idoc.errors.csv").splitlines(keepends=True))
    assert (error["row"], "of kind 'ORDERS'" in error["reason"]) == ("2", True)
