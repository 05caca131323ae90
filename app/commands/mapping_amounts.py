"""What a change of mappings does to quantities and to their value, as rows."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from sqlalchemy.orm import Session

from app.commands.printing import plain_line
from app.mapping_changes.comparison import Comparison
from app.mapping_changes.worth import Worth, by_field, worth_of
from mappings.units import plain

SHOWN_MOST = 50


def amount_rows(comparison: Comparison, session: Session) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Of each item, unit and kind of amount: the sums old and new over the messages that change, as exact decimals, and
    what they are worth; and the values of all items by field and currency."""
    changes = comparison.changed_amounts()
    worths = worth_of(session, changes)
    rows = [
        {
            "item": key.item,
            "uom": key.uom,
            "type": key.type,
            "field": key.field,
            "old": plain(old),
            "new": plain(new),
            "difference": plain(new - old),
            "value": _value(worth),
            "value_unknown": worth.unknown,
        }
        for (key, old, new), worth in zip(changes, worths, strict=True)
    ]
    fields = [
        {
            "type": kind,
            "field": name,
            "values": [_value(Worth(old, new, currency)) for currency, (old, new) in sorted(found.sums.items())],
            "unknown_items": [{"item": item, "reason": reason} for item, reason in found.unknown.items()],
            "unknown_count": found.unknown_count,
        }
        for (kind, name), found in by_field(changes, worths).items()
    ]
    return rows, fields


def _value(worth: Worth) -> dict[str, str] | None:
    if worth.currency is None:
        return None
    return {
        "currency": worth.currency,
        "old": plain(worth.old),
        "new": plain(worth.new),
        "difference": plain(worth.new - worth.old),
    }


def print_amounts(console: Console, rows: list[dict[str, Any]], fields: list[dict[str, Any]], left_out: int) -> None:
    if rows:
        plain_line(console, "Quantities, over the messages that change")
    for row in rows[:SHOWN_MOST]:
        kind = f"{row['type']} {row['field']}"
        sums = f"{row['old']} -> {row['new']} {row['uom']}, difference {row['difference']}"
        worth = f"worth {_sums(row['value'])}" if row["value"] else f"value unknown: {row['value_unknown']}"
        plain_line(console, f"  {row['item']:<20} {sums}; {worth}  ({kind})")
    if len(rows) > SHOWN_MOST:
        plain_line(console, f"  and {len(rows) - SHOWN_MOST} more; --json has all.")
    if left_out:
        plain_line(console, f"  Left out: {left_out} messages whose amounts cannot be added up here.")
    if fields:
        plain_line(console, "Their value at standard cost, by field")
    for each in fields:
        _print_field(console, each)
    if rows or left_out:
        plain_line(console, "")


def _print_field(console: Console, told: dict[str, Any]) -> None:
    sums = [_sums(value) for value in told["values"]]
    if told["unknown_count"]:
        items = ", ".join(each["item"] for each in told["unknown_items"][:3])
        more = ", ..." if told["unknown_count"] > min(3, len(told["unknown_items"])) else ""
        sums.append(f"without {told['unknown_count']} items of unknown value ({items}{more})")
    plain_line(console, f"  {told['type']} {told['field']}: {'; '.join(sums)}")


def _sums(value: dict[str, str]) -> str:
    return f"{value['old']} -> {value['new']} {value['currency']}, difference {value['difference']}"
