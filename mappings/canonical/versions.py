"""Two versions of a type side by side: both are accepted and kept as they came, and read as the newest.

A type whose contract must change gets a new version beside the old one: its schema in SCHEMAS under the new name, and
here how data of the old one become data of the new. Routes, mappings and projections speak of the newest alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mappings.context import Event

Upcast = Callable[[Mapping[str, Any]], dict[str, Any]]
"""Valid data of one version into valid data of the next. Pure, and it cannot fail: what the new version demands beyond
the old one it must be able to tell from the old data."""

# Type -> the version that follows it, and how its data become that one's.
UPCASTS: dict[str, tuple[str, Upcast]] = {}


def newest(event: Event) -> Event:
    """The event in the newest version of its type; itself where there is no newer one."""
    while (following := UPCASTS.get(event.type)) is not None:
        event = Event(following[0], following[1](event.data))
    return event


def newest_type(event_type: str) -> str:
    while (following := UPCASTS.get(event_type)) is not None:
        event_type = following[0]
    return event_type
