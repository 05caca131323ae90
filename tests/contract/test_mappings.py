"""Every registered mapping keeps what mappings promise.

Golden pairs stand under ``tests/golden/<family>/<type>/<case>/``: ``input.json`` (or ``.xml``) and ``expected.json``.
An inbound input is the source's own body and its expectation the list of events, or ``refused.json`` (``code``,
``field``) instead; an outbound input is an event
(``{"type", "data"}``, and ``plant`` and ``options`` where the case needs its own), its expectation the document, or
null where the target has nothing to do. ``context.json`` of an inbound case, or of its family, says for which plant,
in which zone and with which units (and ``options``, ``strict``, ``crosswalks``, ``plant_options``) it is read.
"""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mappings.canonical import contract
from mappings.context import (
    Crosswalks,
    Deviations,
    Event,
    InboundContext,
    ItemFacts,
    MappingError,
    NothingToDo,
    OutboundContext,
    PlantFacts,
)
from mappings.registry import INBOUND, OUTBOUND, modules_behind

GOLDEN = Path(__file__).parent.parent / "golden"

ZONES = {"P100": "Europe/Berlin", "P200": "Europe/Paris", "P300": "America/Detroit"}
UNITS = {"WHEEL-10": {"BOX": Decimal(10)}}
ITEMS = {
    code: ItemFacts(code, f"{code} in words", "KG" if code == "PAINT-1" else "EA", UNITS.get(code, {}))
    for code in ("BIKE-100", "FRAME-200", "FRAME-RAW", "WHEEL-10", "SADDLE-20", "TUBE-1", "PAINT-1")
}


def plant(code: str) -> PlantFacts:
    return PlantFacts(code, code, ZONES[code], {"storage": f"{code}-ST", "site": code})


def told_context(family: str, path: Path | None = None) -> dict[str, Any]:
    own = path.parent / "context.json" if path else GOLDEN
    told: dict[str, Any] = json.loads((own if own.is_file() else GOLDEN / family / "context.json").read_text("utf-8"))
    return told


def inbound_context(family: str, path: Path | None = None) -> InboundContext:
    told = told_context(family, path)
    code = told["plant"]
    usual = {"storage": f"{code}-ST", "site": code}
    facts = PlantFacts(code, code, told["timezone"], told.get("plant_options", usual))
    tables = told.get("crosswalks", {})
    return InboundContext(
        plant=facts,
        source=f"source of {family}",
        source_message_id="message-1",
        received_at=datetime(2026, 1, 1, tzinfo=UTC),
        units=told["units"],
        options=told.get("options", {}),
        deviations=deviations(family, path),
        crosswalks=Crosswalks(family, tables.keys(), tables),
    )


def deviations(family: str, path: Path | None = None) -> Deviations:
    return Deviations(strict=told_context(family, path).get("strict", False))


def outbound_context(family: str, case: dict[str, Any]) -> OutboundContext:
    facts = plant(case.get("plant", "P300" if family == "legacy_erp" else "P100"))
    return OutboundContext(facts, family, "LSABCDEFGHIJKLMNOPQRSTUVWX", ITEMS, case.get("options", {}))


def cases(family: str, kind: str, outcome: str = "expected.json") -> list[Path]:
    """The inputs whose expectation has this name."""
    return sorted(path for path in (GOLDEN / family / kind).glob("*/input.*") if (path.parent / outcome).is_file())


def every_case(registry: dict[tuple[str, str], Any], outcome: str = "expected.json") -> list[Any]:
    return [
        pytest.param(family, kind, path, id=f"{family}-{kind}-{path.parent.name}")
        for family, kind in registry
        for path in cases(family, kind, outcome)
    ]


def expected(path: Path) -> Any:
    return json.loads((path.parent / "expected.json").read_text("utf-8"))


@pytest.mark.parametrize(("family", "kind"), [*INBOUND, *OUTBOUND])
def test_every_registered_mapping_has_a_golden_pair(family: str, kind: str) -> None:
    assert cases(family, kind), f"put input and expected.json into tests/golden/{family}/{kind}/<case>/"


def test_every_golden_pair_belongs_to_a_registered_mapping() -> None:
    registered = {*INBOUND, *OUTBOUND}
    families = {family for family, _ in registered}

    strays = [
        path
        for path in GOLDEN.glob("*/*/*/input.*")
        if path.parts[-4] in families and (path.parts[-4], path.parts[-3]) not in registered
    ]

    assert strays == []


@pytest.mark.parametrize(("family", "kind", "path"), every_case(INBOUND))
def test_an_inbound_message_becomes_the_events_of_its_golden_pair(family: str, kind: str, path: Path) -> None:
    mapping = INBOUND[family, kind]

    payload = mapping.read(path.read_bytes(), deviations(family, path))
    events = mapping.to_canonical(payload, inbound_context(family, path))

    assert [{"type": event.type, "data": event.data} for event in events] == expected(path)


@pytest.mark.parametrize(("family", "kind", "path"), every_case(INBOUND))
def test_mapped_events_are_already_in_normalised_form(family: str, kind: str, path: Path) -> None:
    mapping = INBOUND[family, kind]

    payload = mapping.read(path.read_bytes(), deviations(family, path))
    events = mapping.to_canonical(payload, inbound_context(family, path))

    assert [contract.validate(event.type, event.data) for event in events] == [event.data for event in events]


