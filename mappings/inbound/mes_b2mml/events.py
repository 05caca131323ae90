"""``b2mml.OperationsEvent``: a machine that entered another state.

An operations event may be about anything. It tells a state where a record within it holds an Equipment with a property
that the source's option ``state_property`` names (unless told, ``State`` or ``EquipmentState``); ``PreviousState``
beside it is where the machine came from. Every other event is refused: nothing is posted for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mappings.canonical.fields import Code, Text
from mappings.canonical.parts import parts
from mappings.context import Event, InboundContext, MappingError
from mappings.inbound.mes_b2mml.parts import Place, levels, texts, where
from mappings.inbound.payload import Payload, load, present, wrong
from mappings.inbound.plant_time import from_iso

_STATES = ("State", "EquipmentState")
_PREVIOUS = "PreviousState"


class Equipment(Payload):
    place = Place(required=True)
    id = Code()
    location = levels()
    properties = texts()


class OperationsEvent(Payload):
    place = Place(required=True)
    id = Code()
    kind = Code()
    description = Text()
    time = Code()
    recorded = Code()
    location = levels()
    equipment = parts(Equipment, load_default=list)


class Events(Payload):
    created = Code()
    events = parts(OperationsEvent, low=1, required=True)


_SCHEMA = Events()


def to_canonical(payload: Any, context: InboundContext) -> Sequence[Event]:
    document = load(_SCHEMA, payload)
    return [
        changed for event in document["events"] for changed in _state_changes(event, document.get("created"), context)
    ]


def _state_changes(event: Mapping[str, Any], created: str | None, context: InboundContext) -> list[Event]:
    named = context.options.get("state_property")
    names = (named,) if named else _STATES
    changes = []
    for equipment in event["equipment"]:
        state = next((equipment["properties"][name] for name in names if equipment["properties"].get(name)), None)
        if state is not None:
            changes.append(_state_change(event, equipment, state, created, context))
    if not changes:
        reason = f"{event['place']} holds no Equipment with a property {' or '.join(names)}, so it tells no state"
        mend = (
            "Name the property in the source's option state_property in the topology file, then requeue; or discard it."
        )
        raise MappingError("event_unsupported", f"{reason}. {mend}", event["place"])
    return changes


def _state_change(
    event: Mapping[str, Any], equipment: Mapping[str, Any], state: str, created: str | None, context: InboundContext
) -> Event:
    place = equipment["place"]
    if not equipment.get("id"):
        raise wrong("payload_invalid", f"{place} has no ID", place)
    when = event.get("time") or created
    if when is None:
        raise wrong("time_missing", f"{event['place']} has no EffectiveTimeStamp", event["place"])
    recorded = event.get("recorded")
    return Event(
        "equipment.state.changed.v1",
        present(
            event_time=from_iso(when, context.plant, event["place"]),
            record_time=from_iso(recorded, context.plant, event["place"]) if recorded else None,
            location=where(event["location"] | equipment["location"], context),
            equipment_id=equipment["id"],
            from_=equipment["properties"].get(_PREVIOUS),
            to=state,
            reason=event.get("description", "")[:200],
        ),
    )
