"""`lineside keys party`: what suppliers and customers prove themselves with."""

from __future__ import annotations

import click

from app.access.party_keys import KINDS, Kind, list_party_keys
from app.clock import utc_now
from app.commands.actor import terminal_actor
from app.commands.database import open_database
from app.commands.exits import AnswerIsNo, Unusable
from app.commands.opening import open_settings
from app.commands.printing import json_option, print_json
from app.web.access_acts import make_party_key, revoke_party_key


@click.group()
def party() -> None:
    """API keys of suppliers and customers, who see their own orders, receipts and holds, or deliveries."""


@party.command()
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("code")
@click.option("--label", required=True, help="What or who uses the key.")
@json_option
def create(kind: Kind, code: str, label: str, as_json: bool) -> None:
    """Make a key of supplier or customer CODE and print it. CODE is as events write it: `supplier` of purchase orders,
    `ship_to` of shipments. Exit codes: 0 made, 2 no such code can be."""
    with open_database(open_settings()) as store:
        try:
            plain, key_id = make_party_key(store, label, kind, code, terminal_actor(), utc_now())
        except ValueError as error:
            raise Unusable(f"{error}.") from None
    if as_json:
        print_json({"id": key_id, "kind": kind, "party": code, "key": plain})
    else:
        click.echo(f"Key {key_id} of {kind} {code}, shown this once:\n{plain}")


@party.command("list")
@json_option
def show(as_json: bool) -> None:
    """List these keys, newest last; the keys themselves are nowhere."""
    with open_database(open_settings()) as store, store.reading() as session:
        records = list_party_keys(session)
    rows = [
        {
            "id": one.owner.id,
            "kind": one.owner.kind,
            "party": one.owner.party,
            "label": one.owner.label,
            "created_at": one.created_at,
            "revoked_at": one.revoked_at,
        }
        for one in records
    ]
    if as_json:
        print_json({"keys": rows})
        return
    for row in rows:
        ended = f"revoked {row['revoked_at']:%Y-%m-%d %H:%M}" if row["revoked_at"] else "good"
        click.echo(f"{row['id']:>5}  {row['kind']:<9} {row['party']:<20} {ended:<24} {row['label']}")


@party.command()
@click.argument("key_id", type=int)
@json_option
def revoke(key_id: int, as_json: bool) -> None:
    """Make a key good for nothing at once. Exit codes: 0 revoked, 1 there is no such key that was good."""
    with open_database(open_settings()) as store:
        revoked = revoke_party_key(store, key_id, terminal_actor(), utc_now())
    if not revoked:
        raise AnswerIsNo(f"There is no party key {key_id} that is still good; see `lineside keys party list`.")
    if as_json:
        print_json({"id": key_id, "revoked": True})
    else:
        click.echo(f"Key {key_id} is revoked.")
