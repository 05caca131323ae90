"""No released contract of a canonical event is broken: senders and readers of other houses rely on it."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from app.released_contracts import broken_contracts, released
from mappings.canonical import contract
from mappings.canonical.compatibility import breaking_changes
from mappings.canonical.registry import SCHEMAS
from mappings.canonical.versions import UPCASTS, newest_type

COMPLETED = "production.completed.v1"


def test_the_present_contracts_keep_what_was_released() -> None:
    assert list(broken_contracts()) == []


def test_every_type_has_been_released() -> None:
    assert released().keys() == SCHEMAS.keys(), "run `lineside contracts release`"


def test_the_release_is_what_the_code_says_today() -> None:
    """So that a change shows in the same commit, the harmless ones too."""
    stale = [name for name, schema in released().items() if schema != contract.json_schema(name)]

    assert stale == [], "run `lineside contracts release`"


def changed(change: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The released contract of a completion, and the same with one change."""
    before = contract.json_schema(COMPLETED)
    after = copy.deepcopy(before)
    line = after["properties"]["outputs"]["items"]
    match change:
        case "gone":
            del after["properties"]["segment"]
        case "gone_below":
            del line["properties"]["lot"]
        case "required":
            after["required"] = [*after["required"], "segment"]
        case "optional":
            after["required"] = [name for name in after["required"] if name != "order_id"]
        case "shorter":
            after["properties"]["segment"]["maxLength"] = 5
        case "type":
            after["properties"]["final"] = {"type": "string"}
        case "fewer":
            after["properties"]["outputs"]["maxItems"] = 2
        case "unit":
            line["properties"]["quantity"]["properties"]["uom"]["pattern"] = "^[A-Z]$"
    assert before != after
    return before, after


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("gone", "segment is gone"),
        ("gone_below", "outputs[].lot is gone"),
        ("required", "segment must be there now, and senders may leave it out"),
        ("optional", "order_id may be missing now, and readers count on it"),
        ("shorter", "segment: maxLength was "),
        ("type", "final: type was 'boolean' and is 'string'"),
        ("fewer", "outputs: maxItems was"),
        ("unit", "outputs[].quantity.uom: pattern was"),
    ],
)
def test_a_change_that_breaks_senders_or_readers_is_named_with_its_place(change: str, told: str) -> None:
    (found,) = breaking_changes(*changed(change))

    assert found.startswith(told)


def test_a_field_that_may_be_missing_and_other_words_break_nobody() -> None:
    before = contract.json_schema(COMPLETED)
    after = copy.deepcopy(before)
    after["properties"]["shift"] = {"type": "string", "maxLength": 10}
    after["description"] = "In other words."

    assert list(breaking_changes(before, after)) == []


def test_every_older_version_leads_to_one_that_has_a_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    def astray() -> list[str]:
        return [name for name in UPCASTS if name not in SCHEMAS or newest_type(name) not in SCHEMAS]

    found = astray()
    monkeypatch.setitem(UPCASTS, COMPLETED, ("production.completed.v9", dict))

    assert (found, astray()) == ([], [COMPLETED])
