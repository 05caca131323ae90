"""The sample shift: the same for the same run, new for another, and right in every plant's own format."""

from __future__ import annotations

import io
import os
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from app.completeness.keeping import keep_books
from app.demo.practice import NoDemonstration, practice_targets
from app.demo.shift import LAST_RUN, LEGACY, Sending, sample_shift
from app.intake.context import Intake
from app.intake.placing import place_file
from app.intake.watcher import watcher_for
from app.store.completeness_tables import SourceNumbers
from app.store.exception_tables import BusinessException
from app.store.session import Store
from app.store.source_notes import file_series
from config.settings import load_settings
from config.topology_file import load_topology
from mappings.canonical import contract
from mappings.context import Deviations, InboundContext, MappingError, PlantFacts
from mappings.formats import delimited, fixed_width
from mappings.formats.lines import BadRow
from mappings.registry import INBOUND

pytestmark = pytest.mark.slow

ENDS_AT = datetime(2026, 3, 2, 22, 0, tzinfo=UTC)
TOPOLOGY = load_topology(None)
READERS = {"csv": delimited.open_rows, "fixed_width": fixed_width.open_rows}


def context(source: str, plant: str) -> InboundContext:
    place, sender = TOPOLOGY.plants[plant], TOPOLOGY.sources[source]
    facts = PlantFacts(place.code, place.name, place.timezone, place.options)
    return InboundContext(facts, source, "id", ENDS_AT, sender.units, sender.options)


def fault_of(sending: Sending) -> str | None:
    """The code of what its mapping refuses; None where it becomes canonical events that keep their contract."""
    if contract.is_canonical(sending.message.type):
        return None
    mapping = INBOUND[TOPOLOGY.sources[sending.source].mapping, sending.message.type]
    try:
        events = mapping.to_canonical(
            mapping.read(sending.message.body, Deviations()), context(sending.source, sending.plant)
        )
        for event in events:
            contract.validate(event.type, event.data)
    except MappingError as error:
        return error.code
    return None


@given(st.integers(1, LAST_RUN))
def test_the_same_run_gives_the_same_bytes(run: int) -> None:
    assert sample_shift(run, ENDS_AT) == sample_shift(run, ENDS_AT)


@given(st.integers(1, LAST_RUN - 1), st.integers(1, 50))
def test_two_runs_share_no_message_id_and_no_file(run: int, step: int) -> None:
    first, second = sample_shift(run, ENDS_AT), sample_shift(min(LAST_RUN, run + step), ENDS_AT)

    ids = [{sending.message_id for sending in shift.reports} for shift in (first, second)]
    files = [{drop.name for drop in shift.files} for shift in (first, second)]
    assert not ids[0] & ids[1]
    assert not files[0] & files[1]


@pytest.mark.parametrize("run", [0, LAST_RUN + 1])
def test_a_run_that_ids_have_no_room_for_is_refused(run: int) -> None:
    with pytest.raises(ValueError, match="between 1 and"):
        sample_shift(run, ENDS_AT)


@pytest.mark.slow
@given(st.integers(1, LAST_RUN))
def test_each_plants_reports_are_good_but_for_one_unit(run: int) -> None:
    shift = sample_shift(run, ENDS_AT)

    faults = Counter((sending.plant, fault_of(sending)) for sending in shift.reports)

    assert {key: number for key, number in faults.items() if key[1]} == {
        ("P100", "unit_unknown"): 1,
        ("P200", "unit_unknown"): 1,
    }


@given(st.integers(1, LAST_RUN))
def test_the_dropped_files_are_good_but_for_one_row_and_one_movement(run: int) -> None:
    told: list[str] = []
    for drop in sample_shift(run, ENDS_AT).files:
        kind = next(kind for kind in TOPOLOGY.sources[LEGACY].files if kind.pattern[:4] == drop.name[:4])
        rows = list(READERS[kind.format](io.BytesIO(drop.body), kind.options, 0))
        assert sum(not isinstance(row, BadRow) for row in rows) == drop.good_rows
        for row in rows:
            if isinstance(row, BadRow):
                told.append("bad row")
                continue
            try:
                INBOUND["legacy_files", kind.type].to_canonical(row.values, context(LEGACY, "P300"))
            except MappingError as error:
                told.append(error.code)

    assert sorted(told) == ["bad row", "movement_unknown"]


def test_one_message_is_sent_twice() -> None:
    shift = sample_shift(1, ENDS_AT)

    (repeat,) = [sending for sending in shift.reports if sending.repeats]

    first = next(sending for sending in shift.reports if sending.message_id == repeat.message_id)
    assert first.message == repeat.message
    assert shift.new_reports().total() == len(shift.reports) - 1 + sum(drop.good_rows for drop in shift.files)


def test_the_orders_releases_are_new_messages_of_their_plants() -> None:
    shift = sample_shift(1, ENDS_AT)

    assert shift.new_messages() == {"P100": 34, "P200": 22, "P300": 34}
    assert shift.new_messages() - shift.new_reports() == Counter(order.plant for order in shift.orders)


def test_a_topology_that_reads_no_orders_cannot_be_demonstrated() -> None:
    unread = {code: replace(source, reads=()) for code, source in TOPOLOGY.sources.items()}

    with pytest.raises(NoDemonstration, match="no source reads them"):
        practice_targets(replace(TOPOLOGY, sources=unread))


def test_the_files_of_two_shifts_days_apart_add_up_and_none_is_missing(sqlite_store: Store, tmp_path: Path) -> None:
    settings = load_settings({"LINESIDE_HOME": str(tmp_path)})
    watcher = watcher_for(settings, TOPOLOGY, Intake(sqlite_store, lambda *_: None, lambda: ENDS_AT))
    for run, days in ((LAST_RUN, 0), (1, 3)):
        for drop in sample_shift(run, ENDS_AT + timedelta(days=days)).files:
            path = place_file(settings.drop_dir / drop.source / "in", drop.name, drop.body)
            os.utime(path, (0, 0))
        watcher.look()
        for minutes in (0, 10):
            keep_books(sqlite_store, TOPOLOGY, ENDS_AT + timedelta(days=days, minutes=minutes), was_away=True)

    with sqlite_store.reading() as session:
        told = [each.message for each in session.scalars(select(BusinessException))]
        book = session.get(SourceNumbers, (LEGACY, "P300", file_series("MOVE*.txt")))
    assert told == []
    assert book is not None
    assert [span[:2] for span in book.book["spans"]] == [[LAST_RUN, LAST_RUN + 1]]
