"""Exports of a bicycle maker's ERP, each with its own damage, as dropped files: refused whole, or taken to the row."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.store.files_tables import DroppedFile
from app.store.messages_tables import Payload
from app.store.session import Store
from config.topology import DropFile, Source
from config.topology_file import load_topology
from tests.interop.house import House, open_house
from tests.interop.samples import sample

FOLDER = "legacy-erp/adventureworks"
BILL = [
    "BillOfMaterialsID",
    "ProductAssemblyID",
    "ComponentID",
    "StartDate",
    "EndDate",
    "UnitMeasureCode",
    "BOMLevel",
    "PerAssemblyQty",
    "ModifiedDate",
]
INVENTORY = ["ProductID", "LocationID", "Shelf", "Bin", "Quantity", "rowguid", "ModifiedDate"]

# (file, key columns, amounts)
WITH_HEADER: list[tuple[str, list[str], list[str]]] = [
    ("dated-csv/WorkOrder.csv", ["WorkOrderID"], ["OrderQty", "StockedQty", "ScrappedQty"]),
    ("dated-csv/TransactionHistory.csv", ["TransactionID"], ["Quantity"]),
    ("dated-csv/PurchaseOrderDetail.csv", ["PurchaseOrderDetailID"], ["OrderQty", "ReceivedQty", "StockedQty"]),
    ("excel-mangled/Production.WorkOrder.csv", ["WorkOrderID"], ["OrderQty", "StockedQty", "ScrappedQty"]),
    ("excel-mangled/Production.TransactionHistoryArchive.csv", ["TransactionID"], ["Quantity"]),
    ("excel-mangled/Production.BillOfMaterials.csv", ["BillOfMaterialsID"], ["PerAssemblyQty"]),
]
HEADERLESS: list[tuple[str, list[str], list[str], list[str]]] = [
    ("headerless-tab/BillOfMaterials.csv", BILL, ["BillOfMaterialsID"], ["PerAssemblyQty"]),
    ("headerless-tab/ProductInventory.csv", INVENTORY, ["ProductID", "LocationID"], ["Quantity"]),
]


def house_for(store: Store, home: Path, options: Mapping[str, Any], kind: str = "adventureworks.row") -> House:
    """The packaged topology with one more source, which drops files of these options."""
    topology = load_topology(None)
    files = (DropFile("*.csv", kind, "csv", options),)
    source = Source("adventureworks", "legacy ERP", ("P300",), "adventureworks", intake="drop", files=files)
    return open_house(store, home, replace(topology, sources={**topology.sources, source.code: source}))


def rows_in(house: House) -> list[dict[str, str]]:
    with house.store.reading() as session:
        return [
            json.loads(body) for body in session.execute(select(Payload.body).order_by(Payload.message_id)).scalars()
        ]


def sums(rows: Sequence[Mapping[str, str]], columns: Sequence[str]) -> dict[str, Decimal]:
    return {column: sum((Decimal(row[column]) for row in rows), Decimal(0)) for column in columns}


def check_taken_to_the_row(house: House, path: Path, expected: list[dict[str, str]], amounts: list[str]) -> None:
    house.drop("adventureworks", path.name, path.read_bytes())

    taken = rows_in(house)
    assert len(taken) == len(expected)
    assert taken == expected
    assert sums(taken, amounts) == sums(expected, amounts)
    with house.store.reading() as session:
        (file,) = session.execute(select(DroppedFile)).scalars()
        assert (file.state, file.rows_accepted, file.rows_refused) == ("archived", len(expected), 0)


@pytest.mark.parametrize(("name", "key", "amounts"), WITH_HEADER, ids=[name for name, _, _ in WITH_HEADER])
def test_every_row_of_an_export_with_a_header_comes_in_as_it_stands(
    store: Store, tmp_path: Path, name: str, key: list[str], amounts: list[str]
) -> None:
    path = sample(f"{FOLDER}/{name}")
    with path.open(newline="", encoding="utf-8") as stream:
        expected = list(csv.DictReader(stream))
    options = {"delimiter": ",", "encoding": "utf-8", "columns": list(expected[0]), "id": key}

    check_taken_to_the_row(house_for(store, tmp_path, options), path, expected, amounts)


@pytest.mark.parametrize(("name", "columns", "key", "amounts"), HEADERLESS, ids=[name for name, _, _, _ in HEADERLESS])
def test_every_row_of_an_export_without_a_header_comes_in_under_the_topologys_columns(
    store: Store, tmp_path: Path, name: str, columns: list[str], key: list[str], amounts: list[str]
) -> None:
    path = sample(f"{FOLDER}/{name}")
    lines = path.read_text(encoding="utf-8").splitlines()
    expected = [dict(zip(columns, line.split("\t"), strict=True)) for line in lines]
    options = {"delimiter": "tab", "encoding": "utf-8", "header": False, "columns": columns, "id": key}

    check_taken_to_the_row(house_for(store, tmp_path, options), path, expected, amounts)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("dated-csv/WorkOrder.csv", "write the file with ';'"),
        ("dated-csv/TransactionHistory.csv", "write the file with ';'"),
        ("excel-mangled/Production.WorkOrder.csv", "write the file with ';'"),
        ("headerless-tab/ProductInventory.csv", "write the file with ';'"),
    ],
)
def test_an_export_dropped_as_another_kind_of_file_is_refused_whole_and_says_why(
    sqlite_store: Store, tmp_path: Path, name: str, told: str
) -> None:
    house = open_house(sqlite_store, tmp_path)

    house.drop("legacy-p300", "CONF1.csv", sample(f"{FOLDER}/{name}").read_bytes())

    assert house.fates() == []
    assert told in house.dropped("legacy-p300", "failed", "CONF1.csv.error.txt")


def test_an_export_in_the_right_delimiter_with_other_columns_is_refused_by_their_names(
    sqlite_store: Store, tmp_path: Path
) -> None:
    house = open_house(sqlite_store, tmp_path)
    content = sample(f"{FOLDER}/dated-csv/WorkOrder.csv").read_text(encoding="utf-8").replace(",", ";")

    house.drop("legacy-p300", "CONF1.csv", content)

    told = house.dropped("legacy-p300", "failed", "CONF1.csv.error.txt")
    assert "the header lacks record_no" in told
    assert "has the unknown WorkOrderID" in told


@pytest.mark.parametrize(
    ("name", "kind", "key", "column"),
    [
        ("Production.WorkOrder.csv", "work_order", "WorkOrderID", "StartDate"),
        ("Production.TransactionHistoryArchive.csv", "transaction", "TransactionID", "TransactionDate"),
    ],
)
def test_a_row_whose_times_a_spreadsheet_destroyed_is_kept_and_dead_and_gets_no_invented_date(
    sqlite_store: Store, tmp_path: Path, name: str, kind: str, key: str, column: str
) -> None:
    path = sample(f"{FOLDER}/excel-mangled/{name}")
    house = house_for(sqlite_store, tmp_path, {"delimiter": ",", "id": [key]}, f"adventureworks.{kind}")

    house.drop("adventureworks", path.name, path.read_bytes())
    house.run()

    ends = [(fate.state, fate.code, fate.field) for fate in house.fates()]
    assert ends == [("dead", "time_invalid", column)] * 500
    assert {row[column] for row in rows_in(house)} == {"00:00.0"}
    assert house.books["erp"].documents == []
