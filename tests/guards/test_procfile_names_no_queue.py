"""The Procfile, the commands and the queues agree, and each name has one home."""

from __future__ import annotations

from pathlib import Path

import pytest
from honcho.environ import parse_procfile

from app.cli import COMMANDS, main
from app.stack import programs
from app.stack.procfile import BROKER, DEMONSTRATION, PRODUCT, product_programs
from config.queues import all_queues, dead_queue, worker_queues
from config.settings import load_settings
from config.topology_file import load_topology

ROOT = Path(__file__).resolve().parents[2]
PROCFILE = (ROOT / "Procfile").read_text(encoding="utf-8")
PLANTS = ("P100", "P200", "P300")


def test_the_procfile_names_no_queue_and_no_plant() -> None:
    assert "plant." not in PROCFILE
    assert "lineside." not in PROCFILE
    assert not any(plant in PROCFILE for plant in PLANTS)


def test_every_line_of_the_procfile_is_a_command_of_ours() -> None:
    commands = parse_procfile(PROCFILE).processes.values()

    assert {line.split()[0] for line in commands} == {"lineside"}
    assert {line.split()[1] for line in commands} <= set(COMMANDS)


def test_what_runs_together_is_what_the_procfile_lists() -> None:
    assert set(parse_procfile(PROCFILE).processes) == {*PRODUCT, *DEMONSTRATION}


def test_the_workers_of_the_procfile_consume_every_queue_but_the_mirrors() -> None:
    settings = load_settings({"LINESIDE_HOME": "/nowhere"})
    lines = parse_procfile(PROCFILE).processes.values()
    roles = [role for role in programs.ROLES if f"lineside worker {role}" in lines]

    consumed = [queue for role in roles for queue in worker_queues(role, PLANTS)]

    expected = {queue.name for queue in all_queues(PLANTS, settings.broker_url)} - {dead_queue(p) for p in PLANTS}
    assert sorted(consumed) == sorted(expected)


def test_what_is_started_together_is_what_the_procfile_lists(tmp_path: Path) -> None:
    home = {"LINESIDE_HOME": str(tmp_path)}
    outside = load_settings(home | {"LINESIDE_BROKER_URL": "amqp://guest@127.0.0.1//"})

    assert product_programs(load_settings(home), load_topology(None)).keys() == set(PRODUCT)
    assert product_programs(outside, load_topology(None)).keys() == set(PRODUCT) - {BROKER}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_loads_and_says_what_it_does(name: str) -> None:
    command = main.get_command(None, name)  # type: ignore[arg-type]

    assert command is not None
    assert command.help
