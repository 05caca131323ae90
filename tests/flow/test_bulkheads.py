"""A hung target of one plant leaves another plant's latency as it was; with Lineside's own processes."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from app.clock import utc_now
from app.demo.doubles import PracticeDouble
from app.inbox.lanes import ensure_lanes
from app.projections.items import save_items
from app.store.postings_tables import Posting
from tests.factories import accept, move_event
from tests.flow import stack as stacks
from tests.flow.stack import Stack, running_stack
from tests.reading import states

pytestmark = [pytest.mark.services, pytest.mark.slow]

OWN_TARGETS = """routes:
  - {{type: inventory.moved.v1, plants: [TA], targets: [{{target: wms}}]}}
  - {{type: inventory.moved.v1, plants: [TB], targets: [{{target: other}}]}}
"""
PROBES = 6
# A message now and then meets the relay's second; a thread that is held is held for the target's time-out.
RATIO, AT_LEAST_SECONDS = 6.0, 2.5


def _topology(other_url: str) -> str:
    """Each plant has a target of its own, which takes as long as an ERP may take before it is given up."""
    head, _, targets = stacks.TOPOLOGY.partition("targets:\n")
    target = targets[: targets.index("routes:")].replace("timeout_seconds: 3", "timeout_seconds: 20")
    other = target.replace("code: wms", "code: other", 1).replace("url: {url}", f"url: {other_url}")
    return f"{head}targets:\n{target}{other}{OWN_TARGETS}"


def test_a_hung_target_of_one_plant_leaves_another_plants_latency_as_it_was(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = PracticeDouble("other", tmp_path, "wms-key-for-tests").start()
    monkeypatch.setattr(stacks, "TOPOLOGY", _topology(other.url))
    try:
        with running_stack(tmp_path, sqlite_url, "valkey") as stack:
            with stack.store.writing() as session:
                ensure_lanes(session, [(plant.code, plant.lanes) for plant in stack.topology.plants.values()])
                items = [{"code": "WHEEL-10", "description": "Wheel", "base_uom": "EA", "units": {}}]
                save_items(session, items, "erp", utc_now())
            hung, well = stack.plants
            stack.start("work", "post", "relay")
            stack.start_beat()
            _latency(stack, well, "warm")

            calm = [_latency(stack, well, f"calm-{n}") for n in range(PROBES)]
            stack.wms.misbehave(next=100_000, method="POST", delay_seconds=600.0)
            _send(stack, hung, *(f"hung-{n}" for n in range(200)))
            stack.wait_until(lambda: _under_way(stack, hung), what="a call that hangs")
            beside = [_latency(stack, well, f"beside-{n}") for n in range(PROBES)]
            stack.wms.misbehave()

            assert statistics.median(beside) <= max(AT_LEAST_SECONDS, RATIO * statistics.median(calm)), (calm, beside)
    finally:
        other.stop()


def _under_way(stack: Stack, plant: str) -> bool:
    query = select(Posting.id).where(Posting.plant == plant, Posting.state == "sending").limit(1)
    with stack.store.reading() as session:
        return session.execute(query).first() is not None


def _send(stack: Stack, plant: str, *names: str) -> list[int]:
    ids = accept(stack.store, *(move_event(name, plant=plant) for name in names), at=utc_now())
    stack.dispatcher.nudge(plant, len(ids))
    return ids


def _latency(stack: Stack, plant: str, name: str) -> float:
    began = time.monotonic()
    ids = _send(stack, plant, name)
    stack.wait_until(lambda: states(stack.store, *ids) == ["posted"], seconds=40, what=f"{name} posted")
    return time.monotonic() - began
