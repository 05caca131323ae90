"""A file of IDocs becomes a message each, once, whatever file brings it again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.store.session import Store
from config.topology import DropFile
from config.topology_file import load_topology
from tests.idocs import movement
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
