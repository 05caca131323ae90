"""How long messages are kept, as the topology file says it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.test_topology_file import GOOD, faults, read


def test_retention_is_given_by_domain_and_state(tmp_path: Path) -> None:
    text = f"{GOOD}retention:\n  production: {{posted: 730}}\n  other: {{discarded: 30}}\n"

    assert read(tmp_path, text).retention == {"production": {"posted": 730}, "other": {"discarded": 30}}


@pytest.mark.parametrize(
    ("rule", "path", "told"),
    [
        ("produce: {posted: 1}", "retention.produce", "did you mean"),
        ("production: {dead: 1}", "retention.production.dead", ""),
        ("production: {posted: 0}", "retention.production.posted", "from 1"),
        ("production: {posted: 1.5}", "retention.production.posted", "whole number"),
    ],
)
def test_a_retention_that_cannot_be_meant_is_told_with_its_place(
    tmp_path: Path, rule: str, path: str, told: str
) -> None:
    (fault, *_) = faults(tmp_path, f"{GOOD}retention:\n  {rule}\n")

    assert fault.path == path
    assert told in str(fault)
