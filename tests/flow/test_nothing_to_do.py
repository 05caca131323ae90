"""A message that is sound and tells nothing that anybody waits for is posted without an effect, and says why."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from app.mapping_changes.comparing import Today, outcome_now
from app.mapping_changes.stored_messages import stored_message
from app.projections.effects import behind
from app.projections.projector import project, rebuild
from app.store.messages_tables import TimelineEntry
from app.store.postings_tables import Posting
from app.store.session import Store
from tests.factories import NOON, accept, incoming, know_items, pipeline, release, run_once
from tests.fakes import Books, Clock
from tests.idocs import FlatIdoc
from tests.reading import message, states

pytestmark = pytest.mark.slow


def sap_order(message_id: str, state: str, **fields: str) -> object:
    flat = FlatIdoc("LOIPRO", CREDAT="20260302", CRETIM="080000")
    flat.add("E2AFKOL", AUFNR="000000001000", GAMNG="10.000", GMEIN="ST").add("E2JSTKL", STAT=state)
    body = flat.add("E2AFPOL", POSNR="0001", MATNR="BIKE-100").body()
    return replace(incoming(message_id, "idoc.LOIPRO", {}), body=body, content_type="text/plain", **fields)  # type: ignore[arg-type]


def test_an_order_that_is_not_released_yet_is_posted_without_an_effect_and_its_release_follows(store: Store) -> None:
    erp = Books()
    line = pipeline(store, {"erp": erp}, Clock(NOON))
    sap = replace(line.topology.sources["mes"], mapping="sap_idoc", units={"ST": "EA"})
    line = replace(line, topology=replace(line.topology, sources={"mes": sap}))
    know_items(store)
    created, released = accept(store, sap_order("i1", "I0001"), sap_order("i2", "I0002"))  # type: ignore[arg-type]

    run_once(line)

    assert states(store, created, released) == ["posted", "posted"]
    assert [document["data"]["order_id"] for document in erp.documents] == ["1000"]
    notes = select(TimelineEntry.note).where(TimelineEntry.message_id == created, TimelineEntry.note.is_not(None))
    with store.reading() as session:
        assert session.scalars(notes).all() == [
            "Nothing to do: order 1000 is created and not released (I0001); SAP sends it again at its release."
        ]
        assert session.scalars(select(Posting.message_id)).all() == [released]


def test_it_keeps_the_place_that_its_sender_gave_it_and_holds_nobody(sqlite_store: Store) -> None:
    line = pipeline(sqlite_store, {"erp": Books()}, Clock(NOON))
    sap = replace(line.topology.sources["mes"], mapping="sap_idoc", units={"ST": "EA"})
    line = replace(line, topology=replace(line.topology, sources={"mes": sap}))
    know_items(sqlite_store)
    (created,) = accept(sqlite_store, sap_order("i1", "I0001", sequence="7"))  # type: ignore[arg-type]
    (other,) = accept(sqlite_store, release(sequence="8"))
    run_once(line)

    assert states(sqlite_store, created, other) == ["posted", "posted"]
    found = message(sqlite_store, created)
    assert (found.key_rank.lstrip("0"), found.ordering_key) == ("7", None)


def test_what_came_to_nothing_is_compared_as_no_events(sqlite_store: Store) -> None:
    line = pipeline(sqlite_store, {"erp": Books()}, Clock(NOON))
    sap = replace(line.topology.sources["mes"], mapping="sap_idoc", units={"ST": "EA"})
    line = replace(line, topology=replace(line.topology, sources={"mes": sap}))
    (created,) = accept(sqlite_store, sap_order("i1", "I0001"))  # type: ignore[arg-type]
    run_once(line)

    stored = stored_message(sqlite_store, created)

    assert stored is not None
    assert stored.before == outcome_now(Today(line.topology), stored) == []


def test_the_picture_is_built_anew_past_what_came_to_nothing(sqlite_store: Store) -> None:
    line = pipeline(sqlite_store, {"erp": Books()}, Clock(NOON))
    sap = replace(line.topology.sources["mes"], mapping="sap_idoc", units={"ST": "EA"})
    line = replace(line, topology=replace(line.topology, sources={"mes": sap}))
    accept(sqlite_store, sap_order("i1", "I0001"))  # type: ignore[arg-type]
    run_once(line)

    project(sqlite_store, line.clock, 10.0)
    rebuild(sqlite_store, NOON)
    project(sqlite_store, line.clock, 10.0)

    with sqlite_store.reading() as session:
        found = behind(session)
    assert (found.messages, found.faults) == (0, 0)
