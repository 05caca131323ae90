"""Of two systems held against each other each planted difference is named, with who lacks what, and no other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal

import pytest

from app.reconcile.compare import Balance, Comparison, Told, compare_two
from app.reconcile.keys import Level
from app.store.session import Store
from tests.flow.planted import NOT_YET, Sides, Spot, both_sides
from tests.flow.planted import Told as Message
from tests.flow.planted_run import AFTER, CUT_OFF, Run, draw_plan
from tests.flow.test_planted_differences import Place, Planted, draw_wrong

pytestmark = pytest.mark.slow

SEEDS = range(1, 2)
Causes = dict[tuple[str, str], tuple[Decimal, tuple[int, ...]]]
Found = dict[Place, tuple[Causes, Decimal]]

# How a message stands at the WMS, which gets all of them, and after the ERP where that is required.
AT_THE_WMS: Mapping[str, str] = {
    **dict.fromkeys(("dead", "reversed"), "dead"),
    **dict.fromkeys(("retried", "item_missing", "order_missing", "held_of_another_unfinished"), "waiting"),
    **dict.fromkeys(("transformed", "enriched"), "in_flight"),
    **dict.fromkeys(AFTER, "timing"),
}


def _at_the_wms(one: Message) -> str | None:
    if one.fate in ("unknown_held", "unknown_lacking"):  # worked on after the cut-off
        return "waiting" if one.is_required else "timing"
    if one.fate == "found_after":
        return "timing" if one.is_required else None
    return AT_THE_WMS.get(one.fate)


def _sides(run: Run) -> dict[str, Sides]:
    by_time = {one.time: one for one in run.plan.told}  # the WMS was sent the releases besides
    held = {code: [by_time[at] for at in books.times if at in by_time] for code, books in run.books.items()}
    erp = [one for one in held["erp"] if one.fate not in NOT_YET]
    wms = [one for one in held["wms"] if _at_the_wms(one) is None]
    return {"erp": both_sides(run.plan.told, erp), "wms": both_sides(run.plan.told, wms, _at_the_wms)}


def _expected(run: Run, sides: Mapping[str, Sides], planted: Planted, level: Level, first: str) -> Found:
    """By plain sums: what is planted is planted in the ERP. What both lack at a place makes no difference there."""
    signs = {code: 1 if code == first else -1 for code in sides}
    stock = {"erp": planted.system(sides["erp"]), "wms": sides["wms"].system}
    differences: dict[Place, Decimal] = defaultdict(Decimal)
    lacking: dict[Place, dict[tuple[int, str, str], Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for code, sign in signs.items():
        for spot, amount in stock[code].items():
            differences[_place(spot, level)] += amount * sign
        for lack in sides[code].lacks:
            lacking[_place(lack.spot, level)][run.ids[lack.number], code, lack.cause] += lack.amount * sign
    strange = {_place(spot, level) for spot in planted.units}
    told: Found = {}
    for place, difference in differences.items():
        if place in strange:
            told[place] = {("", "unit_mismatch"): (difference, ())}, Decimal(0)
        elif difference:
            causes = _by_cause(lacking[place])
            swapped = {"lot_mismatch": planted.lots, "storage_mismatch": planted.storages}
            for cause, amounts in swapped.items():
                if amount := _at(amounts, place, level) * signs["erp"]:
                    causes["", cause] = amount, ()
            told[place] = causes, _at(planted.wrong, place, level) * signs["erp"]
            rest = difference - sum((amount for amount, _ in causes.values()), Decimal(0))
            assert rest == told[place][1], f"the plan itself is wrong: {place}"
    return told


def _by_cause(lacking: Mapping[tuple[int, str, str], Decimal]) -> Causes:
    of_message: dict[int, Decimal] = defaultdict(Decimal)
    for (key, _, _), amount in lacking.items():
        of_message[key] += amount
    sums: dict[tuple[str, str], dict[int, Decimal]] = defaultdict(dict)
    for (key, code, cause), amount in lacking.items():
        if of_message[key] and amount:
            sums[code, cause][key] = amount
    told = {who: (sum(mine.values(), Decimal(0)), tuple(sorted(mine))) for who, mine in sums.items()}
    return {who: one for who, one in told.items() if one[0]}


def _at(amounts: Mapping[Spot, Decimal], place: Place, level: Level) -> Decimal:
    return sum((amount for spot, amount in amounts.items() if _place(spot, level) == place), Decimal(0))


def _place(spot: Spot, level: Level) -> Place:
    return spot[: {Level.ITEM: 2, Level.STORAGE: 3, Level.LOT: 4}[level]]


def _found(comparison: Comparison, level: Level) -> Found:
    told: Found = {}
    for one in comparison.differences:
        place = _place((one.key.plant, one.key.item, one.key.storage, one.key.lot, ""), level)
        causes = {(c.system or "", c.cause.value): (c.quantity, tuple(c.messages)) for c in one.causes}
        assert len(causes) == len(one.causes), "a cause is told twice"
        told[place] = causes, one.unexplained
    return told


def _rows(stock: Mapping[Spot, Decimal], units: Mapping[Spot, Decimal]) -> Sequence[Balance]:
    return [
        Balance(*spot[:4], amount, "PAL" if spot in units else "EA")  # type: ignore[misc]
        for spot, amount in stock.items()
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_every_planted_difference_between_two_systems_is_named_and_no_other(store: Store, seed: int) -> None:
    plan = draw_plan(seed)
    run = Run(store, plan)
    run.carry_out()
    sides = _sides(run)
    planted = draw_wrong(seed, plan, sides["erp"])
    erp = Told("erp", CUT_OFF, _rows(planted.system(sides["erp"]), planted.units))
    wms = Told("wms", CUT_OFF, _rows(sides["wms"].system, {}))

    for level in Level:
        for one, other in ((erp, wms), (wms, erp)):
            with store.reading() as session:
                comparison = compare_two(session, run.line.topology, one, other, level)
            assert comparison.is_whole
            assert _found(comparison, level) == _expected(run, sides, planted, level, one.system)


def test_two_systems_that_have_all_of_it_do_not_differ(store: Store) -> None:
    run = Run(store, draw_plan(1, planted=False))
    run.carry_out()
    sides = _sides(run)

    for level in Level:
        with store.reading() as session:
            erp = Told("erp", CUT_OFF, _rows(sides["erp"].system, {}))
            wms = Told("wms", CUT_OFF, _rows(sides["wms"].system, {}))
            assert compare_two(session, run.line.topology, erp, wms, level).differences == []
