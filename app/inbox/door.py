"""Where messages enter: stored and committed first, then their plants are nudged, then the sender is answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from app.inbox.accept import Acceptance, Incoming, accept_messages
from app.store.session import Store


class Nudges(Protocol):
    def nudge(self, plant: str, count: int) -> None:
        """Ask soon for ``count`` messages of the plant to be worked on; never blocks and never raises."""


class Door:
    """Every web request stores its messages through here, so that requests which arrive together can share a commit
    by a change to this class alone."""

    def __init__(self, store: Store, nudges: Nudges, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._nudges = nudges
        self._clock = clock

    def admit(self, incoming: Sequence[Incoming]) -> list[Acceptance]:
        """Store these messages in one commit; one answer each, in order. Raises what the database raises, and then
        nothing was accepted."""
        if not incoming:
            return []
        with self._store.writing() as session:
            acceptances = accept_messages(session, incoming, self._clock())
        new = Counter(
            message.plant
            for message, acceptance in zip(incoming, acceptances, strict=True)
            if acceptance.status == "accepted"
        )
        for plant, count in new.items():
            self._nudges.nudge(plant, count)
        return acceptances
