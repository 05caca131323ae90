"""`lineside webhooks`: who is told of events by webhook."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import click

from app.clock import utc_now
from app.commands.actor import terminal_actor
from app.commands.database import open_database
from app.commands.exits import AnswerIsNo, Unusable
from app.commands.opening import open_settings, open_topology
from app.commands.printing import json_option, print_json
from app.commands.spans import Since
from app.projections.feed_reading import newest_position
from app.web.problems import Problem
from app.web.webhooks import ReplaySpan, Webhooks, told_attempts, told_delivery, told_subscriber, webhooks_of
from app.webhooks.deliveries import STATES, attempts_of, find_delivery, list_deliveries
from app.webhooks.subscribers import SubscriberRefused, Wanted, list_subscribers

subscriber = click.argument("subscriber_id", metavar="ID", type=click.IntRange(1, 2**63 - 1))
TYPES = click.option("--type", "types", multiple=True, help="Only this canonical type; may be given several times.")
PLANTS = click.option("--plant", "plants", multiple=True, help="Only this plant; may be given several times.")
ITEMS = click.option("--item", "items", multiple=True, help="Only events that name this item; several times.")


@click.group()
def webhooks() -> None:
    """Webhook subscribers: make, list, change, pause, resume, test, replay. A secret is shown once."""


@webhooks.command()
@click.argument("name")
@click.argument("url")
@TYPES
@PLANTS
@ITEMS
@click.option("--concurrency", type=int, default=1, show_default=True, help="Calls under way at once.")
@json_option
def create(
    name: str,
    url: str,
    types: tuple[str, ...],
    plants: tuple[str, ...],
    items: tuple[str, ...],
    concurrency: int,
    as_json: bool,
) -> None:
    """Tell NAME at URL of what takes effect from now on. Exit codes: 0 made, 2 the name or URL cannot be used."""
    with _acts() as acts:
        made, secret = acts.add(name, url, Wanted(types, plants, items, concurrency))
    if as_json:
        print_json({"id": made, "name": name, "secret": secret})
    else:
        click.echo(f"Webhook subscriber {made} ({name}); its secret, shown this once:\n{secret}")


@webhooks.command("list")
@json_option
def show(as_json: bool) -> None:
    """List the subscribers and how they are doing."""
    with open_database(open_settings()) as store, store.reading() as session:
        newest = newest_position(session)
        rows = [told_subscriber(session, row, newest) for row in list_subscribers(session)]
    if as_json:
        print_json({"webhooks": rows})
        return
    for row in rows:
        state = row["state"] if not row["failures"] else f"{row['state']}, {row['failures']} failures in a row"
        click.echo(f"{row['id']:>5}  {row['name']:<20} {state:<32} {row['undelivered']:>5} due  {row['url']}")


@webhooks.command()
@subscriber
@click.option("--url", help="The new URL.")
@TYPES
@PLANTS
@ITEMS
@click.option("--all", "everything", is_flag=True, help="Of all types, plants and items.")
@json_option
def change(
    subscriber_id: int,
    url: str | None,
    types: tuple[str, ...],
    plants: tuple[str, ...],
    items: tuple[str, ...],
    everything: bool,
    as_json: bool,
) -> None:
    """Change the URL, or what subscriber ID is told of. Exit codes: 0 changed, 1 there is none, 2 cannot be used."""
    given: dict[str, Any] = {"types": types, "plants": plants, "items": items}
    fields = given if everything else {name: listed for name, listed in given.items() if listed}
    with _acts() as acts:
        acts.change(subscriber_id, url, fields)
    _answer({"id": subscriber_id}, f"Subscriber {subscriber_id} is changed.", as_json)


@webhooks.command()
@subscriber
@click.option("--reason", required=True, help="Why; it is shown to all and kept in the trail.")
@json_option
def pause(subscriber_id: int, reason: str, as_json: bool) -> None:
    """Send subscriber ID nothing; it misses nothing. Exit codes: 0 paused, 1 it was already, or there is none."""
    with _acts() as acts:
        if not acts.pause(subscriber_id, reason):
            raise AnswerIsNo(f"Subscriber {subscriber_id} is paused already.")
    _answer({"id": subscriber_id, "paused": True}, f"Subscriber {subscriber_id} is paused.", as_json)


@webhooks.command()
@subscriber
@json_option
def resume(subscriber_id: int, as_json: bool) -> None:
    """Send subscriber ID what it missed, and go on. Exit codes: 0 it goes on, 1 it was not paused, or there is none."""
    with _acts() as acts:
        if not acts.resume(subscriber_id):
            raise AnswerIsNo(f"Subscriber {subscriber_id} is neither paused nor left alone.")
    _answer({"id": subscriber_id, "paused": False}, f"Subscriber {subscriber_id} goes on.", as_json)


@webhooks.command("rotate-secret")
@subscriber
@json_option
def rotate_secret(subscriber_id: int, as_json: bool) -> None:
    """Give subscriber ID a new secret; the one before signs beside it for 24 hours. Exit codes: 0 done, 1 there is
    none."""
    with _acts() as acts:
        secret = acts.rotate(subscriber_id)
    _answer({"id": subscriber_id, "secret": secret}, f"The new secret, shown this once:\n{secret}", as_json)


@webhooks.command("test")
@subscriber
@json_option
def send_test(subscriber_id: int, as_json: bool) -> None:
    """Send subscriber ID a test event. Exit codes: 0 it is sent within seconds, 1 there is none."""
    with _acts() as acts:
        made = acts.send_test(subscriber_id)
    told = f"Delivery {made}; `lineside webhooks deliveries {subscriber_id} --delivery {made}` shows what came of it."
    _answer({"id": subscriber_id, "delivery": made}, told, as_json)


@webhooks.command()
@subscriber
@click.option("--after", type=click.IntRange(min=0), default=0, help="Behind this position of the feed.")
@click.option("--up-to", type=click.IntRange(min=0), help="And not behind this one.")
@click.option("--since", type=Since(), help="Told at or after this: 7d, 12h, a day or an instant.")
@click.option("--until", type=Since(), help="Told before this.")
@json_option
def replay(
    subscriber_id: int, after: int, up_to: int | None, since: datetime | None, until: datetime | None, as_json: bool
) -> None:
    """Send subscriber ID a span of the feed again, under the same webhook ids. Exit codes: 0 done, 1 there is none."""
    with _acts() as acts:
        done = acts.replay(subscriber_id, ReplaySpan(after, up_to, since, until))
    more = f" The rest begins with --after {done.next_after}." if done.next_after is not None else ""
    told = f"{done.events} events are sent again.{more}"
    _answer({"id": subscriber_id, "events": done.events, "next_after": done.next_after}, told, as_json)


@webhooks.command()
@subscriber
@json_option
def remove(subscriber_id: int, as_json: bool) -> None:
    """Remove subscriber ID with its deliveries. Exit codes: 0 it is gone, 1 there is none."""
    with _acts() as acts:
        acts.remove(subscriber_id)
    _answer({"id": subscriber_id, "removed": True}, f"Subscriber {subscriber_id} is gone.", as_json)


@webhooks.command()
@subscriber
@click.option("--state", type=click.Choice(STATES), help="Only these.")
@click.option("--delivery", type=click.IntRange(1, 2**63 - 1), help="Only this one, with its attempts.")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@json_option
def deliveries(subscriber_id: int, state: str | None, delivery: int | None, limit: int, as_json: bool) -> None:
    """What became of subscriber ID's deliveries, the newest first. Exit codes: 0 shown, 1 there is none such."""
    tries: list[dict[str, Any]] = []
    with open_database(open_settings()) as store, store.reading() as session:
        if delivery is None:
            found = list_deliveries(session, subscriber_id, state, limit, None)
        else:
            one = find_delivery(session, subscriber_id, delivery)
            if one is None:
                raise AnswerIsNo(f"Subscriber {subscriber_id} has no delivery {delivery}.")
            found, tries = [one], told_attempts(attempts_of(session, delivery))
        rows = [told_delivery(row) for row in found]
    if as_json:
        print_json({"deliveries": rows} | ({"tries": tries} if delivery is not None else {}))
        return
    for row in rows:
        reason = row["reason"] or ""
        click.echo(f"{row['id']:>7}  {row['webhook_id']:<24} {row['state']:<10} {row['attempts']:>3} tries  {reason}")
    for one_try in tries:
        told = one_try["reason"] or f"it answered {one_try['status']}"
        click.echo(f"         {one_try['at']:%Y-%m-%d %H:%M:%S}  {one_try['took_ms']:>6} ms  {told}")


@contextmanager
def _acts() -> Iterator[Webhooks]:
    settings = open_settings()
    topology = open_topology(settings)
    with open_database(settings) as store:
        try:
            yield webhooks_of(store, settings, topology, terminal_actor(), utc_now())
        except SubscriberRefused as error:
            raise Unusable(f"{error.field}: {error}.") from None
        except Problem as problem:
            raise AnswerIsNo(problem.detail) from None


def _answer(found: dict[str, Any], told: str, as_json: bool) -> None:
    if as_json:
        print_json(found)
    else:
        click.echo(told)
