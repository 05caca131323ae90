"""What the topology says of business exceptions is checked whole, and holds plant by plant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.exception_rules.registry import RULES
from config.exception_terms import RULE_TERMS
from config.topology import Topology
from config.topology_file import PACKAGED, TopologyError, load_topology

OWNERS = """
owners:
  shift:
    channels:
      - {webhook: "https://hooks.example.com/a", secret: hook}
      - {webhook: "https://hooks.example.com/b", secret: hook, timeout_seconds: 5}
      - {email: shift@example.com}
    escalation: [{after_minutes: 30, to: lead}]
  lead: {tell_resolved: false}
"""
EXCEPTIONS = """
exceptions:
  owner: shift
  email: {host: smtp.example.com, sender: lineside@example.com, login: lineside, secret: smtp}
  rules:
    delayed_confirmation:
      after_minutes: 90
      plants: {P100: {after_minutes: 30, severity: serious}, P200: {enabled: false}}
    over_completion: {owner: lead}
    numbers_missing: {after_seconds: 7}
"""


def load(tmp_path: Path, text: str) -> Topology:
    """The packaged topology with these blocks instead of its own."""
    packaged = PACKAGED.read_text(encoding="utf-8").partition("\nexceptions:")[0]
    path = tmp_path / "topology.yaml"
    path.write_text(packaged + text, encoding="utf-8")
    return load_topology(path)


def faults(tmp_path: Path, text: str) -> list[tuple[str, str]]:
    with pytest.raises(TopologyError) as caught:
        load(tmp_path, text)
    return [(fault.path, fault.mend) for fault in caught.value.faults]


def test_what_is_said_of_a_plant_stands_above_what_is_said_of_the_rule_and_that_above_its_own(tmp_path: Path) -> None:
    policy = load(tmp_path, EXCEPTIONS + OWNERS).exceptions

    told = {plant: policy.of("delayed_confirmation", plant) for plant in ("P100", "P200", "P300")}
    assert {plant: (one.threshold, one.severity, one.enabled) for plant, one in told.items()} == {
        "P100": (30, "serious", True),
        "P200": (90, "warning", False),
        "P300": (90, "warning", True),
    }
    assert {one.owner for one in told.values()} == {"shift"}
    assert policy.of("over_completion", "P100").owner == "lead"
    assert policy.of("stuck_backlog", None).threshold == RULE_TERMS["stuck_backlog"].threshold
    assert policy.is_judged


def test_channels_are_told_apart_without_their_addresses(tmp_path: Path) -> None:
    owner = load(tmp_path, EXCEPTIONS + OWNERS).exceptions.owners["shift"]

    labels = [channel.label for channel in owner.channels]

    assert labels == ["webhook hooks.example.com", "webhook hooks.example.com #2", "e-mail example.com"]


def test_nobody_is_told_by_default_that_telling_fails(tmp_path: Path) -> None:
    assert load(tmp_path, EXCEPTIONS + OWNERS).exceptions.of("notice_not_delivered", None).owner is None


def test_a_source_that_does_not_say_how_long_a_number_may_be_missing_takes_the_rules_word(tmp_path: Path) -> None:
    sources = load(tmp_path, EXCEPTIONS + OWNERS).sources

    assert sources["legacy-p300"].completeness.grace_seconds == 7


def test_without_the_block_no_rule_is_judged(tmp_path: Path) -> None:
    assert not load(tmp_path, "").exceptions.is_judged


def test_each_rule_that_is_judged_has_its_file_and_no_other_has() -> None:
    assert set(RULES) == {word for word, terms in RULE_TERMS.items() if terms.judged}


@pytest.mark.parametrize(
    ("block", "path", "mend"),
    [
        ("exceptions: {rules: {late_confirmation: {}}}", "exceptions.rules.late_confirmation", "delayed_confirmation"),
        (
            "exceptions: {rules: {delayed_confirmation: {after_hours: 1}}}",
            "exceptions.rules.delayed_confirmation.after_hours",
            "after_minutes",
        ),
        (
            "exceptions: {rules: {over_completion: {over_percent: -1}}}",
            "exceptions.rules.over_completion.over_percent",
            "from 0 to 1000",
        ),
        (
            "exceptions: {rules: {stuck_backlog: {plants: {P900: {}}}}}",
            "exceptions.rules.stuck_backlog.plants.P900",
            "did you mean",
        ),
        (
            "exceptions: {rules: {stuck_backlog: {plants: {P100: {owner: shift}}}}}",
            "exceptions.rules.stuck_backlog.plants.P100.owner",
            "none is declared yet",
        ),
        (
            "exceptions: {rules: {numbers_missing: {plants: {P100: {after_seconds: 1}}}}}",
            "exceptions.rules.numbers_missing.plants.P100.after_seconds",
            "enabled",
        ),
        ("exceptions: {owner: nobody}\nowners: {shift: {}}", "exceptions.owner", "shift"),
        ("owners: {shift: {channels: [{email: a@example.com}]}}", "owners.shift.channels.0.email", "exceptions:"),
        ("owners: {shift: {channels: [{webhook: 'https://x.example'}]}}", "owners.shift.channels.0.secret", "NAME"),
        ("owners: {shift: {channels: [{}]}}", "owners.shift.channels.0", "either"),
        ("owners: {shift: {escalation: [{after_minutes: 5, to: shift}]}}", "owners.shift.escalation.0.to", "next"),
        (
            "owners: {a: {}, shift: {escalation: [{after_minutes: 5, to: a}, {after_minutes: 5, to: a}]}}",
            "owners.shift.escalation",
            "count all",
        ),
        ("owners: {Shift: {}}", "owners.Shift", "a-z"),
        (
            "exceptions: {email: {host: h, sender: a@example.com, login: l, secret: s, security: none}}",
            "exceptions.email.security",
            "starttls",
        ),
        ("exceptions: {email: {host: h, sender: a@example.com, login: l}}", "exceptions.email.login", "secret"),
        (
            "exceptions: {email: {host: h, sender: 'a@example.com, b@example.com'}}",
            "exceptions.email.sender",
            "one address",
        ),
    ],
)
def test_a_fault_names_its_place_and_the_mend(tmp_path: Path, block: str, path: str, mend: str) -> None:
    ((at, told),) = faults(tmp_path, f"\n{block}\n")

    assert at == path
    assert mend in told


def test_the_block_stands_once_among_all_files(tmp_path: Path) -> None:
    (tmp_path / "more.yaml").write_text("exceptions: {quiet_minutes: 5}\n", encoding="utf-8")

    found: Any = faults(tmp_path, "\ninclude: [more.yaml]\nexceptions: {quiet_minutes: 6}\n")

    assert [path for path, _ in found] == ["exceptions"]
