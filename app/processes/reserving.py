"""Reservations: made while nobody else decides about the item, and ended by a person, a system, or their time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from app.inbox.accept import Incoming
from app.processes.checks import Call, lot_is_known
from app.processes.facts import read_picture
from app.processes.refusal import CallRefused
from app.processes.telling import told_obstacles
from app.projections.movements import Place
from app.projections.reservation_uses import Kept, ReservationState
from app.store.ledger_tables import NOWHERE
from app.store.reservation_tables import Reservation
from mappings.context import ItemFacts
from mappings.units import Quantity, plain, quantity, to_base

RESERVED = "inventory.reserved.v1"
ENDED = "inventory.reservation.ended.v1"


def reservation_code(source: str, source_message_id: str) -> str:
    """The same for every attempt to send the same call."""
    digest = hashlib.blake2b(f"{source}\0{source_message_id}".encode(), digest_size=8)
    return f"RS-{digest.hexdigest().upper()}"


def check_reservation(session: Session, call: Call, items: Mapping[str, ItemFacts], now: datetime) -> Kept:
    """What may be reserved; the session sees one state of the database, and the caller holds the item. Raises
    CallRefused with what is free and who holds the rest."""
    data = call.event.data
    until = data.get("until")
    if until is not None and datetime.fromisoformat(until) <= now:
        raise CallRefused("wrong", "until_is_past", "It would have ended already.", "until")
    asked = _asked(call, items)
    place = asked.place
    if place.lot != NOWHERE and not lot_is_known(session, place.plant, place.item, place.lot):
        told = f"Nothing is known of lot {place.lot} of {place.item} in {place.plant}."
        raise CallRefused("not_now", "lot_unknown", told, "lot")
    picture = read_picture(session, place, asked.order_id, now)
    free = picture.free_to_reserve(asked)
    if asked.left > free:
        left = max(free, Decimal(0))
        told = f"{plain(asked.left)} {place.uom} of {place.item} are more than the {plain(left)} that are free."
        raise CallRefused("not_now", "not_enough", told, "quantity", told_obstacles(session, picture, free))
    return asked


def _asked(call: Call, items: Mapping[str, ItemFacts]) -> Kept:
    data = call.event.data
    amount = quantity(data["quantity"])
    amount = to_base(amount, items[data["item"]]) if data["item"] in items else amount
    storage = data.get("location", {}).get("storage") or NOWHERE
    place = Place(call.plant, data["item"], amount.uom, storage, data.get("lot") or NOWHERE)
    whom = (data.get("order_id"), data.get("delivery_id"))
    return Kept(0, data["reservation_id"], 0, place, amount.value, *whom)


def keep_reservation(session: Session, call: Call, kept: Kept, message_id: int, actor: str, now: datetime) -> None:
    """In the transaction that keeps its message."""
    until = call.event.data.get("until")
    place = kept.place
    values = {
        "code": kept.code,
        "message_id": message_id,
        "source": call.source.code,
        **{name: getattr(place, name) for name in ("plant", "item", "uom", "lot", "storage")},
        "quantity": kept.left,
        "used": Decimal(0),
        "order_id": kept.order_id,
        "delivery_id": kept.delivery_id,
        "state": ReservationState.OPEN.value,
        "actor": actor[:120],
        "reason": call.event.data.get("reason"),
        "made_at": now,
        "expires_at": None if until is None else datetime.fromisoformat(until),
    }
    session.execute(insert(Reservation).values(values))


def find_reservation(session: Session, code: str) -> Reservation | None:
    return session.scalar(select(Reservation).where(Reservation.code == code))


def hold_reservation(session: Session, code: str) -> Reservation | None:
    """The reservation, until the caller's transaction ends."""
    return session.scalar(select(Reservation).where(Reservation.code == code).with_for_update())


def event_body(data: Mapping[str, Any]) -> bytes:
    """An event that Lineside itself makes, as it is stored."""
    return json.dumps(data, ensure_ascii=False).encode()


def end_reservation(
    session: Session, row: Reservation, ending: ReservationState, message_id: int, now: datetime
) -> bool:
    """Whether it was open until now; held until the caller's transaction ends."""
    ended = (
        update(Reservation)
        .where(Reservation.id == row.id, Reservation.state == ReservationState.OPEN.value)
        .values(state=ending.value, ended_at=now, ended_message_id=message_id)
    )
    done: Any = session.execute(ended, execution_options={"synchronize_session": False})
    return bool(done.rowcount)


def ended_event(row: Reservation, ending: ReservationState, now: datetime, reason: str | None = None) -> dict[str, Any]:
    """The data of the event that tells its end."""
    left = Quantity(row.quantity - row.used, row.uom)
    told = {
        "event_time": now.isoformat().replace("+00:00", "Z"),
        "reservation_id": row.code,
        "item": row.item,
        "quantity": left.wire(),
        "ended": ending.value,
    }
    optional = {"order_id": row.order_id, "delivery_id": row.delivery_id, "lot": row.lot, "reason": reason}
    return told | {name: value for name, value in optional.items() if value}


def ended_message(row: Reservation, data: Mapping[str, Any], note: str) -> Incoming:
    """The message of a reservation whose end nobody sent."""
    body = event_body(data)
    return replace(
        _BLANK,
        plant=row.plant,
        source=row.source,
        source_message_id=f"{row.code}:{data['ended']}",
        body=body,
        digest=hashlib.sha256(body).hexdigest(),
        note=note,
    )


_BLANK = Incoming("", "", "", ENDED, "application/json", b"", "")
