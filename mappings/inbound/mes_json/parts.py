"""What the MES's messages share: the order they are about, the work place, and positions of material."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import fields

from mappings.canonical.fields import BoundedList, Code, Flag
from mappings.canonical.parts import Part
from mappings.context import InboundContext
from mappings.inbound.payload import Number, Payload, amount, present, storage_code, wrong
from mappings.inbound.plant_time import from_iso


class Order(Payload):
    nummer = Code(required=True)
    vorgang = Code()
    fertig = Flag(load_default=False)
    transformation = Code()


class WorkPlace(Payload):
    bereich = Code()
    linie = Code()
    station = Code()


class Message(Payload):
    ts = Code(required=True)
    arbeitsplatz = Part(WorkPlace)


class OrderMessage(Message):
    auftrag = Part(Order, required=True)


class Position(Payload):
    material = Code(required=True)
    charge = Code()
    teilcharge = Code()
    seriennummern = BoundedList(Code())
    menge = Number(required=True)
    einheit = Code(required=True)
    lagerort = Code()


def positions(schema: type[Payload] = Position) -> fields.Field[Any]:
    return BoundedList(Part(schema), low=1, required=True)


def line(position: Mapping[str, Any], context: InboundContext, place: str = "") -> dict[str, Any]:
    """A position as a canonical line."""
    return present(
        item=position["material"],
        lot=position.get("charge"),
        sub_lot=position.get("teilcharge"),
        serials=position.get("seriennummern"),
        quantity=amount(position["menge"], position["einheit"], context, f"{place}.menge" if place else "menge"),
        storage=storage_code(position.get("lagerort"), context, f"{place}.lagerort" if place else "lagerort"),
    )


def head(message: Mapping[str, Any], context: InboundContext) -> dict[str, Any]:
    """When and where: the part of a canonical event that every message has."""
    work_place = message.get("arbeitsplatz", {})
    return present(
        event_time=from_iso(message["ts"], context.plant, "ts"),
        location=present(
            site=context.plant.code,
            area=work_place.get("bereich"),
            work_center=work_place.get("linie"),
            work_unit=work_place.get("station"),
        ),
    )


_STATUSES = {"F": "unrestricted", "Q": "quality", "S": "blocked"}


def stock_status(code: str | None, place: str) -> str | None:
    """``F`` (frei), ``Q`` (Qualitaet), ``S`` (gesperrt), as the MES's screens show them."""
    if code is not None and code not in _STATUSES:
        raise wrong("stock_status_unknown", f"{place} is {code[:20]!r}; the MES has F, Q and S", place)
    return _STATUSES.get(code) if code else None
