"""What the plants of a run report, with all that it must bring about; the same seed gives the same reports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from app.bench.practice_systems import BIN_TAKES, ERP, LOCKED_ITEM, MES, WMS
from app.demo.catalogue import MADE_AT, storage_codes
from app.demo.shift_reports import BASE_UNITS, PARTS
from app.postings.plan import posting_key, reversal_key

PLANTS = ("P100", "P200", "P300")
SOURCE, FILES_SOURCE, FILES_PLANT = "mes", "legacy-p300", "P300"
RELEASED, COMPLETED, ISSUED = "production.order.released.v1", "production.completed.v1", "material.issued.v1"
MOVED, RECEIVED, ITEM_CHANGED = "inventory.moved.v1", "receipt.recorded.v1", "item.changed.v1"

TARGETS: Mapping[str, tuple[str, ...]] = {
    RELEASED: (MES,),
    COMPLETED: (ERP, WMS),
    ISSUED: (ERP,),
    MOVED: (ERP, WMS),
    RECEIVED: (ERP, WMS),
    ITEM_CHANGED: (),
}
"""Which systems hold a document of each type in the end; the topology routes them so."""

TRYTON_PLANT = "P200"
IN_TRYTON = (COMPLETED, ISSUED)
"""Where a run has a Tryton, it stands for the practice ERP in these types of this plant."""

GENERATIONS = 4
"""So many times a message may have been posted and reversed; more than a run can bring about."""

BEGIN = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
REPORTS_AN_ORDER = 3
LOTS_A_PLANT = 6

Deltas = Mapping[tuple[str, str], int]


@dataclass(frozen=True)
class Report:
    """One message. ``rank`` is its place within its key; without a key it may take effect at any time. ``deltas`` is
    what it does to its ERP's stock. ``erp`` is TRYTON where that stands for the practice ERP. ``refused_by`` names the
    target that will not take it: it ends dead with that reason, and what another had taken by then is reversed."""

    plant: str
    source: str
    id: str
    type: str
    data: Mapping[str, Any]
    key: str | None = None
    rank: int = 0
    deltas: Deltas = field(default_factory=dict)
    erp: str = ERP
    refused_by: str = ""

    @property
    def name(self) -> tuple[str, str]:
        """What no other message has."""
        return self.source, self.id

    def targets(self) -> tuple[str, ...]:
        return tuple(self.erp if target == ERP else target for target in TARGETS[self.type])

    def effects(self) -> dict[str, str]:
        """The posting key that each of its targets must hold once, unless a reversal came between."""
        return {target: posting_key(self.source, self.id, 0, target) for target in self.targets()}

    def keys(self, target: str) -> list[tuple[str, str]]:
        """Each posting key that it may ever have had at this target, the first one first, with its reversal's."""
        keys = [posting_key(self.source, self.id, 0, target, generation) for generation in range(GENERATIONS)]
        return [(key, reversal_key(key)) for key in keys]


@dataclass
class Plant:
    """Reports of one plant, in the order in which things happened there."""

    code: str
    random: Random
    seed: int
    count: int = 0
    orders: int = 0
    lot_ranks: dict[str, int] = field(default_factory=dict)

    def next_id(self) -> str:
        self.count += 1
        return f"{self.code}-{self.seed}-{self.count}"

    def at(self) -> datetime:
        return BEGIN + timedelta(seconds=self.count)

    def stock(self) -> str:
        return storage_codes(self.code)["stock"]

    def report(self, type_: str, data: Mapping[str, Any], **more: Any) -> Report:
        number = self.next_id()
        instant = self.at().isoformat().replace("+00:00", "Z")
        return Report(self.code, SOURCE, number, type_, {"event_time": instant, **data}, **more)


def _quantity(item: str, amount: int) -> dict[str, str]:
    return {"value": str(amount), "uom": BASE_UNITS.get(item, "EA")}


