"""Goods that may not be used, and goods that may be used again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mappings.context import Event
from mappings.inbound.epcis.events import Reported, unsupported
from mappings.inbound.epcis.goods import Scope, lists_of, whole_goods
from mappings.inbound.epcis.heads import document_number, head
from mappings.inbound.epcis.logistics import REJECTED
from mappings.inbound.payload import present

_RESULT = "testres"
_VERDICTS = frozenset({"conformant", "non_conformant"})


def held(event: Reported, scope: Scope) -> Sequence[Event]:
    """Set aside: blocked where the disposition says what is wrong with it, else awaiting its inspection."""
    if "conformant" in event.dispositions:
        mend = "Have it sent as inspecting, or correct it here and resubmit it."
        raise unsupported(event, "disposition", "is conformant, and the step is holding: one of the two is wrong", mend)
    faults = sorted(event.dispositions & REJECTED)
    status, reason = ("blocked", faults[0]) if faults else ("quality", "holding")
    return _changes("quality.held.v1", {"status": status, "reason": reason}, event, scope)


def inspected(event: Reported, scope: Scope) -> Sequence[Event]:
    verdicts = event.dispositions & _VERDICTS
    if not verdicts and "in_progress" in event.dispositions:
        scope.context.deviations.pass_over("the inspection goes on", event.at("disposition"))
        return ()
    if len(verdicts) != 1:
        mend = (
            "The disposition conformant or non_conformant says how it ended, and in_progress that it goes on. Correct "
            "it here and resubmit it, or list inspecting in the source's option ignored_steps, then requeue."
        )
        raise unsupported(event, "disposition", "does not say how the inspection ended", mend)
    if "conformant" in verdicts:
        return _changes("quality.released.v1", {"status": "unrestricted"}, event, scope)
    return _changes("quality.held.v1", {"status": "blocked", "reason": "non_conformant"}, event, scope)


def _changes(kind: str, change: dict[str, Any], event: Reported, scope: Scope) -> Sequence[Event]:
    number = document_number(event, _RESULT)
    reference = {"type": "test_result", "id": number} if number else None
    data = present(**head(event, scope.context), **change, inspection_ref=reference)
    return [Event(kind, data | line) for line in whole_goods(event, lists_of(event), scope, measured=False)]
