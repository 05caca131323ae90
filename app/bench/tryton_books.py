"""What a run's Tryton says of itself, read over its network API: productions by reference, and the stock that moved."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from app.adapters.bounded_http import BoundedHttp
from app.adapters.tryton_documents import ANY_KEY
from app.adapters.tryton_models import PRODUCTION
from app.adapters.tryton_reading import balances
from app.adapters.tryton_records import TrytonRecords
from app.adapters.tryton_rest import TrytonRest
from app.bench.plain_books import Entry
from app.bench.practice_systems import TRYTON

CALL_SECONDS = 60.0
DONE = "done"
INERT = ("request", "draft", "cancelled")
"""States in which a production has no effect on stock: what a second writer may leave behind."""

Stock = dict[tuple[str, str], Decimal]


@dataclass(frozen=True)
class TrytonState:
    """``entries`` took effect; ``drafts`` have none; ``half_way`` names what is neither, and should not be."""

    entries: tuple[Entry, ...]
    drafts: int
    half_way: tuple[str, ...]
    stock: Mapping[tuple[str, str], Decimal]


class TrytonBooks:
    """``url`` is the server's own, not the proxy's. What lies there when this is made is where the count begins."""

    def __init__(self, url: str, key: str) -> None:
        self._rest = TrytonRest(url, key, BoundedHttp(CALL_SECONDS, 1))
        self._opening = self._on_hand()

    def read(self) -> TrytonState:
        domain = ["OR", ["reference", "like", ANY_KEY], ["reference", "like", f"{ANY_KEY} %"]]
        productions = list(self._rest.every(PRODUCTION, domain, ["reference", "state", "number", "write_date"]))
        return sorted_out(productions, self._moved())

    def _moved(self) -> Stock:
        now = self._on_hand()
        changes = {where: now[where] - self._opening[where] for where in now.keys() | self._opening.keys()}
        return {where: change for where, change in changes.items() if change}

    def _on_hand(self) -> Stock:
        found: Stock = defaultdict(Decimal)
        for row in balances(self._rest, TrytonRecords(self._rest, None)):
            found[row["storage"], row["item"]] += Decimal(row["quantity"]["value"])
        return found


def sorted_out(productions: Iterable[Mapping[str, Any]], stock: Mapping[tuple[str, str], Decimal]) -> TrytonState:
    """A production's last write is the one that made it done; their order is the order in which they took effect."""
    entries, drafts, half_way = [], 0, []
    for production in productions:
        key = production["reference"].partition(" ")[0]
        if production["state"] == DONE:
            entries.append(Entry(_microseconds(production["write_date"]), TRYTON, key, PRODUCTION))
        elif production["state"] in INERT:
            drafts += 1
        else:
            half_way.append(f"{TRYTON} {key} is {production['state']}")
    return TrytonState(tuple(sorted(entries, key=lambda entry: entry.number)), drafts, tuple(half_way), stock)


def _microseconds(wire: Mapping[str, Any]) -> int:
    day = datetime(wire["year"], wire["month"], wire["day"], wire["hour"], wire["minute"], wire["second"], tzinfo=UTC)
    return round(day.timestamp()) * 1_000_000 + int(wire["microsecond"])
