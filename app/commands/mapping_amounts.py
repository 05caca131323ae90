"""What a change of mappings does to quantities, as rows."""

from __future__ import annotations

from rich.console import Console

from app.commands.printing import plain_line
from app.mapping_changes.comparison import Comparison
from mappings.units import plain

SHOWN_MOST = 50


def amount_rows(comparison: Comparison) -> list[dict[str, str]]:
    """Of each item, unit and kind of amount: the sums old and new over the messages that change, as exact decimals."""
    return [
        {
            "item": key.item,
            "uom": key.uom,
            "type": key.type,
            "field": key.field,
            "old": plain(old),
            "new": plain(new),
            "difference": plain(new - old),
        }
        for key, old, new in comparison.changed_amounts()
    ]


def print_amounts(console: Console, rows: list[dict[str, str]], left_out: int) -> None:
    if rows:
        plain_line(console, "Quantities, over the messages that change")
    for row in rows[:SHOWN_MOST]:
        kind = f"{row['type']} {row['field']}"
        sums = f"{row['old']} -> {row['new']} {row['uom']}, difference {row['difference']}"
        plain_line(console, f"  {row['item']:<20} {sums}  ({kind})")
    if len(rows) > SHOWN_MOST:
        plain_line(console, f"  and {len(rows) - SHOWN_MOST} more; --json has all.")
    if left_out:
        plain_line(console, f"  Left out: {left_out} messages whose amounts cannot be added up here.")
    if rows or left_out:
        plain_line(console, "")