def mapped_whole(family: str, kind: str, path: Path) -> list[dict[str, Any]]:
    """As the pipeline maps it, the check of the contract and of an empty result with it."""
    mapping = INBOUND[family, kind]
    payload = mapping.read(path.read_bytes(), deviations(family, path))
    events = [contract.validate(e.type, e.data) for e in mapping.to_canonical(payload, inbound_context(family, path))]
    if not events:
        raise MappingError("no_event", "the mapping makes nothing of it")
    return events


@pytest.mark.parametrize(("family", "kind", "path"), every_case(INBOUND, "refused.json"))
def test_an_inbound_message_is_refused_as_its_golden_pair_says(family: str, kind: str, path: Path) -> None:
    told = json.loads((path.parent / "refused.json").read_text("utf-8"))

    with pytest.raises(MappingError) as caught:
        mapped_whole(family, kind, path)

    assert {"code": caught.value.code, "field": caught.value.field} == told


def test_every_golden_input_has_one_expectation() -> None:
    unlike = [
        path
        for path in GOLDEN.glob("*/*/*/input.*")
        if (path.parent / "expected.json").is_file() == (path.parent / "refused.json").is_file()
    ]

    assert unlike == []


@pytest.mark.parametrize(("family", "kind", "path"), every_case(OUTBOUND))
def test_an_event_becomes_the_document_of_its_golden_pair(family: str, kind: str, path: Path) -> None:
    case = json.loads(path.read_text("utf-8"))
    event = Event(case["type"], contract.validate(case["type"], case["data"]))

    document = OUTBOUND[family, kind].to_document(event, outbound_context(family, case))

    assert json.loads(json.dumps(document)) == expected(path)


@pytest.mark.parametrize(("family", "kind", "path"), every_case(OUTBOUND))
def test_a_mapping_leaves_its_event_as_it_was(family: str, kind: str, path: Path) -> None:
    case = json.loads(path.read_text("utf-8"))
    event = Event(case["type"], contract.validate(case["type"], case["data"]))
    before = copy.deepcopy(event)

    OUTBOUND[family, kind].to_document(event, outbound_context(family, case))

    assert event == before


def tells_units(family: str, kind: str) -> bool:
    return any("uom" in (path.parent / "expected.json").read_text("utf-8") for path in cases(family, kind)[-1:])


@pytest.mark.parametrize(("family", "kind"), [key for key in INBOUND if tells_units(*key)])
def test_an_unknown_unit_is_refused_with_its_place(family: str, kind: str) -> None:
    mapping = INBOUND[family, kind]
    path = cases(family, kind)[-1]
    context = inbound_context(family)
    foreign = InboundContext(context.plant, context.source, "m", context.received_at, {"FURLONG": "FUR"})

    with pytest.raises(MappingError) as caught:
        mapping.to_canonical(mapping.read(path.read_bytes(), Deviations()), foreign)

    assert caught.value.code == "unit_unknown"
    assert caught.value.field


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=True) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a payload, the payload itself included."""
    yield path
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in members:
        yield from places(inner, (*path, key))


def with_value(payload: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    changed = copy.deepcopy(payload)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return changed


def mapped_or_refused(events: Callable[[], Sequence[Event]]) -> list[Any]:
    """Events that keep their contract, or the reason of a refusal, or why there is nothing to do; any other error
    passes through and fails."""
    try:
        found = events()
        if isinstance(found, NothingToDo):
            return [found.reason]
        return [contract.validate(event.type, event.data) for event in found]
    except MappingError as error:
        return [error.code and error.reason]


@pytest.mark.slow
@pytest.mark.parametrize(("family", "kind"), list(INBOUND))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_payload_with_any_value_in_any_place_is_mapped_or_refused(family: str, kind: str, data: Any) -> None:
    mapping = INBOUND[family, kind]
    path = data.draw(st.sampled_from(cases(family, kind)))
    payload = mapping.read(path.read_bytes(), Deviations())
    place = data.draw(st.sampled_from(list(places(payload))))
    changed = with_value(payload, place, data.draw(JSON_VALUES))

    events = mapped_or_refused(lambda: mapping.to_canonical(changed, inbound_context(family)))

    assert events
    assert all(events)


@pytest.mark.slow
@pytest.mark.parametrize(("family", "kind"), list(INBOUND))
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_body_of_any_bytes_is_mapped_or_refused(family: str, kind: str, data: Any) -> None:
    mapping = INBOUND[family, kind]
    whole = data.draw(st.sampled_from(cases(family, kind))).read_bytes()
    cut = data.draw(st.integers(0, len(whole)))
    body = data.draw(st.sampled_from([whole[:cut], whole[cut:]])) + data.draw(st.binary(max_size=20))

    events = mapped_or_refused(lambda: mapping.to_canonical(mapping.read(body, Deviations()), inbound_context(family)))

    assert events
    assert all(events)


@pytest.mark.parametrize("key", [*INBOUND, *OUTBOUND])
def test_a_mapping_has_the_same_version_wherever_it_runs(key: tuple[str, str]) -> None:
    mapping = INBOUND[key] if key in INBOUND else OUTBOUND[key]
    again = dataclasses.replace(mapping)

    assert len(mapping.version) == 12
    assert mapping.version == again.version


def test_a_change_in_a_shared_part_is_a_change_of_the_mapping() -> None:
    behind = modules_behind(INBOUND["mes_json", "mes.completion"].to_canonical.__module__)

    assert {"mappings.inbound.mes_json.parts", "mappings.inbound.payload", "mappings.units"} <= behind
    assert "mappings.inbound.mes_json.scrap" not in behind
