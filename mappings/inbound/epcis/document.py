"""``epcis.EPCISDocument`` and ``epcis.Event``: what a body of EPCIS events says, in their order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from mappings.context import Event, InboundContext, NothingToDo
from mappings.formats.cbv import ERRORS
from mappings.formats.epcis import events_in
from mappings.formats.gs1_identifiers import LogisticUnit
from mappings.inbound.epcis.events import Reported, reported, unsupported
from mappings.inbound.epcis.goods import Scope
from mappings.inbound.epcis.items import identified
from mappings.inbound.epcis.steps import events_of
from mappings.inbound.epcis.times import declaration_time
from mappings.inbound.payload import wrong

_PACKING = "packing"


def to_canonical(payload: Any, context: InboundContext) -> Sequence[Event]:
    """Every event is mapped, ignored by the source's options, passed over with a note since nothing is posted of it, or
    drawn on by another; the first that is none of these refuses the body, since one message is posted as a whole."""
    scope = Scope(context)
    told = list(_each_once(payload, context))
    packings = {id(event): sscc for event in told if (sscc := _packed(event, scope)) is not None}
    corrections = _corrections(told)
    events: list[Event] = []
    for event in told:
        if id(event) not in packings and not _is_ignored(event, context):
            events += _events(event, corrections, scope)
    _check_packings(told, packings, scope)
    if events:
        return events
    ignored = sum(_is_ignored(event, context) for event in told)
    if ignored == len(told):
        return NothingToDo("every event is of a step that the source's option ignored_steps names.")
    return NothingToDo("the events say nothing that is posted.")


def _each_once(payload: Any, context: InboundContext) -> Iterator[Reported]:
    """An event that stands in the body twice has happened once; a declaration has the id of what it declares wrong."""
    seen: dict[tuple[str, bool], Any] = {}
    for raw in events_in(payload, context.deviations):
        event = reported(raw, context)
        key = (event.fields.get("event_id", ""), "declaration" in event.fields)
        if not key[0] or seen.setdefault(key, raw.value) is raw.value:
            yield event
        elif seen[key] == raw.value:
            context.deviations.allow("event_repeated", "the event stands in the body before", raw.place)
        else:
            told = f"{event.at('eventID')} is that of another event of this body"
            raise wrong("event_id_repeated", told, event.at("eventID"))


def _packed(event: Reported, scope: Scope) -> str | None:
    """The package that the event says the content of, which is kept for the events that name it."""
    if event.type != "AggregationEvent" or event.step != _PACKING or event.action == "DELETE":
        return None
    if "parent" not in event.fields or "declaration" in event.fields:
        return None
    unit = identified(event.fields["parent"], event.at("parentID"), scope.context)
    if not isinstance(unit, LogisticUnit):
        return None
    scope.packed.setdefault(unit.sscc, []).append(event)
    return unit.sscc


def _check_packings(told: Sequence[Reported], packings: dict[int, str], scope: Scope) -> None:
    for event in told:
        sscc = packings.get(id(event))
        if sscc is not None and sscc not in scope.drawn and not _is_ignored(event, scope.context):
            mend = (
                "Have it sent together with the event that ships or moves the package, or list packing in the source's "
                "option ignored_steps in the topology file, then requeue."
            )
            raise unsupported(event, "bizStep", f"is packing, and no other event names package {sscc}", mend)


def _is_ignored(event: Reported, context: InboundContext) -> bool:
    ignored = context.options.get("ignored_steps", ())
    if not ignored or event.step is None:
        return False
    names = {event.step, str(event.fields.get("step"))}
    return any(name in ignored or f"{name}/{word}" in ignored for name in names for word in (*event.dispositions, ""))


def _corrections(told: Sequence[Reported]) -> dict[str, str]:
    """Corrective event -> the event that it takes the place of, as far as the declarations of this body say."""
    return {
        corrective: event.fields["event_id"]
        for event in told
        if "declaration" in event.fields and "event_id" in event.fields
        for corrective in event.fields["declaration"]["corrective"]
    }


def _events(event: Reported, corrections: dict[str, str], scope: Scope) -> Sequence[Event]:
    if "declaration" in event.fields:
        return _undone(event, scope)
    replaced = corrections.get(event.fields.get("event_id", ""))
    events = events_of(event, scope)
    return events if replaced is None else [_with(one, note=f"Instead of event {replaced}.") for one in events]


def _undone(event: Reported, scope: Scope) -> Sequence[Event]:
    """An error declaration says that its event is wrong, whatever the reason: a move goes back and an adjustment is
    taken back. The other canonical events have no opposite; a person reverses them."""
    declaration, context = event.fields["declaration"], scope.context
    if "event_id" not in event.fields:
        raise unsupported(event, "eventID", "is missing, so nobody knows which event is wrong", "Have it sent with it.")
    if reason := declaration.get("reason"):
        ERRORS.read(reason, context.deviations, event.at("errorDeclaration.reason"))
    times = {"event_time": declaration_time(event.raw, declaration["time"], context)}
    undone = []
    for one in events_of(replace(event, times=times), scope):
        if (opposite := _opposite(one)) is None:
            told = f"declares event {event.fields['event_id'][:120]!r} wrong, which was a {one.type}"
            mend = (
                "Reverse the posting of the message that brought it, then take the event out of this one and resubmit "
                "it, or discard it where it says nothing else."
            )
            raise unsupported(event, "errorDeclaration", told, mend)
        # No correction_of: this event is the undoing itself, and a correction would have its message reversed besides.
        undone.append(_with(opposite, note=f"Event {event.fields['event_id']} is declared wrong."))
    return undone


def _opposite(event: Event) -> Event | None:
    if event.type == "inventory.moved.v1":
        return _with(event, **{"from": event.data["to"], "to": event.data["from"]})
    if event.type == "inventory.adjusted.v1":
        delta = event.data["delta"]
        value = delta["value"]
        opposite = value[1:] if value.startswith("-") else f"-{value}"
        return _with(event, delta=delta | {"value": opposite})
    return None


def _with(event: Event, **values: Any) -> Event:
    return Event(event.type, {**event.data, **values})
