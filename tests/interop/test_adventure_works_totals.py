"""Whole tables of a bicycle maker's ERP as dropped files: the projections say what SQL says over the same files."""

from __future__ import annotations

import csv
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from app.projections.effects import behind
from app.projections.order_lists import OrderFilter, OrderPicture, list_orders
from app.projections.projector import project, rebuild
from app.projections.stock_lists import PAGE_MOST
from app.store.ledger_tables import ItemStock, Stock
from app.store.messages_tables import Message
from app.store.order_progress_tables import OrderReport
from app.store.session import Store
from config.topology import DropFile, Source
from config.topology_file import load_topology
from tests.factories import NOON
from tests.interop.house import House, open_house
from tests.interop.samples import sample

pytestmark = pytest.mark.slow

FOLDER = "legacy-erp/adventureworks"
PLANTS = ("P100", "P200", "P300")
INVENTORY = ("ProductID", "LocationID", "Shelf", "Bin", "Quantity", "rowguid", "ModifiedDate")
PRODUCT = (
    *("ProductID", "Name", "ProductNumber", "MakeFlag", "FinishedGoodsFlag", "Color", "SafetyStockLevel"),
    *("ReorderPoint", "StandardCost", "ListPrice", "Size", "SizeUnitMeasureCode", "WeightUnitMeasureCode", "Weight"),
    *("DaysToManufacture", "ProductLine", "Class", "Style", "ProductSubcategoryID", "ProductModelID"),
    *("SellStartDate", "SellEndDate", "DiscontinuedDate", "rowguid", "ModifiedDate"),
)
# Each place in one plant: frame forming and welding, paint, assembly and stores.
PLANT_OF_LOCATION = dict.fromkeys((10, 20, 30), "P100") | dict.fromkeys((2, 3, 4, 5, 40, 45), "P200")

# table -> (file, its columns where it has no header, what tells a row)
TABLES: Mapping[str, tuple[str, tuple[str, ...], str]] = {
    "product": ("headerless-tab/Product.csv", PRODUCT, "ProductID"),
    "inventory": ("headerless-tab/ProductInventory.csv", INVENTORY, "ProductID LocationID"),
    "work_order": ("dated-csv/WorkOrder.csv", (), "WorkOrderID"),
    "purchase_line": ("dated-csv/PurchaseOrderDetail.csv", (), "PurchaseOrderDetailID"),
    "transaction": ("dated-csv/TransactionHistory.csv", (), "TransactionID"),
}
PLANTS_TABLES = ("inventory", "work_order", "purchase_line", "transaction")
OPTIONS: Mapping[str, Any] = {"transactions": ["S"]}

STOCK = """
    WITH moved(plant, item, unrestricted, quality, blocked) AS (
        SELECT plant, ProductID, StockedQty, 0, 0 FROM "work_order"
        UNION ALL SELECT plant, ProductID, StockedQty, ReceivedQty - StockedQty - RejectedQty, RejectedQty
            FROM "purchase_line"
        UNION ALL SELECT plant, ProductID, -Quantity, 0, 0 FROM "transaction" WHERE TransactionType = 'S'
        UNION ALL SELECT plant, ProductID, Quantity, 0, 0 FROM "inventory"
    )
    SELECT plant, CAST(item AS TEXT), SUM(unrestricted), SUM(quality), SUM(blocked) FROM moved GROUP BY plant, item
"""
ORDERS = """
    SELECT plant, CAST(WorkOrderID AS TEXT), CAST(ProductID AS TEXT), OrderQty, StockedQty, ScrappedQty,
        CASE EndDate WHEN '' THEN OrderQty - StockedQty ELSE 0 END
    FROM "work_order"
"""
SCRAP = """
    SELECT plant, CAST(ScrapReasonID AS TEXT), SUM(ScrappedQty) FROM "work_order"
    WHERE ScrappedQty > 0 GROUP BY plant, ScrapReasonID
"""
HISTORY = """
    SELECT plant, CAST(ProductID AS TEXT), SUM(CASE TransactionType WHEN 'S' THEN -Quantity ELSE Quantity END), 0, 0
    FROM "transaction" GROUP BY plant, ProductID
"""
PLACES = """
    SELECT plant, CAST(ProductID AS TEXT), CAST(LocationID AS TEXT), Quantity FROM "inventory"
"""
FATES = """
    SELECT plant, 'product', 'posted', NULL, COUNT(*) FROM "product" GROUP BY plant
    UNION ALL SELECT plant, 'inventory', 'posted', NULL, COUNT(*) FROM "inventory" GROUP BY plant
    UNION ALL SELECT plant, 'work_order', 'posted', NULL, COUNT(*) FROM "work_order" GROUP BY plant
    UNION ALL SELECT plant, 'purchase_line', 'posted', NULL, COUNT(*) FROM "purchase_line" GROUP BY plant
    UNION ALL SELECT plant, 'transaction', 'posted', NULL, COUNT(*) FROM "transaction" GROUP BY plant
"""


