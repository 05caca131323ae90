"""What is made, used and destroyed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mappings.context import Event, InboundContext
from mappings.inbound.epcis.events import Reported, unsupported
from mappings.inbound.epcis.goods import INPUTS, OUTPUTS, Lists, Scope, lists_of, whole_goods
from mappings.inbound.epcis.heads import head, production_order
from mappings.inbound.epcis.stock import REASON_LENGTH, as_difference
from mappings.inbound.payload import present, reason_code, transformation_id, wrong

_LOT_OF_INSTANCES = "cbvmda:lotNumber"
_ORDER_MEND = (
    "Have it sent with a business transaction of type prodorder, name the type that stands for it in the source's "
    "option order_types, or list the step in its option ignored_steps in the topology file, then requeue."
)


def transformed(event: Reported, scope: Scope) -> Sequence[Event]:
    """A TransformationEvent: inputs are issued to the order, outputs complete it. Either may come in an event of its
    own; the transformation id is their link. Without an order the stock becomes less and more."""
    order = production_order(event, scope.context, or_purchase_order=True)
    _check_order(event, order, scope.context)
    inputs, outputs = (_lines_if_any(event, lists, scope) for lists in (INPUTS, OUTPUTS))
    if not inputs and not outputs:
        raise wrong("goods_missing", "the event names neither inputs nor outputs", event.at("inputQuantityList"))
    if order is None:
        return [*_without_order(event, inputs, "-", scope), *_without_order(event, _of_lot(event, outputs), "", scope)]
    events = []
    link = event.fields.get("transformation") or transformation_id(scope.context, order)
    if inputs:
        used = head(event, scope.context, "read_point") | {"order_id": order, "transformation_id": link}
        events.append(Event("material.issued.v1", used | {"components": inputs}))
    if outputs:
        made = head(event, scope.context) | {"order_id": order, "transformation_id": link}
        events.append(Event("production.completed.v1", made | {"outputs": _of_lot(event, outputs), "final": False}))
    return events


def _lines_if_any(event: Reported, lists: Lists, scope: Scope) -> list[dict[str, Any]]:
    if not event.fields[lists.epcs] and not event.fields[lists.quantities]:
        return []
    return whole_goods(event, lists, scope)


def commissioned(event: Reported, scope: Scope) -> Sequence[Event]:
    """New objects, or a new amount of a lot, of a production order."""
    data = _head_of_order(event, scope.context)
    outputs = _of_lot(event, whole_goods(event, lists_of(event), scope))
    return [Event("production.completed.v1", data | {"outputs": outputs, "final": False})]


def assembled(event: Reported, scope: Scope) -> Sequence[Event]:
    """Parts that become one with their parent are used by the order; objects that come together of themselves are
    reported by what they became."""
    if event.type not in ("AggregationEvent", "AssociationEvent"):
        mend = "It is understood of an AggregationEvent or an AssociationEvent."
        raise unsupported(event, "bizStep", f"is {event.step} of {event.words}", mend)
    order = production_order(event, scope.context)
    _check_order(event, order, scope.context)
    lines = whole_goods(event, lists_of(event), scope)
    if order is None:
        return _without_order(event, lines, "-", scope)
    return [Event("material.issued.v1", _head_of_order(event, scope.context) | {"components": lines})]


def destroyed(event: Reported, scope: Scope) -> Sequence[Event]:
    """Scrap of an order; without an order the stock becomes less."""
    lines, order = whole_goods(event, lists_of(event), scope), production_order(event, scope.context)
    words = sorted(event.dispositions - {"destroyed", "disposed", "in_progress", "inactive"})
    word, path = (words[0], "disposition") if words else (str(event.step), "bizStep")
    data = head(event, scope.context) | {"reason": reason_code(word, scope.context, event.at(path))}
    if order is not None:
        return [Event("production.scrapped.v1", data | {"order_id": order} | line) for line in lines]
    return [Event("inventory.adjusted.v1", data | as_difference(line, "-")) for line in lines]


def _check_order(event: Reported, order: str | None, context: InboundContext) -> None:
    if order is None and context.options.get("needs_order"):
        raise unsupported(event, "bizTransactionList", "names no production order", _ORDER_MEND)


def _without_order(event: Reported, lines: list[dict[str, Any]], sign: str, scope: Scope) -> Sequence[Event]:
    """EPCIS asks for no order, and nobody may make one up: what was used and what was made is told of the stock."""
    if not lines:
        return []
    step = event.step or "transformation"
    data = head(event, scope.context, "read_point" if sign else None)
    data |= {"reason": reason_code(step[:REASON_LENGTH], scope.context, event.at("bizStep"))}
    return [Event("inventory.adjusted.v1", data | as_difference(line, sign)) for line in lines]


def _head_of_order(event: Reported, context: InboundContext) -> dict[str, Any]:
    order = production_order(event, context)
    if order is None:
        raise unsupported(event, "bizTransactionList", "names no production order", _ORDER_MEND)
    return head(event, context) | {"order_id": order, "transformation_id": transformation_id(context, order)}


def _of_lot(event: Reported, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Serial numbers carry no lot; the master data of the instances may (CBV 2.0, section 9.4: ``lotNumber``)."""
    lot = event.fields.get("ilmd", {}).get(_LOT_OF_INSTANCES)
    if not isinstance(lot, str):
        return lines
    return [present(**({"item": line["item"], "lot": lot} | line)) for line in lines]
