"""`lineside plants` and `lineside targets`: what is paused or left alone, and stopping and starting them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import click

from app.clock import utc_now
from app.commands.actor import terminal_actor
from app.commands.database import open_database
from app.commands.exits import AnswerIsNo
from app.commands.opening import open_settings, open_topology
from app.commands.printing import json_option, print_json
from app.postings.pauses import plant_pauses
from app.postings.target_figures import target_figures
from app.web.pause_acts import start_plant, start_target, stop_plant, stop_target

reason_option = click.option("--reason", required=True, help="Why; it is shown to all and kept in the trail.")


@click.group()
def plants() -> None:
    """Plants: list, pause, resume. A paused plant's messages are taken and not worked on."""


@plants.command("list")
@json_option
def list_plants(as_json: bool) -> None:
    """List the plants, and which are paused by whom and why."""
    settings = open_settings()
    known = open_topology(settings).plants
    with open_database(settings) as store, store.reading() as session:
        pauses = plant_pauses(session)
    rows: list[dict[str, Any]] = [{"plant": code, "paused": _pause(pauses.get(code))} for code in known]
    if as_json:
        print_json({"plants": rows})
        return
    for row in rows:
        click.echo(f"{row['plant']:<16} {_told(row['paused']) or 'works'}")


@plants.command("pause")
@click.argument("plant")
@reason_option
@json_option
def pause_plant(plant: str, reason: str, as_json: bool) -> None:
    """Stop all work on PLANT after the calls under way. Exit codes: 0 paused, 1 it was already, or is not known."""
    settings = open_settings()
    _must_know(plant, open_topology(settings).plants, "plant")
    with open_database(settings) as store:
        done = stop_plant(store, plant, reason, terminal_actor(), utc_now())
    _answer(done, {"plant": plant, "paused": True}, f"Plant {plant} is paused", "already", as_json)


@plants.command("resume")
@click.argument("plant")
@json_option
def resume_plant(plant: str, as_json: bool) -> None:
    """Let PLANT go on; it does within a second. Exit codes: 0 it goes on, 1 it was not paused."""
    with open_database(open_settings()) as store:
        done = start_plant(store, plant, terminal_actor(), utc_now())
    _answer(done, {"plant": plant, "paused": False}, f"Plant {plant} is not paused", "anyway", as_json)


@click.group()
def targets() -> None:
    """Targets: list, pause, resume. Messages for a paused target wait, those for others go on."""


@targets.command("list")
@json_option
def list_targets(as_json: bool) -> None:
    """List the targets: paused, left alone after failures, and the calls under way."""
    settings = open_settings()
    known = open_topology(settings).targets
    with open_database(settings) as store, store.reading() as session:
        figures = target_figures(session, known, utc_now())
    rows: list[dict[str, Any]] = [
        {
            "target": one.target,
            "circuit": one.circuit.state.value,
            "failures": one.circuit.failures,
            "retry_at": one.circuit.retry_at,
            "calls": one.calls,
            "calls_in_flight": one.calls_in_flight,
            "tokens": one.tokens,
            "paused": _pause(one.pause),
        }
        for one in figures
    ]
    if as_json:
        print_json({"targets": rows})
        return
    for row in rows:
        state = _told(row["paused"]) or f"{row['circuit']}, {row['failures']} failures in a row"
        click.echo(f"{row['target']:<16} {row['calls']}/{row['calls_in_flight']} calls  {state}")


@targets.command("pause")
@click.argument("target")
@reason_option
@json_option
def pause_target(target: str, reason: str, as_json: bool) -> None:
    """Post nothing to TARGET after the calls under way. Exit codes: 0 paused, 1 it was already, or is not known."""
    settings = open_settings()
    _must_know(target, open_topology(settings).targets, "target")
    with open_database(settings) as store:
        done = stop_target(store, target, reason, terminal_actor(), utc_now())
    _answer(done, {"target": target, "paused": True}, f"Target {target} is paused", "already", as_json)


@targets.command("resume")
@click.argument("target")
@json_option
def resume_target(target: str, as_json: bool) -> None:
    """Let TARGET have its postings again, or try one that is left alone at once. Exit codes: 0 done, 1 it was neither
    paused nor left alone."""
    with open_database(open_settings()) as store:
        woken = start_target(store, target, terminal_actor(), utc_now())
    found = {"target": target, "due_again": woken}
    _answer(woken is not None, found, f"Target {target} is not paused", "anyway", as_json)


def _pause(pause: Any) -> dict[str, Any] | None:
    return None if pause is None else {"at": pause.paused_at, "actor": pause.actor, "reason": pause.reason}


def _told(pause: dict[str, Any] | None) -> str | None:
    return None if pause is None else f"paused by {pause['actor']}: {pause['reason']}"


def _must_know(code: str, known: Collection[str], what: str) -> None:
    if code not in known:
        raise AnswerIsNo(f"The topology knows no {what} {code}; it has: {', '.join(known)}.")


def _answer(done: bool, found: dict[str, Any], told: str, otherwise: str, as_json: bool) -> None:
    if not done:
        raise AnswerIsNo(f"{told} {otherwise}.")
    if as_json:
        print_json(found)
    else:
        click.echo(f"{told}.")