Row = tuple[Any, ...]
"""One row of an answer: numbers may be whole or decimal, 3 and 3.000 are the same."""
Ask = Callable[[str], set[Row]]


def plant_of(table: str, row: Mapping[str, str]) -> str:
    """A plant's own part of each table; items are one plant's to tell."""
    if table == "product":
        return PLANTS[0]
    if table == "inventory":
        return PLANT_OF_LOCATION.get(int(row["LocationID"]), PLANTS[2])
    return PLANTS[int(row["ProductID"]) % 3]


def lines_in(table: str) -> list[str]:
    """As they stand, with their line ends."""
    return sample(f"{FOLDER}/{TABLES[table][0]}").read_bytes().decode().splitlines(keepends=True)


def lines_of(table: str) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Each row of the file: the plant that drops it, its line as it stands, and its columns."""
    _, columns, _ = TABLES[table]
    lines = lines_in(table)
    names = columns or tuple(next(csv.reader(lines)))
    for line in lines if columns else lines[1:]:
        (values,) = csv.reader([line], delimiter="\t" if columns else ",")
        row = dict(zip(names, values, strict=True))
        yield plant_of(table, row), line, row


def file_of(table: str, plant: str) -> str:
    """The plant's rows under the file's own header, to the byte."""
    header = "" if TABLES[table][1] else lines_in(table)[0]
    return header + "".join(line for owner, line, _ in lines_of(table) if owner == plant)


@pytest.fixture(scope="module")
def sql() -> Iterator[Ask]:
    """Asks the files as they are: every quantity in them is a whole number, so that sums are exact."""
    database = sqlite3.connect(":memory:")
    for table in TABLES:
        rows = [{"plant": plant, **row} for plant, _, row in lines_of(table)]
        numbers = [name for name in rows[0] if name.endswith(("Qty", "Quantity", "ID"))]
        columns = ", ".join(f'"{name}" {"INTEGER" if name in numbers else "TEXT"}' for name in rows[0])
        database.execute(f'CREATE TABLE "{table}" ({columns})')
        marks = ", ".join("?" * len(rows[0]))
        database.executemany(f'INSERT INTO "{table}" VALUES ({marks})', [tuple(row.values()) for row in rows])
    yield lambda query: set(database.execute(query).fetchall())
    database.close()


def kind_of(table: str) -> DropFile:
    _, columns, key = TABLES[table]
    described: dict[str, Any] = {"delimiter": ","}
    if columns:
        described = {"delimiter": "tab", "header": False, "columns": list(columns)}
    return DropFile(f"{table}*", f"adventureworks.{table}", "csv", described | {"id": key.split()})


def source_of(plant: str, options: Mapping[str, Any]) -> Source:
    files = tuple(kind_of(table) for table in TABLES)
    return Source(f"aw-{plant.lower()}", "ERP", (plant,), "adventureworks", "drop", files, options=options)


def house_of_three_plants(store: Store, home: Path, options: Mapping[str, Any]) -> House:
    """The packaged plants, each with a source that drops its part of the tables, and no route to any target."""
    topology = load_topology(None)
    sources = {source.code: source for source in (source_of(plant, options) for plant in PLANTS)}
    return open_house(store, home, replace(topology, sources={**topology.sources, **sources}, routes=()))


def work(
    store: Store,
    home: Path,
    plants: Sequence[str],
    tables: Sequence[str] = PLANTS_TABLES,
    options: Mapping[str, Any] = OPTIONS,
) -> None:
    """Items first, so that nothing has to wait for them; then these files of these plants, and the projections."""
    house = house_of_three_plants(store, home, options)
    house.drop("aw-p100", "product.txt", file_of("product", "P100"))
    house.run()
    for plant in plants:
        for table in tables:
            house.drop(f"aw-{plant.lower()}", f"{table}.txt", file_of(table, plant))
    house.run()
    bring_up(store)


def bring_up(store: Store) -> None:
    assert not project(store, lambda: NOON, 600.0).goes_on
    with store.reading() as session:
        told = behind(session)
    assert (told.messages, told.faults) == (0, 0)


def fates(store: Store) -> set[Row]:
    by = (Message.plant, Message.type, Message.state, Message.reason_code)
    with store.reading() as session:
        rows = session.execute(select(*by, func.count()).group_by(*by)).all()
    return {(plant, kind.removeprefix("adventureworks."), *rest) for plant, kind, *rest in rows}


def stock(store: Store) -> set[Row]:
    with store.reading() as session:
        rows = session.execute(select(ItemStock)).scalars().all()
    assert {row.uom for row in rows} <= {"EA"}
    return {(row.plant, row.item, row.unrestricted, row.quality, row.blocked) for row in rows}


def counted_places(store: Store) -> set[Row]:
    """Every place of which an event names the storage location: only counts do."""
    query = select(Stock.plant, Stock.item, Stock.storage, Stock.quantity).where(Stock.storage != "")
    with store.reading() as session:
        return {tuple(row) for row in session.execute(query)}


def pictures(store: Store, plant: str) -> Iterator[OrderPicture]:
    after: tuple[str, str] | None = None
    while True:
        with store.reading() as session:
            page = list_orders(session, OrderFilter(plant=plant), PAGE_MOST, after)
        yield from page
        if not page:
            return
        after = page[-1].order.plant, page[-1].order.order_id


def orders(store: Store) -> set[Row]:
    """By plant and order: its item, and what was planned, completed and scrapped, and remains."""
    return {
        (plant, one.order.order_id, one.order.item, one.order.planned, one.completed, one.scrapped, one.remaining)
        for plant in PLANTS
        for one in pictures(store, plant)
    }


def scrap(store: Store) -> set[Row]:
    """By plant and reason; added up here, as SQLite would add decimals as floats."""
    lost: Counter[tuple[str, str | None]] = Counter()
    with store.reading() as session:
        query = select(OrderReport).where(OrderReport.kind == "scrapped", OrderReport.void_at.is_(None))
        for row in session.execute(query).scalars():
            lost[row.plant, row.reason] += row.quantity or 0  # type: ignore[assignment]
    return {(*key, amount) for key, amount in lost.items()}


def of_plant(plant: str, rows: set[Row]) -> set[Row]:
    found = {row for row in rows if row[0] == plant}
    assert found
    return found


@pytest.fixture(scope="module")
def worked(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database in which every row of every file was worked on once."""
    home = tmp_path_factory.mktemp("adventureworks")
    path = home / "lineside.db"
    path.write_bytes(sqlite_template.read_bytes())
    store = Store(f"sqlite:///{path}")
    work(store, home, PLANTS)
    store.dispose()
    return path


