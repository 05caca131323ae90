"""A graph of lots to trace, of as many links as are wanted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from decimal import Decimal

from app.projections.lot_links import IN, OUT, Link, LinkKey, add_links
from app.projections.lot_trace import Direction, trace
from app.store.session import Store


def trace_links(store: Store, links: int) -> tuple[int, float]:
    """One product whose parts' parts fan out tenfold at each level. On SQLite, which works within the process, by its
    processor's time."""
    with store.writing() as session:
        add_links(session, list(_graph(links)))
    now = time.process_time if store.is_sqlite else time.monotonic
    with store.reading() as session:
        began = now()
        found = trace(session, "GRAPH", "G0", Direction.UP, links)
    return len(found.links), now() - began


def _graph(links: int) -> Iterator[Link]:
    """Lot n is made of lots 10 n + 1 to 10 n + 10: one link out of each transformation, ten into it."""
    for number in range(links // 11 + 1):
        step = f"G{number}"
        yield Link(LinkKey("P100", step, OUT, "GRAPH", f"G{number}", "EA"), Decimal(1), step)
        for part in range(10 * number + 1, 10 * number + 11):
            yield Link(LinkKey("P100", step, IN, "GRAPH", f"G{part}", "EA"), Decimal(1), step)
