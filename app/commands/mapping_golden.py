"""`lineside mapping golden`: a stored message becomes a test of its mapping."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

import click

from app.commands.database import open_database
from app.commands.exits import AnswerIsNo, Unusable
from app.commands.opening import open_settings, open_topology
from app.commands.printing import json_option, plain_line, print_json, terminal
from app.demo.catalogue import ITEMS
from app.mapping_changes.comparing import Today, read_today
from app.mapping_changes.golden import Masking, NoPair, Pair, make_pair, write_pair
from app.mapping_changes.masking import TooLarge
from app.mapping_changes.released import CHECKOUT
from app.mapping_changes.stored_messages import StoredMessage, stored_message
from app.mapping_changes.trying import Fault, quiet_logs
from app.web.parameters import ID_MOST
from mappings.canonical import contract
from mappings.context import Event

_CASE = re.compile(r"[a-z0-9][a-z0-9_]{0,79}")


@click.command()
@click.argument("message_id", type=click.IntRange(1, ID_MOST))
@click.option("--case", help="The case's name; message_ID unless told.")
@click.option("--into", type=click.Path(exists=True, file_okay=False, path_type=Path), help="tests/golden unless told.")
@click.option("--keep-items", is_flag=True, help="Show items as they are.")
@click.option("--unmasked", is_flag=True, help="Show everything as it is.")
@json_option
def golden(
    message_id: int, case: str | None, into: Path | None, keep_items: bool, unmasked: bool, as_json: bool
) -> None:
    """Write a stored message, a dead one above all, as a golden pair of its mapping: what was received, and the events
    or the refusal that the mapping makes of it now.

    Names, notes, orders, lots, serials and whatever else stands in it are replaced by others of the same form, the same
    by the same; amounts, times, units and the codes that the mapping decides by stay. What could not be replaced is
    told: read the pair before it is shared. Nothing is overwritten. Exit codes: 0 written, 1 no pair can be made of it,
    2 the call has to be mended.
    """
    settings = open_settings()
    topology = open_topology(settings)
    name = case or f"message_{message_id}"
    folder = into or CHECKOUT / "tests" / "golden"
    if not _CASE.fullmatch(name) or not folder.is_dir():
        raise Unusable("Give --case in small letters, digits and _, and --into a folder that is there.")
    with open_database(settings) as store:
        stored, today = stored_message(store, message_id), read_today(store, topology)
    if stored is None:
        raise AnswerIsNo(f"There is no message {message_id}.")
    with quiet_logs():
        pair = _pair(today, stored, keep_items, unmasked)
    try:
        written = write_pair(folder, pair, name)
    except FileExistsError as error:
        raise AnswerIsNo(
            f"{error.filename} is there already, and nothing is overwritten; give another --case."
        ) from None
    _tell(pair, written, unmasked, as_json)


def _pair(today: Today, stored: StoredMessage, keep_items: bool, unmasked: bool) -> Pair:
    shown = {item.code for item in ITEMS} | (_items(stored) if keep_items else set())
    salt = None if unmasked else secrets.token_bytes(16)
    try:
        return make_pair(today, stored, Masking(lambda value: value.strip().lstrip("0") in shown, salt))
    except (NoPair, TooLarge) as error:
        raise AnswerIsNo(f"No golden pair of message {stored.message.id}: {error}") from None


def _items(stored: StoredMessage) -> set[str]:
    """The items of its stored events; a message that was never mapped names none that is known."""
    events = () if stored.before is None or isinstance(stored.before, Fault) else stored.before
    return {code for wire in events for code in contract.referenced_items(Event(wire["type"], wire["data"]))}


def _tell(pair: Pair, written: list[Path], unmasked: bool, as_json: bool) -> None:
    outcome = pair.outcome
    code = outcome.code if isinstance(outcome, Fault) else None
    if as_json:
        files = [str(path) for path in written]
        told = {"family": pair.family, "type": pair.type, "files": files, "refused": code}
        print_json(told | {"masked": not unmasked, "not_masked": list(pair.kept)})
        return
    console = terminal()
    for path in written:
        plain_line(console, f"wrote {path}")
    what = f"It is refused with {code}" if isinstance(outcome, Fault) else f"It becomes {len(outcome)} events"
    plain_line(console, f"{what}, and the masked input goes the same way." if not unmasked else f"{what}.")
    if pair.kept:
        plain_line(console, f"Not masked, since the mapping decides by it: {', '.join(pair.kept)}")
