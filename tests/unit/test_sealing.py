"""What is sealed is opened by every process of the installation and by nobody who has the database alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from app.access.sealing import CannotOpen, Seal
from app.stack import running
from app.stack.births import Births
from app.stack.supervisor import Supervisor
from config.settings import load_settings
from config.topology_file import load_topology
from tests.fakes import Killed


def _seal(home: Path, purpose: str = "webhooks", **environ: str) -> Seal:
    return Seal(load_settings({"LINESIDE_HOME": str(home), **environ}), purpose)


def test_what_one_process_sealed_another_of_the_installation_opens(tmp_path: Path) -> None:
    sealed = _seal(tmp_path).close("whsec_secret")

    assert "whsec_secret" not in sealed
    assert _seal(tmp_path).open(sealed) == "whsec_secret"


@pytest.mark.parametrize("other", ["another home", "another key", "another purpose", "torn"])
def test_nobody_else_opens_it(tmp_path: Path, other: str) -> None:
    sealed = _seal(tmp_path / "a").close("whsec_secret")
    seals = {
        "another home": _seal(tmp_path / "b"),
        "another key": _seal(tmp_path / "a", LINESIDE_SECRET_KEY="k" * 40),
        "another purpose": _seal(tmp_path / "a", "cookies"),
        "torn": _seal(tmp_path / "a"),
    }

    with pytest.raises(CannotOpen):
        seals[other].open(sealed[:-2] if other == "torn" else sealed)


def test_the_processes_of_a_stack_have_the_secret_that_commands_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A secret made for one start would open nothing that `lineside webhooks create` sealed."""
    given: list[Births] = []

    class Captured(Supervisor):
        def __init__(self, settings: Any, instance: Any, say: Any, births: Births, *_: Any) -> None:
            given.append(births)
            raise Killed

    monkeypatch.setattr(running, "Supervisor", Captured)
    settings = load_settings({"LINESIDE_HOME": str(tmp_path)})
    births = Births(settings, {"A": "b"})
    stack: Any = running.running_stack(settings, load_topology(None), None, {}, births, print)  # type: ignore[arg-type]

    with pytest.raises(Killed):
        stack.__enter__()

    assert given == [births]
    own = {name: text for name, text in births.environment.items() if os.environ.get(name) != text}
    assert own.keys() <= {"A", "PYTHONPATH", *settings.anchored()}
