"""The demonstration company as plain data: what the plants make, from what, and what lies in their stores.

Both the ERP that is seeded with it and the sample shift that is sent through Lineside read this one page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

COMPANY = "Lineside Cycles"
SUPPLIER = "Northern Components"
SERVICE_LOGIN = "lineside"
"""The ERP's user that Lineside posts as."""


@dataclass(frozen=True)
class CatalogueItem:
    """``units`` gives base units per further unit; ``unit_cost`` is per base unit, in euro."""

    code: str
    description: str
    base_uom: str
    unit_cost: Decimal
    purchased: bool = False
    units: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True)
class BillOfMaterials:
    """What one base unit of ``item`` consumes, in the components' base units."""

    item: str
    components: Mapping[str, Decimal]


@dataclass(frozen=True)
class OpeningStock:
    plant: str
    item: str
    quantity: Decimal
    lot: str | None = None


@dataclass(frozen=True)
class PurchaseOrder:
    """An order that was confirmed before the demonstration begins; ``lines`` are (item, quantity in base units)."""

    id: str
    plant: str
    lines: tuple[tuple[str, Decimal], ...]


ITEMS = (
    CatalogueItem("BIKE-100", "City bike", "EA", Decimal("310")),
    CatalogueItem("FRAME-200", "Painted frame", "EA", Decimal("95")),
    CatalogueItem("FRAME-RAW", "Raw frame", "EA", Decimal("60")),
    CatalogueItem("WHEEL-10", "Wheel", "EA", Decimal("38"), purchased=True, units={"BOX": Decimal(10)}),
    CatalogueItem("SADDLE-20", "Saddle", "EA", Decimal("17"), purchased=True),
    CatalogueItem("TUBE-1", "Steel tube", "EA", Decimal("6"), purchased=True),
    CatalogueItem("PAINT-1", "Paint", "KG", Decimal("12.5"), purchased=True),
)

BILLS_OF_MATERIALS = (
    BillOfMaterials("BIKE-100", {"FRAME-200": Decimal(1), "WHEEL-10": Decimal(2), "SADDLE-20": Decimal(1)}),
    BillOfMaterials("FRAME-200", {"FRAME-RAW": Decimal(1), "PAINT-1": Decimal("0.35")}),
    BillOfMaterials("FRAME-RAW", {"TUBE-1": Decimal(4)}),
)

PLANTS: Mapping[str, str] = {"P100": "Assembly Stuttgart", "P200": "Machining Lyon", "P300": "Paint shop Detroit"}

MADE_AT: Mapping[str, str] = {"BIKE-100": "P100", "FRAME-RAW": "P200", "FRAME-200": "P300"}
"""The plant whose completions bring the item into stock."""

OPENING_LOTS: Mapping[str, str] = {
    "FRAME-200": "F-OPEN",
    "FRAME-RAW": "R-OPEN",
    "WHEEL-10": "W-OPEN",
    "SADDLE-20": "S-OPEN",
    "TUBE-1": "T-OPEN",
    "PAINT-1": "PB-OPEN",
}
"""Lots that lie in every plant's store from the start, for issues that name a lot."""


def _opening_stock() -> tuple[OpeningStock, ...]:
    """Every plant holds every item, so that a transfer or an issue from any of them finds stock."""
    lotless = [OpeningStock(plant, item.code, Decimal(100_000)) for plant in PLANTS for item in ITEMS]
    in_lots = [
        OpeningStock(plant, item, Decimal(20_000), lot) for plant in PLANTS for item, lot in OPENING_LOTS.items()
    ]
    return (*lotless, *in_lots)


OPENING_STOCK = _opening_stock()

PURCHASE_ORDERS = tuple(
    PurchaseOrder(
        f"45{plant.removeprefix('P')}0{number:03d}",
        plant,
        tuple((item.code, Decimal(1000)) for item in ITEMS if item.purchased),
    )
    for plant in PLANTS
    for number in range(1, 21)
)
"""Twenty a plant: 451000001 .. 451000020 at P100, 452000001 .. at P200, 453000001 .. at P300.

Line numbers count from 1 in the order of the purchased items: WHEEL-10, SADDLE-20, TUBE-1, PAINT-1."""


def storage_codes(plant: str) -> Mapping[str, str]:
    """The ERP's location codes of one plant by their role."""
    return {
        "input": f"{plant}-IN",
        "stock": f"{plant}-ST",
        "work_in_process": f"{plant}-WIP",
        "output": f"{plant}-OUT",
        "scrap": f"{plant}-SCRAP",
        "lost_found": f"{plant}-LF",
        "production": f"{plant}-PR",
    }