def order_reports(plant: Plant, erp: str = ERP, refused_by: str = "") -> Iterator[Report]:
    """A release, and several issues and completions in turn; the last completion is final, and the one that is refused
    where that is wanted, so that it holds nothing of its key."""
    plant.orders += 1
    item = next(code for code, where in MADE_AT.items() if where == plant.code)
    order, stock = f"{plant.code[1]}{plant.seed % 10_000:04d}{plant.orders:05d}", plant.stock()
    key = f"order:{order}"
    yield plant.report(RELEASED, {"order_id": order, "item": item, "quantity": _quantity(item, 30)}, key=key, rank=1)
    for number in range(REPORTS_AN_ORDER):
        part, amount = sorted(PARTS[item])[number % len(PARTS[item])], plant.random.randrange(1, 9)
        used = {"order_id": order, "components": [{"item": part, "quantity": _quantity(part, amount)}]}
        yield plant.report(ISSUED, used, key=key, rank=2 + 2 * number, deltas={(stock, part): -amount}, erp=erp)
        final = number + 1 == REPORTS_AN_ORDER
        refusing = refused_by if final else ""
        amount += BIN_TAKES if refusing else 0
        made = {"order_id": order, "outputs": [{"item": item, "quantity": _quantity(item, amount)}], "final": final}
        deltas, rank = {(stock, item): amount}, 3 + 2 * number
        yield plant.report(COMPLETED, made, key=key, rank=rank, deltas=deltas, erp=erp, refused_by=refusing)


def move(plant: Plant, item: str = "", with_lot: bool = True) -> Report:
    """From the store to the line or back. Those of one lot take effect in their order."""
    codes = storage_codes(plant.code)
    ends = [codes["stock"], codes["work_in_process"]]
    plant.random.shuffle(ends)
    item, amount = item or plant.random.choice(sorted(BASE_UNITS)), plant.random.randrange(1, 20)
    deltas = {(ends[0], item): -amount, (ends[1], item): amount}
    data: dict[str, Any] = {"item": item, "quantity": _quantity(item, amount)}
    data |= {"from": {"storage": ends[0]}, "to": {"storage": ends[1]}}
    if not with_lot:
        return plant.report(MOVED, data, deltas=deltas)
    lot = f"{plant.code}-L{plant.random.randrange(LOTS_A_PLANT)}"
    rank = plant.lot_ranks[lot] = plant.lot_ranks.get(lot, 0) + 1
    return plant.report(MOVED, {**data, "lot": lot}, key=f"lot:{lot}", rank=rank, deltas=deltas)


def receipt(plant: Plant) -> Report:
    item, amount = plant.random.choice(sorted(BASE_UNITS)), plant.random.randrange(1, 50)
    order = {"type": "purchase_order", "id": f"45{plant.count:06d}", "line": "1"}
    came = {"received": _quantity(item, amount), "accepted": _quantity(item, amount), "rejected": _quantity(item, 0)}
    data = {"document_ref": order, "item": item, **came}
    return plant.report(RECEIVED, data, deltas={(plant.stock(), item): amount})


def refused_move(plant: Plant) -> Report:
    """The ERP has this item locked."""
    return replace(move(plant, LOCKED_ITEM, with_lot=False), refused_by=ERP)


def reversed_move(plant: Plant) -> Report:
    """The ERP has booked it when the WMS refuses it."""
    made = move(plant, with_lot=False)
    much = _quantity(made.data["item"], BIN_TAKES + plant.random.randrange(1, 20))
    return replace(made, data={**made.data, "quantity": much}, refused_by=WMS)


def item_description(plant: Plant, item: str) -> Report:
    described = {"item": item, "description": f"Practice item {item}", "base_uom": BASE_UNITS.get(item, "EA")}
    return plant.report(ITEM_CHANGED, described)


def quantity_of(report: Report) -> Decimal:
    return Decimal(report.data["quantity"]["value"])
