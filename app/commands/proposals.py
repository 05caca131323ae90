"""`lineside reconcile take-over`, `adjust`, `approve` and the rest: what one person proposes and another decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from app.clock import utc_now
from app.commands.actor import terminal_actor
from app.commands.database import open_database
from app.commands.exits import AnswerIsNo
from app.commands.opening import open_settings, open_topology
from app.commands.printing import json_option, plain_line, print_json, terminal
from app.reconcile.fixes import ADJUST, TAKE_OVER
from app.reconcile.proposals import STATES, list_proposals
from app.web.problems import Problem
from app.web.proposals import (
    approve_proposal,
    preview_fix,
    propose_fix,
    reject_proposal,
    requeue_dead_of,
    told_proposal,
)

REASON = click.option("--reason", required=True, help="Why; it is kept with the proposal and in the trail.")
DRY_RUN = click.option("--dry-run", is_flag=True, help="Only say what it would be.")


@click.command("take-over")
@click.argument("report_id", type=click.IntRange(1))
@click.option("--reason", default="opening balance", show_default=True, help="Why; it is kept in the trail.")
@DRY_RUN
@json_option
def take_over(report_id: int, reason: str, dry_run: bool, as_json: bool) -> None:
    """Propose to take over what reconciliation REPORT_ID leaves unexplained, as an opening balance of the ledger.

    Another person approves it: `lineside reconcile approve`. Exit codes: 0 proposed (or would be), 1 it cannot be.
    """
    _propose(report_id, TAKE_OVER, 0, reason, dry_run, as_json)


@click.command()
@click.argument("report_id", type=click.IntRange(1))
@click.argument("number", type=click.IntRange(1), required=False)
@click.option("--all", "everything", is_flag=True, help="Every difference of the report.")
@REASON
@DRY_RUN
@json_option
def adjust(report_id: int, number: int | None, everything: bool, reason: str, dry_run: bool, as_json: bool) -> None:
    """Propose an adjustment of difference NUMBER of reconciliation REPORT_ID, of what is unexplained of it.

    The system of record for inventory is right: the ledger is adjusted to it, or the other system is, by a message.
    Another person approves it. Exit codes: 0 proposed (or would be), 1 it cannot be, 2 say which.
    """
    if everything == (number is not None):
        raise click.UsageError("Give the number of a difference, or --all.")
    _propose(report_id, ADJUST, number or 0, reason, dry_run, as_json)


def _propose(report_id: int, kind: str, number: int, reason: str, dry_run: bool, as_json: bool) -> None:
    settings = open_settings()
    topology = open_topology(settings)
    with open_database(settings) as store:
        if dry_run:
            told = _answered(lambda: preview_fix(store, topology, report_id, kind, number))
        else:
            actor = terminal_actor()
            told = _answered(lambda: propose_fix(store, topology, report_id, kind, number, reason, actor, utc_now))
    if as_json:
        print_json(told)
        return
    _print_plan(told if dry_run else told["plan"])
    if not dry_run:
        click.echo(
            f"Proposed as {told['id']}; another person approves it by {told['expires_at']:%Y-%m-%d}: "
            f"lineside reconcile approve {told['id']}"
        )


def _print_plan(plan: dict[str, Any]) -> None:
    console = terminal()
    for line in plan["first"]:
        place = " ".join(part for part in (line["plant"], line["item"], line["storage"], line["lot"]) if part)
        plain_line(console, f"{line['number']:>6}  {place}: {line['quantity']} {line['uom']}")
    more = plan["lines"] - len(plan["first"])
    whom = "the ledger" if plan["side"] == "ledger" else plan["side"]
    lines = f"{plan['lines']} adjustment{'' if plan['lines'] == 1 else 's'} of {whom}."
    click.echo(f"and {more} more; {lines}" if more > 0 else lines)
    if not plan["is_whole"]:
        click.echo("The report has more: once these are approved, compare anew and propose the rest.")
    for one in plan["first_left_out"]:
        plain_line(console, f"Left out: {one['number']}, {one['why']}.")


@click.command()
@click.option("--state", type=click.Choice(STATES), help="Only these.")
@click.option("--limit", default=20, type=click.IntRange(1, 1_000), show_default=True)
@json_option
def proposals(state: str | None, limit: int, as_json: bool) -> None:
    """List what was proposed, the newest first. Exit codes: 0 listed, 1 nothing is."""
    with open_database(open_settings()) as store, store.reading() as session:
        rows = [told_proposal(one) for one in list_proposals(session, limit, state=state)]
    if as_json:
        print_json({"proposals": rows})
    console = terminal()
    for row in [] if as_json else rows:
        number = f", difference {row['number']}" if row["number"] else ""
        what = f"{row['kind']} of reconciliation {row['reconciliation']}{number}, {row['plan']['lines']} lines"
        plain_line(console, f"{row['id']:>6}  {row['state']:<9} {what}, by {row['proposed_by']}: {row['reason']}")
    if not rows:
        raise click.exceptions.Exit(1) if as_json else AnswerIsNo("Nothing was proposed.")


@click.command()
@click.argument("proposal_id", type=click.IntRange(1))
@click.option("--reason", help="What is to be kept with it.")
@json_option
def approve(proposal_id: int, reason: str | None, as_json: bool) -> None:
    """Have PROPOSAL_ID done, as another person than the one who proposed it.

    The balances are compared once more: what is no longer as it was proposed is left out, and told. Exit codes: 0 done,
    1 it cannot be: the same person proposed it, it is over, or nothing is as it was.
    """
    settings = open_settings()
    topology = open_topology(settings)
    with open_database(settings) as store:
        told = _answered(
            lambda: approve_proposal(store, topology, None, proposal_id, reason, terminal_actor(), utc_now)
        )
    if as_json:
        print_json(told)
        return
    click.echo(f"{told['outcome']['messages']} adjustments are in the inbox.")
    for one in told["outcome"]["first_left_out"]:
        plain_line(terminal(), f"Left out: {one['number']}, {one['why']}.")


@click.command()
@click.argument("proposal_id", type=click.IntRange(1))
@REASON
@json_option
def reject(proposal_id: int, reason: str, as_json: bool) -> None:
    """Turn PROPOSAL_ID down. Exit codes: 0 done, 1 it is over already."""
    with open_database(open_settings()) as store:
        told = _answered(lambda: reject_proposal(store, proposal_id, reason, terminal_actor(), utc_now))
    if as_json:
        print_json(told)
    else:
        click.echo(f"Proposal {proposal_id} is rejected.")


@click.command()
@click.argument("report_id", type=click.IntRange(1))
@click.argument("number", type=click.IntRange(1))
@DRY_RUN
@json_option
def requeue(report_id: int, number: int, dry_run: bool, as_json: bool) -> None:
    """Requeue the dead letters that make difference NUMBER of reconciliation REPORT_ID, as far as they still are dead.

    Exit codes: 0 requeued (or would be), 1 there is none.
    """
    with open_database(open_settings()) as store:
        ids = _answered(
            lambda: requeue_dead_of(
                store, lambda _moved: None, report_id, number, terminal_actor(), utc_now, dry=dry_run
            )
        )
    if as_json:
        print_json({"count": len(ids), "ids": ids, "dry_run": dry_run})
    else:
        what = "would be requeued" if dry_run else "requeued"
        click.echo(f"{len(ids)} {what}" + (f": {', '.join(map(str, ids))}" if ids else "."))
    if not ids:
        raise click.exceptions.Exit(1)


def _answered(act: Callable[[], Any]) -> Any:
    """What the act answers; its problem, as a command tells it."""
    try:
        return act()
    except Problem as problem:
        raise AnswerIsNo(problem.detail) from None
