"""One EPCIS event, its fields checked and its words brought to those of the CBV."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import ValidationError, fields

from mappings.canonical.contract import first_fault
from mappings.canonical.fields import ERROR_TEXTS, BoundedList, Code, decimal_text
from mappings.canonical.parts import Part
from mappings.context import InboundContext, MappingError
from mappings.formats.cbv import DISPOSITIONS, SOURCES, STEPS, TRANSACTIONS, Vocabulary
from mappings.formats.epcis import RawEvent
from mappings.formats.gs1_identifiers import URI_LENGTH
from mappings.inbound.epcis.strangers import note_names, note_strangers
from mappings.inbound.epcis.times import event_times
from mappings.inbound.payload import Payload, wrong
from mappings.quick_load import quick_load

EPC_BOUND = 20_000
ELEMENT_BOUND = 2_000
ACTIONS = ("ADD", "OBSERVE", "DELETE")
_WITHOUT_ACTION = "TransformationEvent"
_ELEMENT_LISTS = {
    "quantities": "quantityList",
    "child_quantities": "childQuantityList",
    "input_quantities": "inputQuantityList",
    "output_quantities": "outputQuantityList",
}
_POINTS = ("readPoint", "bizLocation")


def _uri(**options: Any) -> Code:
    return Code(max_length=URI_LENGTH, **options)


class Element(Payload):
    epc_class = _uri(data_key="epcClass", required=True)
    quantity = fields.Raw(allow_none=True)
    uom = Code(max_length=16)


class Point(Payload):
    id = _uri(required=True)


class Transaction(Payload):
    type = _uri(load_default="")
    id = _uri(data_key="bizTransaction", required=True)


class Source(Payload):
    type = _uri(required=True)
    id = _uri(data_key="source", required=True)


class Destination(Payload):
    type = _uri(required=True)
    id = _uri(data_key="destination", required=True)


class Persistent(Payload):
    set = BoundedList(_uri(), load_default=list)


class Declaration(Payload):
    time = Code(data_key="declarationTime", required=True)
    reason = _uri()
    corrective = BoundedList(_uri(), data_key="correctiveEventIDs", load_default=list)


def _epcs(name: str) -> BoundedList:
    return BoundedList(_uri(), high=EPC_BOUND, data_key=name, load_default=list)


def _list_of(schema: type[Payload], name: str) -> BoundedList:
    return BoundedList(Part(schema), high=ELEMENT_BOUND, data_key=name, load_default=list)


class EpcisEvent(Payload):
    """What is read of all five kinds of events; sensor data, certificates and extensions are passed over."""

    event_time = Code(data_key="eventTime", required=True)
    offset = Code(data_key="eventTimeZoneOffset")
    record_time = Code(data_key="recordTime")
    event_id = _uri(data_key="eventID")
    declaration = Part(Declaration, data_key="errorDeclaration")
    action = Code(choices=ACTIONS)
    step = _uri(data_key="bizStep")
    disposition = _uri()
    persistent = Part(Persistent, data_key="persistentDisposition")
    read_point = Part(Point, data_key="readPoint")
    biz_location = Part(Point, data_key="bizLocation")
    transactions = _list_of(Transaction, "bizTransactionList")
    sources = _list_of(Source, "sourceList")
    destinations = _list_of(Destination, "destinationList")
    parent = _uri(data_key="parentID")
    transformation = _uri(data_key="transformationID")
    epcs = _epcs("epcList")
    quantities = _list_of(Element, "quantityList")
    child_epcs = _epcs("childEPCs")
    child_quantities = _list_of(Element, "childQuantityList")
    input_epcs = _epcs("inputEPCList")
    input_quantities = _list_of(Element, "inputQuantityList")
    output_epcs = _epcs("outputEPCList")
    output_quantities = _list_of(Element, "outputQuantityList")
    ilmd = fields.Dict(keys=fields.String(), error_messages={**ERROR_TEXTS, "invalid": "must be an object"})


_SCHEMA = EpcisEvent()
_LISTS = frozenset(str(field.data_key) for field in _SCHEMA.fields.values() if isinstance(field, BoundedList))


@dataclass(frozen=True)
class Reported:
    """An event with its checked ``fields``; ``step`` is a word of the CBV, a URI of the sender's own, or None."""

    raw: RawEvent
    fields: Mapping[str, Any]
    step: str | None
    dispositions: frozenset[str]
    times: Mapping[str, str]

    def at(self, field: str) -> str:
        return self.raw.at(field)

    @property
    def type(self) -> str:
        return self.raw.type

    @property
    def action(self) -> str | None:
        action: str | None = self.fields.get("action")
        return action

    @property
    def words(self) -> str:
        """What is told of the event in a refusal."""
        return f"an {self.type}" if self.type[0] in "AO" else f"a {self.type}"


