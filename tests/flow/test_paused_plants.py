"""A paused plant takes everything and works on nothing; resumed, it goes on where it was."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from app.adapters.base import PostingRequest, TargetAnswer
from app.pipeline.context import Pipeline
from app.pipeline.enrich import enrich_due
from app.pipeline.post import post_due
from app.pipeline.relay import Relay
from app.pipeline.transform import transform_due
from app.postings.pauses import pause_plant, resume_plant
from app.store.session import Store
from tests.factories import NOON, accept, know_items, move_event, pipeline, run_once
from tests.fakes import Books
from tests.reading import message, states


class Permits:
    """Stands where the dispatcher stands; every queue is empty."""

    def __init__(self) -> None:
        self.plants: list[str] = []

    def depths(self, queues: list[str]) -> dict[str, int]:
        return dict.fromkeys(queues, 0)

    def send_permits(self, plant: str, step: str, count: int) -> bool:
        self.plants.append(plant)
        return True

    def mirror_dead(self, plant: str, bodies: object, replace: bool) -> None:
        return None


def pause(line: Pipeline, plant: str = "P100") -> None:
    with line.store.writing() as session:
        assert pause_plant(session, plant, "stocktaking", NOON, "ada")


def resume(line: Pipeline, plant: str = "P100") -> None:
    with line.store.writing() as session:
        assert resume_plant(session, plant)


def test_a_paused_plant_stands_still_at_every_step_and_others_go_on(store: Store) -> None:
    books = Books()
    know_items(store)
    line = pipeline(store, {"erp": books})
    enriched, transformed, received = (accept(store, move_event(f"m{n}"))[0] for n in range(3))
    for key, steps in ((enriched, 2), (transformed, 1)):
        for step in (transform_due, enrich_due)[:steps]:
            step(line, "P100", 1)
        assert states(store, key) == [("transformed", "enriched")[steps - 1]]
    (other,) = accept(store, move_event("o", plant="P200"))

    pause(line)
    assert run_once(line) == []
    assert run_once(line, "P200") == [other]
    still = states(store, enriched, transformed, received)
    resume(line)
    run_once(line)
    run_once(line)

    assert still == ["enriched", "transformed", "received"]
    assert states(store, enriched, transformed, received) == ["posted"] * 3


def test_no_permit_is_sent_for_a_paused_plant(store: Store) -> None:
    line = pipeline(store, {"erp": Books()})
    permits = Permits()
    relay = Relay(line, permits, 100)  # type: ignore[arg-type]
    accept(store, move_event("m1"), move_event("m2", plant="P200"))

    pause(line)
    relay.tick()
    paused = list(permits.plants)
    resume(line)
    relay.tick()

    assert paused == ["P200"]
    assert "P100" in permits.plants


def test_a_pause_holds_from_the_next_call_on(store: Store) -> None:
    class Pausing(Books):
        """The plant is paused while it takes the first document."""

        def post(self, request: PostingRequest) -> TargetAnswer:
            with ThreadPoolExecutor(1) as pool:
                pool.submit(pause, line).result(10)
            return super().post(request)

    books = Pausing()
    know_items(store)
    line = pipeline(store, {"erp": books})
    first, second = accept(store, move_event("m1", lot="A"), move_event("m2", lot="A"))
    transform_due(line, "P100", 10)
    enrich_due(line, "P100", 10)

    post_due(line, "P100", 10)

    found = message(store, second)
    assert states(store, first, second) == ["posted", "enriched"]
    assert (found.lease_token, found.attempts) == (None, 0)
