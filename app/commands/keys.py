"""`lineside keys`: what sources prove themselves with."""

from __future__ import annotations

import click

from app.access.keys import list_keys
from app.clock import utc_now
from app.commands.actor import terminal_actor
from app.commands.database import open_database
from app.commands.exits import AnswerIsNo, Unusable
from app.commands.opening import open_settings, open_topology
from app.commands.party_keys import party
from app.commands.printing import json_option, print_json
from app.web.access_acts import make_key, revoke_key


@click.group()
def keys() -> None:
    """API keys of sources: make, list, revoke. A key is shown once, when it is made."""


keys.add_command(party)


@keys.command()
@click.option("--source", required=True, help="The source's code in the topology.")
@click.option("--label", required=True, help="What or who uses the key.")
@click.option("--plant", "plants", multiple=True, help="Only for this plant; may be given several times.")
@json_option
def create(source: str, label: str, plants: tuple[str, ...], as_json: bool) -> None:
    """Make a key and print it. Exit codes: 0 made, 2 no such source or plant, or a source that drops files."""
    settings = open_settings()
    known = open_topology(settings).sources
    if source not in known:
        raise Unusable(f"The topology has no source {source!r}; it has: {', '.join(known)}.")
    if known[source].intake != "http":
        raise Unusable(f"Source {source} drops files into its folder and needs no key; keys are for `intake: http`.")
    if strange := [plant for plant in plants if plant not in known[source].plants]:
        raise Unusable(
            f"Source {source} does not send for {', '.join(strange)}; it has: {', '.join(known[source].plants)}."
        )
    with open_database(settings) as store:
        try:
            plain, key_id = make_key(store, label, source, plants, terminal_actor(), utc_now())
        except ValueError as error:
            raise Unusable(f"{error}.") from None
    if as_json:
        print_json({"id": key_id, "source": source, "key": plain})
    else:
        click.echo(f"Key {key_id} of source {source}, shown this once:\n{plain}")


@keys.command("list")
@click.option("--all", "everything", is_flag=True, help="Revoked keys too.")
@json_option
def show(everything: bool, as_json: bool) -> None:
    """List the keys that are good, newest last; the keys themselves are nowhere."""
    with open_database(open_settings()) as store, store.reading() as session:
        known = list_keys(session)
    records = [record for record in known if everything or record.revoked_at is None]
    hidden = len(known) - len(records)
    rows = [
        {
            "id": record.owner.id,
            "source": record.owner.source,
            "plants": sorted(record.owner.plants) or "all of the source",
            "label": record.owner.label,
            "created_at": record.created_at,
            "revoked_at": record.revoked_at,
        }
        for record in records
    ]
    if as_json:
        print_json({"keys": rows, "revoked_not_shown": hidden})
        return
    for row in rows:
        ended = f"revoked {row['revoked_at']:%Y-%m-%d %H:%M}" if row["revoked_at"] else "good"
        click.echo(f"{row['id']:>5}  {row['source']:<14} {ended:<24} {row['label']}")
    if hidden:
        click.echo(f"{hidden} revoked {'key is' if hidden == 1 else 'keys are'} not shown; --all shows them.", err=True)


@keys.command()
@click.argument("key_id", type=int)
@json_option
def revoke(key_id: int, as_json: bool) -> None:
    """Make a key good for nothing, within seconds. Exit codes: 0 revoked, 1 there is no such key that was good."""
    with open_database(open_settings()) as store:
        revoked = revoke_key(store, key_id, terminal_actor(), utc_now())
    if not revoked:
        raise AnswerIsNo(f"There is no key {key_id} that is still good; see `lineside keys list`.")
    if as_json:
        print_json({"id": key_id, "revoked": True})
    else:
        click.echo(f"Key {key_id} is revoked.")
