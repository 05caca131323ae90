"""Whether data keep the contract of a canonical type, told to whoever sends them or corrects them."""

from __future__ import annotations

import re
from typing import Any

from app.web.bodies import Kind
from app.web.problems import FieldError, Problem
from mappings.canonical import contract


def check_contract(event_type: str, kind: Kind, data: Any, time: str | None, data_pointer: str) -> Any:
    """The data, with the event's own ``time`` for ``event_time`` where a canonical event does not give that.

    Raises Problem where data of a canonical type break its contract; other types are checked by their mapping.
    """
    if not contract.is_canonical(event_type):
        return data
    if kind != "json":
        raise Problem(422, "refused", f"Type {event_type} is sent as JSON.")
    if time is not None and isinstance(data, dict) and "event_time" not in data:
        data = {**data, "event_time": time}
    try:
        contract.validate(event_type, data)
    except contract.ContractError as error:
        faults = [FieldError(fault.message, pointer=_pointer(data_pointer, fault.path)) for fault in error.faults]
        more = {"code": error.code}
        raise Problem(422, "refused", f"The data break the contract: {error.reason}.", faults, more=more) from None
    return data


def _pointer(prefix: str, path: str) -> str:
    """``outputs[0].quantity.value`` as the JSON pointer ``/outputs/0/quantity/value``."""
    steps = re.findall(r"[^.\[\]]+", path)
    return prefix + "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)
