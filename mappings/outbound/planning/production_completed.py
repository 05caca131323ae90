"""``production.completed.v1``: there is more supply; ``final``: the order brings no more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.context import Event, OutboundContext
from mappings.outbound.planning.signals import change, signal


def to_document(event: Event, context: OutboundContext) -> Mapping[str, Any] | None:
    data = event.data
    changes = [change(output, context, 1, kind="produced") for output in data["outputs"]]
    return signal(data, context, changes) | {"final": data["final"]}
