"""The feed as a Parquet file. pyarrow is large and loaded only when a file is asked for (extra ``parquet``)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from importlib import import_module
from types import ModuleType
from typing import IO, Any

from app.projections.feed_reading import COMPENSATED, Told
from mappings.canonical import contract
from mappings.context import Event

_NAMED = ("item", "lot", "order_id")


class ParquetMissing(Exception):
    """pyarrow is not installed; the text says how to get it."""


def load_pyarrow() -> tuple[ModuleType, ModuleType]:
    """pyarrow and its Parquet module. Raises ParquetMissing."""
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        raise ParquetMissing("Parquet needs pyarrow: install Lineside with its extra `parquet`") from None


def write_parquet(file: str | IO[bytes], pages: Iterable[Sequence[Told]]) -> int:
    """One row an event, one row group a page; returns how many rows. Amounts are decimal texts, as in the events, since
    no fixed number of digits holds them all; ``data`` is the event's data as JSON. Raises ParquetMissing."""
    pa, parquet = load_pyarrow()
    schema = _schema(pa)
    rows = 0
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for page in pages:
            if page:
                writer.write_table(pa.Table.from_pylist([_row(told) for told in page], schema=schema))
                rows += len(page)
    return rows


def _schema(pa: Any) -> Any:
    text, whole, instant = pa.string(), pa.int64(), pa.timestamp("us", tz="UTC")
    fields = [("position", whole, False), ("id", text, False), ("type", text, False), ("time", instant, True)]
    fields += [("plant", text, False), ("sender", text, False), ("message_id", whole, False)]
    fields += [("ordering_key", text, True), ("compensates", text, True)]
    fields += [(name, text, True) for name in (*_NAMED, "quantity", "uom", "data")]
    return pa.schema([pa.field(name, kind, nullable=nullable) for name, kind, nullable in fields])


def _row(told: Told) -> dict[str, Any]:
    event = told.cloud_event
    data: Mapping[str, Any] = event["data"] or {}
    is_undone = event["type"] == COMPENSATED
    amount = None if is_undone or not data else _amount(event["type"], data)
    return {
        "position": told.position,
        "id": event["id"],
        "type": event["type"],
        "time": datetime.fromisoformat(event["time"]) if event["time"] else None,
        "plant": event["plant"],
        "sender": event["sender"],
        "message_id": int(event["messageid"]),
        "ordering_key": event.get("partitionkey"),
        "compensates": data["id"] if is_undone else None,
        **{name: data.get(name) for name in _NAMED},
        "quantity": amount["value"] if amount else None,
        "uom": amount["uom"] if amount else None,
        "data": json.dumps(event["data"], ensure_ascii=False) if event["data"] is not None else None,
    }


def _amount(event_type: str, data: Mapping[str, Any]) -> Mapping[str, str] | None:
    """The one amount of an event that has just one; of several the data say which is which."""
    amounts = contract.quantities(Event(event_type, data))
    if len(amounts) != 1 or "." in amounts[0].place or "[" in amounts[0].place:
        return None
    found: Mapping[str, str] = data[amounts[0].place]
    return found
