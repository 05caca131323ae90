"""Which mapping serves which payload: one line each, and the only place that knows them all."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mappings.context import Event, InboundContext, OutboundContext


@dataclass(frozen=True)
class InboundMapping:
    """``read`` turns raw bytes into the parsed payload and raises MappingError with the place of the fault;
    ``to_canonical`` turns that into one or more canonical events."""

    read: Callable[[bytes], Any]
    to_canonical: Callable[[Any, InboundContext], Sequence[Event]]

    @cached_property
    def version(self) -> str:
        """Content hash of the mapping's module: the same text gives the same version anywhere."""
        return _module_hash(self.to_canonical)


@dataclass(frozen=True)
class OutboundMapping:
    """``to_document`` turns one canonical event into the JSON-able document that the target's adapter posts;
    None means that this target has nothing to do for this event."""

    to_document: Callable[[Event, OutboundContext], Mapping[str, Any] | None]

    @cached_property
    def version(self) -> str:
        return _module_hash(self.to_document)


def _module_hash(function: Callable[..., Any]) -> str:
    module = inspect.getmodule(function)
    source = inspect.getsource(module if module is not None else function)
    return hashlib.sha256(source.encode()).hexdigest()[:12]


# (mapping family of the source in the topology, type that the source sends) -> mapping
INBOUND: dict[tuple[str, str], InboundMapping] = {}

# (mapping family of the target in the topology, canonical type) -> mapping
OUTBOUND: dict[tuple[str, str], OutboundMapping] = {}
