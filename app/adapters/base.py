"""What every target adapter promises: plain values in, plain values out, no database.

An adapter raises ``Transient``, ``Waiting``, ``Refused``, ``OutcomeUnknown`` or ``TargetPaused`` (app/errors.py) and
nothing else for what a target or a network can do to it. Every call is bounded by ``timeout_seconds``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

Document = Mapping[str, Any]
"""A JSON-able object; quantities and prices in it are decimal strings."""


@dataclass(frozen=True)
class PostingRequest:
    """One posting as the target gets it.

    ``posting_key`` is the same for every attempt and unique to (message, event, target): ``LS`` and 24
    characters, A-Z and 2-7. ``kind`` is the canonical type (``production.completed.v1``).
    """

    posting_key: str
    kind: str
    plant: str
    document: Document


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


class Adapter(Protocol):
    """One instance serves one target and may be called from several threads at once."""

    def post(self, request: PostingRequest) -> TargetAnswer:
        """Give the document its effect in the target. Returns only when the effect is certain."""
        ...

    def find(self, request: PostingRequest) -> TargetAnswer | None:
        """Ask by posting key whether the effect is there. None means: certainly not there.

        Raises OutcomeUnknown (or Transient) when the target cannot tell.
        """
        ...

    def reverse(self, request: PostingRequest, reference: str) -> TargetAnswer:
        """Undo a posted document by the target's own reversal, never by deletion; ``request`` is the original's,
        with the reversal's own posting key."""
        ...

    def read(self, domain: str) -> Iterator[Document]:
        """Master data or balances: ``items`` yields ``{code, description, base_uom, units: {uom: factor string}}``,
        ``balances`` yields ``{plant, item, storage, lot, quantity: {value, uom}}``."""
        ...

    def check(self) -> None:
        """One cheap call that proves address and credentials; raises as the other calls do."""
        ...
