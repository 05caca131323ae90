"""`lineside bench` alone measures everything on both stacks; with a name it measures that, by the same options."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from app.bench.installation import STACKS, Ground
from app.commands import bench_all, bench_speed
from app.commands.bench import bench
from app.commands.exits import NO, UNREACHABLE, Unreachable
from app.demo.run import Show

FIELDS = {"name", "stack", "figure", "unit", "yardstick", "ratio", "goal", "met"}


def figure(name: str, stack: str | None, met: bool | None = True) -> dict[str, Any]:
    return dict.fromkeys(FIELDS, None) | {
        "name": name,
        "stack": stack,
        "figure": 7.0,
        "unit": "messages/s",
        "yardsticks": {},
        "met": met,
    }


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What was asked for, with figures that are made up: nothing is started."""
    found: list[tuple[Any, ...]] = []

    def measure(
        name: str, ground: Ground, runs: int, size: float, _show: Show, folder: Path | None
    ) -> list[dict[str, Any]]:
        found.append((name, ground.stack, runs, size, folder))
        return [figure(name, ground.stack)]

    monkeypatch.setattr(bench_speed, "measure", measure)
    monkeypatch.setattr(bench_all, "_mappings", lambda: [figure("mappings CSV", None)])
    monkeypatch.setattr(bench_all, "_visibility", lambda ground, *_: [figure("visibility", ground.stack)])
    return found


def test_alone_it_measures_everything_on_both_stacks(asked: list[tuple[Any, ...]]) -> None:
    result = CliRunner().invoke(bench, ["--size", "0.1", "--runs", "2", "--json"])

    assert result.exit_code == 0, result.output
    assert asked == [(name, stack, 2, 0.1, None) for stack in STACKS for name in bench_speed.NAMES]
    told = json.loads(result.stdout.splitlines()[-1])
    assert [(one["name"], one["stack"]) for one in told][:2] == [("mappings CSV", None), ("visibility", STACKS[0])]
    assert len(told) == 1 + len(STACKS) * (1 + len(bench_speed.NAMES))
    assert all(one.keys() >= FIELDS for one in told)


def test_a_name_is_measured_alone(asked: list[tuple[Any, ...]]) -> None:
    result = CliRunner().invoke(bench, ["accept", "--runs", "1", "--stack", STACKS[1], "--json"])

    assert result.exit_code == 0, result.output
    assert asked == [("accept", STACKS[1], 1, 1.0, None)]
    assert [one["name"] for one in json.loads(result.stdout)] == ["accept"]


def test_an_option_before_the_name_is_refused_with_its_place(asked: list[tuple[Any, ...]]) -> None:
    result = CliRunner().invoke(bench, ["--runs", "1", "accept"])

    assert result.exit_code == 2
    assert "--runs stands after the name: lineside bench speed --runs" in result.output
    assert asked == []


def test_what_cannot_be_measured_is_told_and_the_rest_is_measured(
    asked: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    measure = bench_speed.measure

    def no_rabbitmq(name: str, ground: Ground, *more: Any) -> list[dict[str, Any]]:
        if ground.stack == STACKS[1]:
            raise Unreachable("RabbitMQ does not answer.")
        return measure(name, ground, *more)

    monkeypatch.setattr(bench_speed, "measure", no_rabbitmq)

    result = CliRunner().invoke(bench, ["--json"])

    assert result.exit_code == UNREACHABLE
    assert f"accept on {STACKS[1]} was not measured: RabbitMQ does not answer." in result.stderr
    assert {one["stack"] for one in json.loads(result.stdout) if one["name"] == "accept"} == {STACKS[0]}
    assert len(asked) == len(bench_speed.NAMES)


def test_a_goal_that_is_missed_is_an_exit_code(asked: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_all, "_mappings", lambda: [figure("mappings EDIFACT", None, met=False)])

    result = CliRunner().invoke(bench, [])

    assert result.exit_code == NO
    assert "mappings EDIFACT" in result.stdout
