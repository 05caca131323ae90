"""Tryton's items and stock balances in Lineside's words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from app.adapters.base import Document
from app.adapters.tryton_records import TrytonRecords
from app.adapters.tryton_rest import TrytonRest
from mappings.units import plain

_SOME = [["quantity", "!=", 0]]
# They travel in the address, of which a server takes some 4,000 characters.
_IDS_A_CALL = 100


def items(rest: TrytonRest) -> Iterator[Document]:
    """Every active product that has a code, with the units of its category."""
    units: dict[int, list[dict[str, Any]]] = {}
    for unit in rest.every("product.uom", [], ["category", "symbol", "factor"]):
        units.setdefault(unit["category"], []).append(unit)
    fields = ["code", "name", "default_uom.symbol", "default_uom.category", "default_uom.factor"]
    for product in rest.every("product.product", [["code", "!=", None]], fields):
        base = product["default_uom"]
        yield {
            "code": product["code"],
            "description": product["name"],
            "base_uom": base["symbol"],
            "units": {
                unit["symbol"]: plain(_decimal(unit["factor"]) / _decimal(base["factor"]))
                for unit in units[base["category"]]
                if unit["symbol"] != base["symbol"]
            },
        }


def balances(rest: TrytonRest, records: TrytonRecords) -> Iterator[Document]:
    """What lies in each storage location of each warehouse today, by item and lot; nothing for a zero."""
    for house in rest.every("stock.location", [["type", "=", "warehouse"]], ["code"]):
        domain = [["parent", "child_of", [house["id"]]], ["type", "=", "storage"]]
        for place in rest.every("stock.location", domain, ["code"]):
            yield from _balances_at(rest, records, house["code"], place)


def _balances_at(rest: TrytonRest, records: TrytonRecords, plant: str, place: Mapping[str, Any]) -> Iterator[Document]:
    """Tryton gives an item's whole quantity and the quantity in each lot; what remains lies there without a lot."""
    context = {**records.context, "locations": [place["id"]], "with_childs": False}
    in_lots: dict[int, dict[str, Decimal]] = {}
    for lot in rest.every("stock.lot", _SOME, ["number", "product", "quantity"], context):
        in_lots.setdefault(lot["product"], {})[lot["number"]] = _decimal(lot["quantity"])
    for product in _products_at(rest, set(in_lots), context):
        lots = in_lots.get(product["id"], {})
        without = _decimal(product["quantity"]) - sum(lots.values(), Decimal(0))
        parts: list[tuple[str | None, Decimal]] = [(None, without)] if without else []
        for number, value in [*parts, *lots.items()]:
            yield {
                "plant": plant,
                "item": product["code"],
                "storage": place["code"],
                "lot": number,
                "quantity": {"value": plain(value), "uom": product["default_uom"]["symbol"]},
            }


def _products_at(rest: TrytonRest, in_lots: set[int], context: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Also those of which nothing lies there in sum: as much in a lot as is owed without one."""
    fields = ["code", "quantity", "default_uom.symbol"]
    for product in rest.every("product.product", _SOME, fields, context):
        in_lots.discard(product["id"])
        yield product
    left = sorted(in_lots)
    for start in range(0, len(left), _IDS_A_CALL):
        domain = [["id", "in", left[start : start + _IDS_A_CALL]]]
        yield from rest.every("product.product", domain, fields, context)


def _decimal(number: object) -> Decimal:
    return Decimal(str(number))
