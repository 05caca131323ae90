"""`lineside projections`: how far the picture is behind the messages, and building it anew from them."""

from __future__ import annotations

import time

import click

from app.audit.trail import record
from app.clock import utc_now
from app.commands.actor import terminal_actor
from app.commands.database import open_database
from app.commands.exits import AnswerIsNo
from app.commands.opening import open_settings, open_topology
from app.commands.printing import json_option, print_json, terminal
from app.commands.show import ConsoleShow
from app.projections.effects import behind, is_anything_left, list_faults
from app.projections.measuring import Yardstick
from app.projections.projector import project, rebuild
from app.store.session import Store
from app.web.stock import behind_told

ROUND_SECONDS = 1.0
PAUSE_SECONDS = 0.2
FAULTS_SHOWN = 20


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def projections(context: click.Context, as_json: bool) -> None:
    """How far stock and its movements are behind the messages that took effect.

    Exit codes: 0 nothing is left to enter, 1 something is.
    """
    if context.invoked_subcommand is not None:
        return
    with open_database(open_settings()) as store, store.reading() as session:
        found = behind_told(behind(session))
        faulty = list_faults(session, FAULTS_SHOWN)
    if as_json:
        print_json({**found, "faulty": [{"message_id": key, "fault": fault} for key, fault in faulty]})
    elif not found["messages"]:
        click.echo("All that took effect is entered.")
    else:
        more = " or more" if found["is_more"] else ""
        click.echo(f"{found['messages']}{more} messages are still to be entered, the oldest since {found['since']}.")
    if found["faults"] and not as_json:
        click.echo(f"{found['faults']} messages cannot be entered:")
        for message_id, fault in faulty:
            click.echo(f"  {message_id}: {fault}")
    if found["messages"] or found["faults"]:
        raise click.exceptions.Exit(AnswerIsNo.exit_code)


def _is_left(store: Store) -> bool:
    with store.reading() as session:
        return is_anything_left(session)


@projections.command("rebuild")
@json_option
def build_anew(as_json: bool) -> None:
    """Empty stock, movements and measures, and enter every message that has taken effect again.

    Lineside may run meanwhile: messages are taken and posted as always, and pages show what is entered so far. When it
    is interrupted the workers go on with it. Exit codes: 0 done, 1 a worker is entering messages: try again.
    """
    show = ConsoleShow(terminal(to_stderr=as_json))
    settings = open_settings()
    yardstick = Yardstick.of(open_topology(settings))
    with open_database(settings) as store:
        number = rebuild(store, utc_now())
        if number is None:
            raise AnswerIsNo("A worker is entering messages just now; try again.")
        with store.writing() as session:
            record(session, terminal_actor(), "projections.rebuilt", "projections", {"messages": number}, utc_now())
        with show.progress(f"Entering {number} messages", estimate=True) as advance:
            entered = 0
            while _is_left(store):
                part = project(store, utc_now, ROUND_SECONDS, yardstick).entered
                entered += part
                advance(entered / max(number, 1))
                if not part:  # a worker is at it
                    time.sleep(PAUSE_SECONDS)
        with store.reading() as session:
            left = behind_told(behind(session))
    if as_json:
        print_json({"messages": number, "left": left})
    else:
        faults = f" {left['faults']} cannot be entered; `lineside projections` says why." if left["faults"] else ""
        click.echo(f"{number} messages are entered.{faults}")
