"""Whatever a system says it has, the causes of a difference and what is unexplained add up to it."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.reconcile.compare import Balance, compare
from app.reconcile.keys import Level
from app.store.session import Store
from tests.flow.planted import ITEMS, PLANTS, USUAL
from tests.flow.planted_run import CUT_OFF, Run, draw_plan

pytestmark = pytest.mark.slow

SMALL = st.builds(lambda tenths: Decimal(tenths) / 10, st.integers(-600, 600))
BALANCES = st.lists(
    st.builds(
        Balance,
        st.sampled_from(PLANTS),
        st.sampled_from(ITEMS),
        st.sampled_from(("ST", "WIP", "DOCK", USUAL, "")),
        st.sampled_from(("", "L1", "L2")),
        SMALL,
        st.sampled_from(("EA", "EA", "EA", "BOX", "PAL")),
    ),
    max_size=30,
)


@pytest.fixture
def run(sqlite_store: Store) -> Run:
    run = Run(sqlite_store, draw_plan(1))
    run.carry_out()
    return run


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(balances=BALANCES, level=st.sampled_from(Level))
def test_causes_and_what_is_unexplained_are_the_difference(run: Run, balances: list[Balance], level: Level) -> None:
    with run.store.reading() as session:
        comparison = compare(session, run.line.topology, "erp", balances, CUT_OFF, level)
        nothing = compare(session, run.line.topology, "erp", [], CUT_OFF, level)

    told: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for one in balances:
        told[one.plant, one.item] += one.value * (10 if one.uom == "BOX" else 1)
    for found in nothing.differences:
        told[found.key.plant, found.key.item] -= found.reported
    explained: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for found in comparison.differences:
        assert len({cause.cause for cause in found.causes}) == len(found.causes)
        explained[found.key.plant, found.key.item] += sum((c.quantity for c in found.causes), found.unexplained)
    assert {k: v for k, v in explained.items() if v} == {k: v for k, v in told.items() if v}
