"""What Tryton calls our items, units and locations: looked up once, kept for a bounded time in a bounded table."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Generic, TypeVar

from app.adapters.tryton_rest import TrytonRest
from app.errors import Refused

KEEP_SECONDS = 300.0
KEEP_ENTRIES = 10_000

Value = TypeVar("Value")


@dataclass(frozen=True)
class Unit:
    """``factor`` is how many of the category's reference unit one is."""

    id: int
    symbol: str
    factor: Decimal
    digits: int


@dataclass(frozen=True)
class Item:
    """``units`` are those of the item's category, by symbol; ``bill_id`` is its first bill of materials."""

    id: int
    code: str
    units: Mapping[str, Unit]
    bill_id: int | None


@dataclass(frozen=True)
class Place:
    id: int
    code: str
    kind: str


@dataclass(frozen=True)
class Warehouse:
    """A plant's warehouse with the locations that Tryton itself would choose for each use."""

    id: int
    code: str
    input_id: int
    storage_id: int
    picking_id: int
    output_id: int
    production_id: int


@dataclass(frozen=True)
class Component:
    item_id: int
    quantity: Decimal
    unit: Unit


@dataclass(frozen=True)
class Bill:
    """``makes`` is how much of each item one batch yields, in the unit beside it."""

    id: int
    inputs: tuple[Component, ...]
    makes: tuple[Component, ...]


class Kept(Generic[Value]):
    """A lookup's results by key. Nothing is kept of a lookup that raises, so what is missing is asked for again."""

    def __init__(self, fetch: Callable[[Any], Value]) -> None:
        self._fetch = fetch
        self._values: dict[Any, tuple[float, Value]] = {}
        self._lock = threading.Lock()

    def __call__(self, key: Any) -> Value:
        now = time.monotonic()
        with self._lock:
            kept = self._values.get(key)
        if kept is not None and now - kept[0] < KEEP_SECONDS:
            return kept[1]
        value = self._fetch(key)
        with self._lock:
            self._values.pop(key, None)
            while len(self._values) >= KEEP_ENTRIES:
                self._values.pop(next(iter(self._values)))
            self._values[key] = (now, value)
        return value


class TrytonRecords:
    """Lookups by the codes that people use. An unknown code is Refused with the place to mend it."""

    def __init__(self, rest: TrytonRest, company_id: int | None) -> None:
        self.rest = rest
        self._company_id = company_id
        self.item = Kept(self._fetch_item)
        self.place = Kept(self._fetch_place)
        self.warehouse = Kept(self._fetch_warehouse)
        self.bill = Kept(self._fetch_bill)
        self.lot_id = Kept(self._fetch_lot)
        self._company = Kept(self._fetch_company)

    @property
    def company_id(self) -> int:
        return self._company("company")[0]

    @property
    def currency_id(self) -> int:
        return self._company("company")[1]

    @property
    def context(self) -> Mapping[str, Any]:
        """Without the company creates fail; the warnings skipped are those that ask a person 'are you sure?'."""
        return {"company": self.company_id, "_skip_warnings": True}

    def unit(self, item: Item, symbol: str) -> Unit:
        unit = item.units.get(symbol)
        if unit is None:
            known = ", ".join(sorted(item.units))
            raise Refused(
                "unit_unknown",
                f"Tryton has no unit {symbol} for item {item.code}; it has {known}. "
                "Add it there and requeue, or correct the unit here.",
            )
        return unit

    def _fetch_company(self, _: str) -> tuple[int, int]:
        domain = [["id", "=", self._company_id]] if self._company_id is not None else []
        found = self.rest.search("company.company", domain, ["currency"], limit=2)
        if len(found) != 1:
            raise Refused(
                "company_unknown",
                "The REST key's user sees no company or several; name its id as the target's option company.",
            )
        return found[0]["id"], found[0]["currency"]

    def _fetch_item(self, code: str) -> Item:
        fields = ["default_uom.category", "boms.bom"]
        found = self.rest.search("product.product", [["code", "=", code]], fields, limit=2)
        if len(found) != 1:
            how = "no product" if not found else "several products"
            raise Refused(
                "item_unknown", f"Tryton has {how} with the code {code}; mend that there, then requeue.", "item"
            )
        units = self.rest.search(
            "product.uom",
            [["category", "=", found[0]["default_uom"]["category"]]],
            ["symbol", "factor", "digits"],
        )
        bills = found[0]["boms"]
        return Item(found[0]["id"], code, {u["symbol"]: _unit(u) for u in units}, bills[0]["bom"] if bills else None)

    def _fetch_lot(self, lot: tuple[int, str]) -> int:
        """The lot, made where Tryton does not have it yet. Of two made at once both writers then use the older."""
        item_id, number = lot
        domain = [["number", "=", number], ["product", "=", item_id]]
        found = self.rest.search("stock.lot", domain, ["id"], limit=1)
        if not found:
            self.rest.create("stock.lot", {"number": number, "product": item_id}, ["id"], self.context)
            found = self.rest.search("stock.lot", domain, ["id"], limit=1)
        return int(found[0]["id"])

    def _fetch_place(self, code: str) -> Place:
        found = self.rest.search("stock.location", [["code", "=", code]], ["type"], limit=2)
        if len(found) != 1:
            how = "no location" if not found else "several locations"
            raise Refused(
                "location_unknown", f"Tryton has {how} with the code {code}; mend that there, then requeue.", "storage"
            )
        return Place(found[0]["id"], code, found[0]["type"])

    def _fetch_warehouse(self, code: str) -> Warehouse:
        fields = ["input_location", "storage_location", "production_location"]
        fields += ["production_picking_location", "production_output_location"]
        domain = [["code", "=", code], ["type", "=", "warehouse"]]
        found = self.rest.search("stock.location", domain, fields, limit=2)
        if len(found) != 1:
            how = "no warehouse" if not found else "several warehouses"
            raise Refused(
                "warehouse_unknown",
                f"Tryton has {how} with the code {code}; set the mapping option locations, then requeue.",
            )
        record = found[0]
        storage = record["storage_location"]
        return Warehouse(
            record["id"],
            code,
            record["input_location"],
            storage,
            record["production_picking_location"] or storage,
            record["production_output_location"] or storage,
            record["production_location"],
        )

    def _fetch_bill(self, bill_id: int) -> Bill:
        parts = ("product", "quantity", "unit.symbol", "unit.factor", "unit.digits")
        fields = [f"{side}.{part}" for side in ("inputs", "outputs") for part in parts]
        record = self.rest.get("production.bom", bill_id, fields)
        return Bill(
            bill_id,
            tuple(_component(part) for part in record["inputs"]),
            tuple(_component(part) for part in record["outputs"]),
        )


def _unit(record: Mapping[str, Any]) -> Unit:
    return Unit(record["id"], record["symbol"], Decimal(str(record["factor"])), record["digits"])


def _component(record: Mapping[str, Any]) -> Component:
    return Component(record["product"], Decimal(str(record["quantity"])), _unit(record["unit"]))


def exact_number(quantity: Decimal, unit: Unit, item_code: str) -> float:
    """Tryton's quantities are binary floats on the wire; one that would change on the way, or that its unit has no
    digits for, is refused instead of rounded."""
    number = float(quantity)
    if not math.isfinite(number) or Decimal(repr(number)) != quantity or quantity != round(quantity, unit.digits):
        raise Refused(
            "quantity_precision",
            f"Tryton keeps {unit.digits} decimals of {unit.symbol} for item {item_code}, and {quantity} has more. "
            "Correct it here, or send it in a smaller unit.",
            "quantity",
        )
    return number
