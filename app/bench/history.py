"""Fill a database with messages that took effect, as a plant's months would: orders with issues and completions of
lots, receipts, moves and shipments."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import func, insert, select

from app.projections.items import save_items
from app.projections.production_orders import open_orders
from app.store.ledger_tables import Effect
from app.store.messages_tables import Message, MessageDocument, Payload
from app.store.reference_tables import ProductionOrder
from app.store.session import Store

PLANTS = ("P100", "P200", "P300")
ITEMS = 3_000
PLACES = 6
"""Storage locations a plant; with its items they are some 50,000 balances."""

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
CHUNK = 5_000
MESSAGES_AN_ORDER = 10


@dataclass(frozen=True)
class Made:
    """One message that is stored as posted, with its event."""

    plant: str
    type: str
    data: dict[str, Any]
    key: str | None


def item(number: int) -> str:
    return f"ITEM-{number % ITEMS:05d}"


def order_number(number: int) -> str:
    return f"{1_000_000 + number}"


def lot(number: int) -> str:
    return f"LOT-{number:07d}"


def _amount(value: int) -> dict[str, str]:
    return {"value": str(value), "uom": "EA"}


def messages_of_order(number: int, random: Random) -> Iterator[Made]:
    """An order's life: what it is made of comes in, goes to the line, is consumed, and becomes a lot that is shipped.
    Of five orders in turn each but the first is made of what the one before it made, so that lots have ancestors."""
    plant = PLANTS[number % len(PLANTS)]
    order, made, part = order_number(number), item(random.randrange(ITEMS)), item(random.randrange(ITEMS))
    bought, lot_made = lot(2 * number), lot(2 * number + 1)
    used = (made_by(number - 1), lot(2 * number - 1)) if number % 5 else (part, bought)
    at = (BEGIN + timedelta(minutes=number)).isoformat().replace("+00:00", "Z")
    stored = f"{plant}-{random.randrange(PLACES)}"
    head = {"event_time": at, "order_id": order}
    key = f"order:{order}"
    received = {name: _amount(30 if name != "rejected" else 0) for name in ("received", "accepted", "rejected")}
    reference = {"type": "purchase_order", "id": f"45{number:08d}", "line": "1"}
    place = {"location": {"storage": stored}}
    bought_data = {"event_time": at, "document_ref": reference, "item": part, "lot": bought, **received, **place}
    yield Made(plant, "receipt.recorded.v1", bought_data, f"lot:{bought}")
    released = {**head, "item": made, "quantity": _amount(12), "start": at, "end": at}
    yield Made(plant, "production.order.released.v1", released, key)
    ends = {"from": {"storage": stored}, "to": {"storage": f"{plant}-LINE"}}
    moved = {"event_time": at, "item": part, "quantity": _amount(20), "lot": bought, **ends}
    yield Made(plant, "inventory.moved.v1", moved, f"lot:{bought}")
    for turn in range(3):
        line = {"item": used[0], "lot": used[1], "quantity": _amount(4), "storage": f"{plant}-LINE"}
        yield Made(plant, "material.issued.v1", {**head, "components": [line]}, key)
        line = {"item": made, "lot": lot_made, "quantity": _amount(4), "storage": stored}
        final = turn == 2 and number % 4 != 0
        yield Made(plant, "production.completed.v1", {**head, "outputs": [line], "final": final}, key)
    gone = {"item": made, "lot": lot_made, "quantity": _amount(6)}
    yield Made(
        plant, "shipment.confirmed.v1", {"event_time": at, "delivery_id": f"D{number}", "lines": [gone], **place}, None
    )


def made_by(number: int) -> str:
    """What this order makes: the first that is drawn for it."""
    return item(Random(number).randrange(ITEMS))


def fill(store: Store, first: int, last: int, advance: Callable[[float], None]) -> None:
    """Store the messages from ``first`` to ``last`` as posted, and not yet entered into the projections."""
    context = {
        item(number): {"description": f"Item {number}", "base_uom": "EA", "units": {}} for number in range(ITEMS)
    }
    with store.writing() as session:
        save_items(session, [{"code": code, **told} for code, told in context.items()], "bench", BEGIN)
    orders = range(first // MESSAGES_AN_ORDER, last // MESSAGES_AN_ORDER)
    waiting: list[Made] = []
    for number in orders:
        waiting += messages_of_order(number, Random(number))
        if len(waiting) >= CHUNK or number == orders[-1]:
            _store(store, waiting, context)
            waiting = []
            advance((number + 1 - orders[0]) / len(orders))


def _store(store: Store, made: list[Made], context: dict[str, dict[str, Any]]) -> None:
    with store.writing() as session:
        begin = (session.execute(select(func.max(Message.id))).scalar_one() or 0) + 1
        rows = [_message(begin + place, one) for place, one in enumerate(made)]
        session.connection().execute(insert(Message), rows)
        documents = [
            {"message_id": begin + place, "step": "enriched", "at": BEGIN, "body": [_enriched(one, context)]}
            for place, one in enumerate(made)
        ]
        session.connection().execute(insert(MessageDocument), documents)
        payloads = [
            {"message_id": begin + place, "content_type": "application/json", "body": json.dumps(one.data).encode()}
            for place, one in enumerate(made)
        ]
        session.connection().execute(insert(Payload), payloads)
        effects = [{"message_id": row["id"], "undo": False, "at": row["state_at"]} for row in rows]
        session.connection().execute(insert(Effect), effects)
        _release(session, [(row["id"], one) for row, one in zip(rows, made, strict=True)])


def _message(number: int, one: Made) -> dict[str, Any]:
    moment = datetime.fromisoformat(one.data["event_time"])
    named = f"B-{number}"
    return {
        "id": number,
        "plant": one.plant,
        "source": "mes",
        "source_message_id": named,
        "type": one.type,
        "digest": hashlib.sha256(named.encode()).hexdigest(),
        "state": "posted",
        "lane": 1 + number % 16,
        "ordering_key": one.key,
        "key_rank": one.data["event_time"],
        "received_at": moment,
        "state_at": moment,
    }


def _enriched(one: Made, context: dict[str, dict[str, Any]]) -> dict[str, Any]:
    lines = [one.data, *one.data.get("components", ()), *one.data.get("outputs", ()), *one.data.get("lines", ())]
    named = {line["item"]: context[line["item"]] for line in lines if "item" in line}
    return {"type": one.type, "data": one.data, "context": {"plant": {"code": one.plant}, "items": named}}


def _release(session: Any, made: list[tuple[int, Made]]) -> None:
    """Orders as the pipeline makes them when a release takes effect."""
    released = [(key, one) for key, one in made if one.type == "production.order.released.v1"]
    open_orders(session, {(one.plant, one.data["order_id"]) for _, one in released}, BEGIN)
    for key, one in released:
        order = session.get(ProductionOrder, (one.plant, one.data["order_id"]))
        order.item, order.uom, order.planned, order.released_message_id = one.data["item"], "EA", 12, key
        order.planned_end_at = datetime.fromisoformat(one.data["end"])
