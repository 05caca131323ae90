"""Which warehouse and which location of Tryton a plant's storage is.

Mapping options: ``locations`` gives the warehouse's code per plant (default: the plant's own code); ``storages`` gives
per plant the codes of ``stock``, ``work_in_process``, ``scrap`` (default: the warehouse's code with ``-ST``, ``-WIP``,
``-SCRAP``); ``consume`` is ``bom`` (a completion consumes what the bill of materials says) or ``none`` (the plant
reports its issues itself), for all plants or by plant.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from mappings.context import MappingError, OutboundContext

_SUFFIXES = {"stock": "ST", "work_in_process": "WIP", "scrap": "SCRAP"}


def warehouse(context: OutboundContext, plant: str | None = None) -> str:
    code = plant or context.plant.code
    return str(context.options.get("locations", {}).get(code, code))


def storage(context: OutboundContext, role: str, plant: str | None = None) -> str:
    """The location that plays this role in the plant; of the event's own plant where none is named."""
    code = plant or context.plant.code
    chosen = context.options.get("storages", {}).get(code, {}).get(role)
    if chosen is None and role == "stock" and code == context.plant.code:
        chosen = context.plant.options.get("storage")
    return str(chosen or f"{warehouse(context, code)}-{_SUFFIXES[role]}")


def consumes_by_bill(context: OutboundContext) -> bool:
    chosen = context.options.get("consume", "bom")
    if isinstance(chosen, Mapping):
        chosen = chosen.get(context.plant.code, "bom")
    if chosen not in ("bom", "none"):
        raise MappingError(
            "option_invalid",
            f"The mapping option consume is {chosen!r}; set it to bom or none in the topology file, then requeue.",
        )
    return bool(chosen == "bom")


def document(form: str, data: Mapping[str, Any], context: OutboundContext) -> dict[str, Any]:
    """What every form begins with: the plant's warehouse, the plant's own day and words that a planner finds again."""
    moment = datetime.fromisoformat(data["event_time"]).astimezone(ZoneInfo(context.plant.timezone))
    return {
        "form": form,
        "warehouse": warehouse(context),
        "day": moment.date().isoformat(),
        "note": " ".join(str(data[name]) for name in ("order_id", "segment") if data.get(name)),
    }


def line(part: Mapping[str, Any], storage_code: str | None = None) -> dict[str, Any]:
    """One item with its amount. Without a storage Tryton picks from, or puts into, the warehouse's own."""
    amount = part["quantity"]
    return {
        "item": part["item"],
        "lot": part.get("lot"),
        "quantity": amount["value"],
        "uom": amount["uom"],
        "storage": part.get("storage") or storage_code,
    }
