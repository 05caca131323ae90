"""What every target adapter promises: plain values in, plain values out, no database.

An adapter raises ``Transient``, ``Waiting``, ``Refused``, ``OutcomeUnknown`` or ``TargetPaused`` (app/errors.py) and
nothing else for what a target or a network can do to it. ``post``, ``find`` and ``reverse`` end within
``timeout_seconds`` each, with all the calls that they make (app/adapters/budget.py), and nothing goes out later: the
lane's lease rests on that. What time ends before anything was written is Transient, and after that OutcomeUnknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TypedDict

from config.topology import Periods

Document = Mapping[str, Any]
"""A JSON-able object; quantities and prices in it are decimal strings."""


@dataclass(frozen=True)
class PostingRequest:
    """One posting as the target gets it.

    ``posting_key`` is the same for every attempt and unique to (message, event, target): ``LS`` and 24
    characters, A-Z and 2-7. ``kind`` is the canonical type (``production.completed.v1``). ``again``: a person said that
    the target does not hold it, so a mark of ours that it was handed over proves nothing.
    """

    posting_key: str
    kind: str
    plant: str
    document: Document
    again: bool = False


@dataclass(frozen=True)
class TargetAnswer:
    """What the target holds now: its own reference for the document, and the answer worth keeping as proof."""

    reference: str
    body: Document = field(default_factory=dict)


@dataclass(frozen=True)
class TargetSettings:
    """A target's block of the topology with its secret resolved: all that an adapter may know.

    ``calls_in_flight`` is how many threads call at once, so how many connections are worth keeping."""

    code: str
    url: str
    timeout_seconds: float
    options: Mapping[str, Any]
    secret: str | None = field(default=None, repr=False)
    drop_dir: Path | None = None
    calls_in_flight: int = 4
    periods: Periods | None = None


class PlannedOrder(TypedDict, total=False):
    """A production order that the plant may begin, as its system tells it; whoever reads it checks it.

    ``plant`` is the system's own code of the place. ``start`` and ``end`` are instants with their offset, or days of
    the plant (``2026-03-02``). ``changed_at`` is an instant of the system's clock. ``fault`` says why the order cannot
    be used, where the system itself shows that.
    """

    plant: Any
    order_id: Any
    item: Any
    quantity: Any
    start: Any
    end: Any
    segments: Any
    materials: Any
    document_ref: Any
    note: Any
    changed_at: Any
    fault: str


class Adapter(Protocol):
    """One instance serves one target and may be called from several threads at once."""

    def post(self, request: PostingRequest) -> TargetAnswer:
        """Give the document its effect in the target. Returns only when the effect is certain."""
        ...

    def find(self, request: PostingRequest) -> TargetAnswer | None:
        """Ask by posting key whether the effect is there. None means: certainly not there.

        Raises OutcomeUnknown (or Transient) when the target cannot tell, NotTaken when it tells that it refused it.
        """
        ...

    def reverse(self, request: PostingRequest, reference: str) -> TargetAnswer:
        """Undo a posted document by the target's own reversal, never by deletion; ``request`` is the original's,
        with the reversal's own posting key."""
        ...

    def read(self, domain: str, since: datetime | None = None) -> Iterator[Document]:
        """Master data, balances or orders: ``items`` yields ``{code, description, base_uom, units: {uom: factor
        string}}``, and where it is known ``standard_cost: {value, currency}``; ``balances`` yields ``{plant, item,
        storage, lot, quantity: {value, uom}}``; ``production_orders`` yields ``PlannedOrder``. With ``since``, an
        instant of the target's clock, it may leave out what has not changed from then on.
        """
        ...

    def check(self) -> None:
        """One cheap call that proves address and credentials; raises as the other calls do."""
        ...
