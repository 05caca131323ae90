"""Which business step means what."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mappings.context import Event
from mappings.inbound.epcis.events import Reported, unsupported
from mappings.inbound.epcis.goods import Scope, names_only_assets
from mappings.inbound.epcis.logistics import received, shipped
from mappings.inbound.epcis.production import assembled, commissioned, destroyed, transformed
from mappings.inbound.epcis.quality import held, inspected
from mappings.inbound.epcis.stock import DISPARITY, counted, moved


@dataclass(frozen=True)
class Step:
    """``action`` is what an ObjectEvent of this step has: objects begin, are seen, or end. ``tells_differences``: it
    has any action where its disposition is a disparity, and then objects come or go."""

    to_events: Callable[[Reported, Scope], Sequence[Event]]
    action: str = "OBSERVE"
    tells_differences: bool = False


STEPS: Mapping[str, Step] = {
    "commissioning": Step(commissioned, "ADD"),
    "creating_class_instance": Step(commissioned, "ADD"),
    "assembling": Step(assembled),
    "installing": Step(assembled),
    "destroying": Step(destroyed, "DELETE"),
    "receiving": Step(received),
    "shipping": Step(shipped),
    "storing": Step(moved),
    "stocking": Step(moved),
    "picking": Step(moved),
    "staging_outbound": Step(moved),
    "transporting": Step(moved),
    "holding": Step(held),
    "inspecting": Step(inspected),
    "cycle_counting": Step(counted, tells_differences=True),
    "stock_taking": Step(counted, tells_differences=True),
}


def events_of(event: Reported, scope: Scope) -> Sequence[Event]:
    """The canonical events of one EPCIS event; none of one that is of assets alone, or that only says that something
    goes on. Raises MappingError where its step says nothing that is posted."""
    if names_only_assets(event, scope.context):
        scope.context.deviations.pass_over("the event is of assets, documents or services alone", event.raw.place)
        return ()
    if event.type == "TransformationEvent":
        return transformed(event, scope)
    mend = (
        f"Understood are: {', '.join(STEPS)}. Say which of them it stands for in the source's option steps, or list it "
        "in its option ignored_steps in the topology file, then requeue."
    )
    if event.step is None:
        mend = f"It says what happened: one of {', '.join(STEPS)}. Correct it here and resubmit it."
        raise unsupported(event, "bizStep", "is missing", mend)
    step = STEPS.get(event.step)
    if step is None:
        raise unsupported(event, "bizStep", f"is {event.step[:80]!r}, which reports nothing that is posted", mend)
    _check_action(event, step, scope)
    return step.to_events(event, scope)


def _check_action(event: Reported, step: Step, scope: Scope) -> None:
    """An action that takes back what the step says is refused; one that only says it in other words is noted."""
    action = event.action
    if action is None or action == step.action or (step.tells_differences and DISPARITY in event.dispositions):
        return
    if ("DELETE" in (action, step.action) and "ADD" in (action, step.action)) or action == "DELETE":
        mend = "Have it sent as an error declaration or as the step that happened, or discard the message."
        raise unsupported(event, "action", f"is {action}, which takes back what {event.step} says", mend)
    if event.type == "ObjectEvent":
        told = f"the action is {action}, where {event.step} has {step.action}"
        scope.context.deviations.allow("action_unusual", told, event.at("action"))
