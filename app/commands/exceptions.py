"""`lineside exceptions`: what is missing, silent or does not add up, and what a person says of it."""

from __future__ import annotations

import click

from app.business_exceptions.lookup import (
    STATES,
    UNFINISHED,
    ExceptionFilter,
    find_exception,
    list_exceptions,
    notices_of,
)
from app.clock import utc_now
from app.commands.actor import terminal_actor
from app.commands.database import open_database
from app.commands.exits import AnswerIsNo
from app.commands.opening import open_settings, open_topology
from app.commands.printing import json_option, plain_line, print_json, terminal
from app.web.exceptions import PROCESSES, acknowledge_exception, resolve_exception, told, told_notice, told_rule
from app.web.problems import Problem
from config.exception_terms import RULE_TERMS, SEVERITIES

MOST = 1_000


@click.group(invoke_without_command=True)
@click.option("--state", "states", multiple=True, type=click.Choice(STATES), help="Unresolved ones unless told.")
@click.option("--plant")
@click.option("--source")
@click.option("--rule", help="Such as numbers_missing.")
@click.option("--severity", type=click.Choice(SEVERITIES))
@click.option("--process", type=click.Choice(PROCESSES))
@click.option("--owner", help="As the topology names it.")
@click.option("--limit", default=100, type=click.IntRange(1, MOST), show_default=True)
@json_option
@click.pass_context
def exceptions(
    context: click.Context,
    states: tuple[str, ...],
    plant: str | None,
    source: str | None,
    rule: str | None,
    severity: str | None,
    process: str | None,
    owner: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """List business exceptions, the newest first. Exit codes: 0 listed, 1 none matches."""
    if context.invoked_subcommand is not None:
        return
    chosen = ExceptionFilter(states or UNFINISHED, plant, source, rule, severity, process, owner)
    with open_database(open_settings()) as store, store.reading() as session:
        page = list_exceptions(session, chosen, limit)
        rows = [told(each) for each in page.exceptions]
    if as_json:
        print_json({"exceptions": rows, "more": page.before is not None})
    for row in [] if as_json else rows:
        at = row["first_seen_at"].isoformat(timespec="minutes").replace("+00:00", "Z")
        click.echo(
            f"{row['id']:>6}  {row['state']:<12} {row['plant'] or '-':<8} {row['rule']:<20} {at}  {row['message']}"
        )
    if page.before is not None and not as_json:
        click.echo(f"There are more than {limit}; see --limit and the filters.")
    if not rows:
        raise click.exceptions.Exit(1) if as_json else AnswerIsNo("No business exception matches.")


@exceptions.command("show")
@click.argument("exception_id", type=int)
@json_option
def show_one(exception_id: int, as_json: bool) -> None:
    """One, with its messages and who was told of it. Exit codes: 0 shown, 1 it is not known."""
    with open_database(open_settings()) as store, store.reading() as session:
        found = find_exception(session, exception_id)
        if found is None:
            raise AnswerIsNo(f"There is no business exception {exception_id}.")
        values = told(found)
        notices = [told_notice(notice) for notice in notices_of(session, exception_id)]
    if as_json:
        print_json({**values, "notices": notices})
        return
    to, messages, at_risk = terminal(), values["messages"], values["value_at_risk"]
    plain_line(to, f"{values['message']}\n")
    shown = {
        "state": values["state"],
        "rule": f"{values['rule']} ({values['process']})",
        "severity": values["severity"],
        "plant": values["plant"],
        "object": " ".join(filter(None, (values["object_type"], values["object_id"]))),
        "value at risk": f"{at_risk['value']} {at_risk['currency']}" if at_risk else "unknown",
        "owner": values["owner"],
        "steps up": values["escalation"] or None,
        "messages": ", ".join(map(str, messages["ids"]))
        + (f" and {messages['more']} more" if messages["more"] else ""),
        "first seen": values["first_seen_at"],
        "resolved": values["resolution"],
    }
    for name, value in shown.items():
        if value:
            plain_line(to, f"{name:<14} {value}")
    for notice in notices:
        trouble = f": {notice['trouble']}" if notice["trouble"] else ""
        plain_line(
            to,
            f"{'notice':<14} {notice['kind']} to {notice['owner']} by {notice['channel']}, {notice['state']}{trouble}",
        )


@exceptions.command("rules")
@click.option("--plant", help="As they hold in this plant.")
@json_option
def show_rules(plant: str | None, as_json: bool) -> None:
    """The rules as the topology has them: threshold, severity, owner. Exit code 0."""
    policy = open_topology(open_settings()).exceptions
    rows = [told_rule(word, policy, plant) for word in RULE_TERMS]
    if as_json:
        print_json({"rules": rows})
        return
    for row in rows:
        threshold = " ".join(f"{key}: {value:g}" for key, value in row["threshold"].items())
        state = "on" if row["enabled"] else "off"
        click.echo(f"{row['rule']:<30} {state:<4} {row['severity']:<9} {threshold:<22} {row['owner'] or '-'}")


@exceptions.command("acknowledge")
@click.argument("exception_id", type=int)
@click.option("--reason", help="What is being done; kept in the trail.")
def acknowledge_one(exception_id: int, reason: str | None) -> None:
    """Say that somebody takes care of it. Exit codes: 0 done, 1 it is not open, or is not known."""
    with open_database(open_settings()) as store:
        try:
            acknowledge_exception(store, exception_id, terminal_actor(), reason, utc_now())
        except Problem as problem:
            raise AnswerIsNo(problem.detail) from None
    click.echo(f"Business exception {exception_id} is acknowledged.")


@exceptions.command("resolve")
@click.argument("exception_id", type=int)
@click.option("--reason", required=True, help="What became of it; kept in the trail.")
def resolve_one(exception_id: int, reason: str) -> None:
    """End it for good: what is missing is not asked for again. Exit codes: 0 done, 1 it is over, or is not known."""
    with open_database(open_settings()) as store:
        try:
            resolve_exception(store, exception_id, terminal_actor(), reason, utc_now())
        except Problem as problem:
            raise AnswerIsNo(problem.detail) from None
    click.echo(f"Business exception {exception_id} is resolved.")