@pytest.fixture
def three_plants(worked: Path, tmp_path: Path) -> Iterator[Store]:
    path = tmp_path / "worked.db"
    path.write_bytes(worked.read_bytes())
    store = Store(f"sqlite:///{path}")
    yield store
    store.dispose()


def test_every_row_ends_posted_or_dead_with_its_reason_as_many_as_sql_counts(three_plants: Store, sql: Ask) -> None:
    told = fates(three_plants)

    assert told == sql(FATES)
    assert sum(count for *_, count in told) == sum(1 for table in TABLES for _ in lines_of(table))


def test_the_stock_of_each_plant_and_item_is_what_sql_adds_up(three_plants: Store, sql: Ask) -> None:
    assert stock(three_plants) == sql(STOCK)


def test_a_place_that_was_counted_holds_what_was_counted(three_plants: Store, sql: Ask) -> None:
    assert counted_places(three_plants) == sql(PLACES)


def test_every_order_was_planned_completed_and_scrapped_as_its_row_says(three_plants: Store, sql: Ask) -> None:
    assert orders(three_plants) == sql(ORDERS)


def test_scrap_by_reason_is_what_sql_adds_up(three_plants: Store, sql: Ask) -> None:
    assert scrap(three_plants) == sql(SCRAP)


def test_projections_that_are_built_anew_say_the_same(three_plants: Store, sql: Ask) -> None:
    posted = sum(count for *_, state, _, count in sql(FATES) if state == "posted")

    assert rebuild(three_plants, NOON) == posted
    assert stock(three_plants) == set()
    bring_up(three_plants)

    assert stock(three_plants) == sql(STOCK)
    assert counted_places(three_plants) == sql(PLACES)
    assert orders(three_plants) == sql(ORDERS)
    assert scrap(three_plants) == sql(SCRAP)


@pytest.mark.parametrize("store", [pytest.param("postgresql", marks=pytest.mark.services)], indirect=True)
def test_one_plant_in_the_other_database_says_what_sql_says(store: Store, tmp_path: Path, sql: Ask) -> None:
    work(store, tmp_path, ["P100"])

    assert fates(store) == of_plant("P100", sql(FATES))
    assert stock(store) == of_plant("P100", sql(STOCK))
    assert counted_places(store) == of_plant("P100", sql(PLACES))
    assert orders(store) == of_plant("P100", sql(ORDERS))
    assert scrap(store) == of_plant("P100", sql(SCRAP))


def test_the_history_alone_moves_what_purchase_sales_and_work_orders_moved(
    store: Store, tmp_path: Path, sql: Ask
) -> None:
    work(store, tmp_path, ["P200"], ["transaction"], {"needs_released_order": False})

    assert {fate[2:4] for fate in fates(store) if fate[1] == "transaction"} == {("posted", None)}
    assert stock(store) == of_plant("P200", sql(HISTORY))
