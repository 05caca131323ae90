"""Planted differences are all named, each with its messages and quantity, and none is told that was not planted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random

import pytest

from app.reconcile.compare import Balance, Comparison, compare
from app.reconcile.keys import Level
from app.store.session import Store
from tests.flow.planted import CAUSES, NOT_YET, Sides, Spot, both_sides
from tests.flow.planted_run import CUT_OFF, Plan, Run, draw_plan

pytestmark = pytest.mark.slow

SEEDS = range(1, 4)
Place = tuple[str, ...]
Told = dict[Place, tuple[dict[str, tuple[Decimal, tuple[int, ...]]], Decimal]]
"""By place: each cause with its quantity and messages, and what is unexplained."""


@dataclass
class Planted:
    """What is wrong in the ERP that no message explains."""

    wrong: dict[Spot, Decimal] = field(default_factory=dict)
    lots: dict[Spot, Decimal] = field(default_factory=dict)
    storages: dict[Spot, Decimal] = field(default_factory=dict)
    units: dict[Spot, Decimal] = field(default_factory=dict)
    """Spots that the ERP tells in a unit of its own, and how many of these."""

    def system(self, sides: Sides) -> dict[Spot, Decimal]:
        system = defaultdict(Decimal, sides.system)
        for changes in (self.wrong, self.lots, self.storages):
            for spot, amount in changes.items():
                system[spot] += amount
        return dict(system) | self.units


def draw_wrong(seed: int, plan: Plan, sides: Sides) -> Planted:
    """Wrong balances, swapped lots and storage locations, and strange units, each on items kept for it."""
    random, planted = Random(seed), Planted()
    for pair in plan.roles["wrong"]:
        planted.wrong[(*pair, "ST", "L1", "unrestricted")] = Decimal(random.randint(1, 9)) + Decimal("0.25")
        planted.wrong[(*pair, "WIP", "", "unrestricted")] = -Decimal(random.randint(20, 30)) - Decimal("0.5")
    for pair in plan.roles["lots"]:
        amount = Decimal(random.randint(1, 9))
        planted.lots[(*pair, "ST", "L1", "unrestricted")] = amount
        planted.lots[(*pair, "ST", "L2", "unrestricted")] = -amount
    for pair in plan.roles["storages"]:
        amount = Decimal(random.randint(1, 9))
        planted.storages[(*pair, "ST", "L1", "unrestricted")] = amount
        planted.storages[(*pair, "DOCK", "L1", "unrestricted")] = -amount
    for pair in plan.roles["unit"]:
        spot = next((one for one in sides.system if one[:2] == pair and sides.system[one]), None)
        if spot is not None:
            planted.units[spot] = Decimal(3)
    return planted


def expected(run: Run, sides: Sides, planted: Planted, level: Level) -> Told:
    """What is to be told, by plain sums."""
    system = planted.system(sides)
    differences: dict[Place, Decimal] = defaultdict(Decimal)
    for amounts, sign in ((system, 1), (sides.reported, -1)):
        for spot, amount in amounts.items():
            differences[_place(spot, level)] += amount * sign
    lacking: dict[Place, dict[str, dict[int, Decimal]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(Decimal)))
    for lack in sides.lacks:
        lacking[_place(lack.spot, level)][lack.cause][run.ids[lack.number]] += lack.amount
    strange = {_place(spot, level) for spot in planted.units}
    told: Told = {}
    for place, difference in differences.items():
        if place in strange:
            told[place] = {"unit_mismatch": (difference, ())}, Decimal(0)
        elif difference:
            causes = {cause: _sum(mine) for cause, mine in lacking[place].items()}
            told[place] = _with_the_rest(place, difference, {k: v for k, v in causes.items() if v[0]}, planted, level)
    return told


def _sum(amounts: Mapping[int, Decimal]) -> tuple[Decimal, tuple[int, ...]]:
    return sum(amounts.values(), Decimal(0)), tuple(sorted(key for key, amount in amounts.items() if amount))


def _with_the_rest(
    place: Place,
    difference: Decimal,
    causes: dict[str, tuple[Decimal, tuple[int, ...]]],
    planted: Planted,
    level: Level,
) -> tuple[dict[str, tuple[Decimal, tuple[int, ...]]], Decimal]:
    rests: dict[str, Decimal] = {}
    for name in ("wrong", "lots", "storages"):
        mine = (amount for spot, amount in getattr(planted, name).items() if _place(spot, level) == place)
        rests[name] = sum(mine, Decimal(0))
    swaps = {"lot_mismatch": rests["lots"], "storage_mismatch": rests["storages"]}
    causes |= {name: (amount, ()) for name, amount in swaps.items() if amount}
    assert difference == sum((one[0] for one in causes.values()), rests["wrong"]), f"the plan itself is wrong: {place}"
    return causes, rests["wrong"]


def _place(spot: Spot, level: Level) -> Place:
    return spot[: {Level.ITEM: 2, Level.STORAGE: 3, Level.LOT: 4}[level]]


def found(comparison: Comparison, level: Level) -> Told:
    assert comparison.is_whole
    told: Told = {}
    for one in comparison.differences:
        place = _place((one.key.plant, one.key.item, one.key.storage, one.key.lot, ""), level)
        causes = {cause.cause.value: (cause.quantity, tuple(cause.messages)) for cause in one.causes}
        assert len(causes) == len(one.causes), "a cause is told twice"
        told[place] = causes, one.unexplained
    return told


def _compare(run: Run, system: Mapping[Spot, Decimal], planted: Planted, level: Level) -> Comparison:
    rows = [
        Balance(*spot[:4], amount, "PAL" if spot in planted.units else "EA")  # type: ignore[misc]
        for spot, amount in system.items()
    ]
    with run.store.reading() as session:
        return compare(session, run.line.topology, "erp", rows, CUT_OFF, level)


def _sides(run: Run) -> Sides:
    """The ERP's by what it was sent until the cut-off."""
    by_time = {one.time: one for one in run.plan.told}
    held = [by_time[time] for time in run.erp.times]
    return both_sides(run.plan.told, [one for one in held if one.fate not in NOT_YET])


def test_the_seeds_plant_whatever_can_be_planted() -> None:
    assert {one.fate for seed in SEEDS for one in draw_plan(seed).told} == set(CAUSES)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_planted_difference_is_named_and_no_other(store: Store, seed: int) -> None:
    plan = draw_plan(seed)
    run = Run(store, plan)
    run.carry_out()
    sides = _sides(run)
    planted = draw_wrong(seed, plan, sides)

    for level in Level:
        comparison = _compare(run, planted.system(sides), planted, level)
        wanted = expected(run, sides, planted, level)
        assert found(comparison, level) == wanted
        assert list(comparison.unread) == sorted(run.ids[one.number] for one in plan.told if one.fate == "raw")


def test_where_nothing_is_planted_nothing_differs(store: Store) -> None:
    run = Run(store, draw_plan(1, planted=False))
    run.carry_out()
    sides = _sides(run)

    assert sum(amount != 0 for amount in sides.system.values()) > 50
    for level in Level:
        comparison = _compare(run, sides.system, Planted(), level)
        assert (comparison.differences, comparison.unread) == ([], [])
