"""Whether an issue or a shipment may take its stock: known lots, no hold against it, and enough that is free."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from app.processes.checks import Call, lot_is_known
from app.processes.facts import read_picture
from app.processes.refusal import CallRefused, Doubt
from app.processes.telling import told_obstacles
from app.projections.hold_lists import open_holds_of_lots
from app.projections.movements import Place, legs_of
from app.projections.reservation_uses import StockUse, uses_of
from app.store.availability_tables import Hold
from app.store.ledger_tables import NOWHERE
from mappings.context import Event, ItemFacts
from mappings.units import plain

PLACES_MOST = 100
"""Places (item, lot, storage location) that one call takes stock from at most: each is looked at by itself."""


def uses_of_call(message_id: int, call: Call, items: Mapping[str, ItemFacts]) -> list[StockUse]:
    """What the call takes, leg by leg; nothing where it is neither an issue nor a shipment."""
    legs = legs_of(call.plant, call.event, items)
    return list(uses_of(message_id, 0, call.event, legs))


def check_taking(session: Session, call: Call, uses: Sequence[StockUse], now: datetime) -> list[Doubt]:
    """Raises CallRefused; returns what it is let through in spite of."""
    paths = _paths(call.event, uses)
    doubts = _check_holds(session, call, uses, paths)
    together = _by_place(uses, paths)
    if len(together) > PLACES_MOST:
        told = f"It takes stock of {len(together)} places, more than {PLACES_MOST}; send it as a message, or in parts."
        raise CallRefused("wrong", "too_many_lines", told)
    for number, (use, path) in enumerate(together):
        before = [one for one, _ in together[:number] if one.place.item == use.place.item]
        doubts += _check_enough(session, call, use, path, before, now)
    return doubts


def _check_enough(
    session: Session, call: Call, use: StockUse, path: str, before: Sequence[StockUse], now: datetime
) -> list[Doubt]:
    place = use.place
    if place.lot != NOWHERE and not lot_is_known(session, place.plant, place.item, place.lot):
        told = f"Nothing is known of lot {place.lot} of {place.item} in {place.plant}."
        return _short(call, "lot_unknown", told, f"{path}lot", {})
    picture = read_picture(session, place, use.order_id, now)
    if call.override is not None:  # what is on hold may be taken
        picture.held = dict.fromkeys(picture.held, Decimal(0))
    for one in before:
        picture.leave(one)
    free = picture.free_to_take(use)
    if use.quantity <= free:
        return []
    told = (
        f"{plain(use.quantity)} {place.uom} of {_named(place)} are more than the {plain(max(free, Decimal(0)))} free."
    )
    return _short(call, "not_enough", told, f"{path}quantity", told_obstacles(session, picture, free))


def _by_place(uses: Sequence[StockUse], paths: Sequence[str]) -> list[tuple[StockUse, str]]:
    """What is taken from one place together, with where it stands first: of a lot its serials."""
    together: dict[Place, tuple[StockUse, str]] = {}
    for use, path in zip(uses, paths, strict=True):
        place = use.place._replace(serial=NOWHERE)
        first, told = together.get(place, (replace(use, place=place, quantity=Decimal(0)), path))
        together[place] = replace(first, quantity=first.quantity + use.quantity), told
    return list(together.values())


def _short(call: Call, code: str, told: str, path: str, more: Mapping[str, Any]) -> list[Doubt]:
    if call.topology.plants[call.plant].processes.when_short == "refuse":
        raise CallRefused("not_now", code, told, path, more)
    return [Doubt(code, told, path)]


def _check_holds(session: Session, call: Call, uses: Sequence[StockUse], paths: Sequence[str]) -> list[Doubt]:
    """A hold of all of a lot, a serial or an item is against taking any of it; one of so much takes that much off what
    is free."""
    lots = {(use.place.item, use.place.lot): {call.plant} for use in uses}
    found = open_holds_of_lots(session, lots)
    for use, path in zip(uses, paths, strict=True):
        for hold in found.get((use.place.item, use.place.lot), ()):
            if hold.plant == call.plant and hold.quantity is None and hold.serial in (NOWHERE, use.place.serial):
                if call.override is None:
                    raise CallRefused("not_now", "on_hold", _told_hold(hold, use), path + "lot", _hold_more(hold))
                return [Doubt("on_hold", f"{_told_hold(hold, use)} Let through: {call.override}", path + "lot")]
    return []


def _told_hold(hold: Hold, use: StockUse) -> str:
    why = f" ({hold.reason})" if hold.reason else ""
    return f"{_named(use.place)} is on hold{why}, as message {hold.message_id} says."


def _hold_more(hold: Hold) -> dict[str, Any]:
    return {"hold": {"id": hold.id, "message_id": hold.message_id, "status": hold.status, "reason": hold.reason}}


def _named(place: Place) -> str:
    lot = f" lot {place.lot}" if place.lot else ""
    return f"{place.item}{lot}" + (f" in {place.storage}" if place.storage else "")


def _paths(event: Event, uses: Sequence[StockUse]) -> list[str]:
    """Where each use stands in the data. A line with serials has as many uses as serials."""
    lines = [(f"components[{n}].", line) for n, line in enumerate(event.data.get("components", ()))]
    for box, package in enumerate(event.data.get("packages", ())):
        lines += [(f"packages[{box}].lines[{n}].", line) for n, line in enumerate(package.get("lines", ()))]
    lines += [(f"lines[{n}].", line) for n, line in enumerate(event.data.get("lines", ()))]
    paths: list[str] = []
    for path, line in lines:
        serials = len(dict.fromkeys(line.get("serials") or ()))
        paths += [path] * _uses_of_line(line, serials, uses[len(paths) :])
    return paths


def _uses_of_line(line: Mapping[str, Any], serials: int, rest: Sequence[StockUse]) -> int:
    """With a serial each where every piece of it has one, else one."""
    return serials if serials and rest and rest[0].place.serial != NOWHERE else 1