def reported(raw: RawEvent, context: InboundContext) -> Reported:
    """The event's checked fields. Raises MappingError with the path of the first that cannot be right."""
    checked = _load(raw, context)
    if raw.type != _WITHOUT_ACTION and "action" not in checked:
        context.deviations.allow("action_missing", "the event has no action", raw.at("action"))
    step = _word(STEPS, checked.get("step"), raw.at("bizStep"), context)
    step = context.options.get("steps", {}).get(checked.get("step"), step)
    note_names(raw, checked, context.deviations)
    _read_types(raw, checked, context)
    _read_quantities(raw, checked, context)
    return Reported(raw, checked, step, _dispositions(raw, checked, context), event_times(raw, checked, context))


def _load(raw: RawEvent, context: InboundContext) -> dict[str, Any]:
    try:
        return quick_load(_SCHEMA, _mended(raw, context))
    except ValidationError as error:
        fault = first_fault(error.messages)
        place = raw.at(fault.path) if fault.path else raw.place
        raise wrong("payload_invalid", f"{place or 'the event'} {fault.message}", place or None) from None


def _mended(raw: RawEvent, context: InboundContext) -> dict[str, Any]:
    """The event as its schema wants it, and each thing that was otherwise noted: fields that are null, one member
    without its list, and a place without the object around its id."""
    values: dict[str, Any] = {}
    for name, value in raw.value.items():
        place = raw.at(name[:40])
        if value is None:
            context.deviations.allow("field_null", f"{name[:40]} is null", place)
        elif name in _POINTS and isinstance(value, str):
            context.deviations.allow("point_form", f"{name} is text, where an object with an id belongs", place)
            values[name] = {"id": value}
        elif name in _LISTS and isinstance(value, str | Mapping):
            context.deviations.allow("list_expected", f"{name} is one member, where a list belongs", place)
            values[name] = [value]
        else:
            values[name] = value
    note_strangers(raw, values, context.deviations)
    return values


def _word(vocabulary: Vocabulary, text: str | None, place: str, context: InboundContext) -> str | None:
    return None if text is None else vocabulary.read(text, context.deviations, place)


def _read_types(raw: RawEvent, checked: Mapping[str, Any], context: InboundContext) -> None:
    """The lists whose members have a type, each with the bare word of it."""
    for name, path, vocabulary in (
        ("transactions", "bizTransactionList", TRANSACTIONS),
        ("sources", "sourceList", SOURCES),
        ("destinations", "destinationList", SOURCES),
    ):
        for index, member in enumerate(checked[name]):
            if member["type"]:
                place = raw.at(f"{path}[{index}].type")
                member["type"] = vocabulary.read(member["type"], context.deviations, place)


def _read_quantities(raw: RawEvent, checked: Mapping[str, Any], context: InboundContext) -> None:
    """Every amount as the text of a decimal, whatever becomes of the event; one that is null is not there."""
    for name, path in _ELEMENT_LISTS.items():
        for index, element in enumerate(checked[name]):
            value = element.pop("quantity", None)
            if value is not None:
                element["quantity"] = _decimal(value, raw.at(f"{path}[{index}].quantity"), context)


def _decimal(value: Any, place: str, context: InboundContext) -> str:
    try:
        text = decimal_text(value, "not_negative")
    except ValidationError as error:
        raise wrong("quantity_invalid", f"{place} {error.messages[0]}", place) from None
    if isinstance(value, str):
        context.deviations.allow("quantity_text", "the quantity is text, where a number belongs", place)
    return text


def _dispositions(raw: RawEvent, checked: Mapping[str, Any], context: InboundContext) -> frozenset[str]:
    found = {_word(DISPOSITIONS, checked.get("disposition"), raw.at("disposition"), context)}
    for index, text in enumerate(checked.get("persistent", {}).get("set", ())):
        found.add(_word(DISPOSITIONS, text, raw.at(f"persistentDisposition.set[{index}]"), context))
    return frozenset(word for word in found if word is not None)


def unsupported(event: Reported, field: str, told: str, mend: str) -> MappingError:
    """An event that says nothing which can be posted; the mend is in the topology, or with the sender."""
    return MappingError("event_unsupported", f"{event.at(field)} {told}. {mend}", event.at(field))
