"""Targets of these tests take the events as they are, whatever their type."""

from __future__ import annotations

import pytest

from mappings.canonical.registry import SCHEMAS
from mappings.registry import OUTBOUND, OutboundMapping
from tests.fakes import echo


@pytest.fixture(autouse=True)
def _echo_mapping(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in SCHEMAS:
        monkeypatch.setitem(OUTBOUND, ("echo", kind), OutboundMapping(echo))
