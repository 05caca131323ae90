"""All that a mapping may know besides its payload.

A mapping reads no clock, environment, session or network, so a replay of an old message gives the same result.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

CROSSWALK_VALUE_MOST = 100
NOTED_MOST = 20
_TOLD_MOST = 3


@dataclass(frozen=True)
class Event:
    """One canonical event in wire form: ``type`` with its version (``production.completed.v1``), JSON-able ``data``
    (quantities as decimal strings, instants as RFC 3339 in UTC)."""

    type: str
    data: Mapping[str, Any]


class NothingToDo(tuple[Event, ...]):
    """No event, and rightly so: the payload is sound, and tells nothing that anybody is waiting for (an order that is
    not released yet). Its message is posted without an effect. ``reason`` is a sentence for its timeline; what a person
    has to look at is a MappingError instead."""

    reason: str

    def __new__(cls, reason: str) -> NothingToDo:
        self = super().__new__(cls)
        self.reason = reason
        return self


@dataclass(frozen=True)
class PlantFacts:
    """A plant (ISA-95 site). ``timezone`` is an IANA name; local times of a source without an offset are in it."""

    code: str
    name: str
    timezone: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ItemFacts:
    """An item (ISA-95 material definition). ``units`` gives base units per unit: ``{"BOX": Decimal("12")}``."""

    code: str
    description: str
    base_uom: str
    units: Mapping[str, Decimal]


CORRECT_IT = "Correct the payload here and resubmit it, or have it sent anew under a new id."
"""What a person can do about a payload that is wrong: under its own id it would be a conflict."""


class MappingError(Exception):
    """The payload cannot become what it should. ``code`` is a stable word (``quantity_invalid``), ``field`` the place
    in the payload (``Quantity``, ``line 3 column 14``), ``reason`` a sentence a person can act on."""

    def __init__(self, code: str, reason: str, field: str | None = None) -> None:
        super().__init__(f"{code}: {reason}" + (f" (at {field})" if field else ""))
        self.code = code
        self.reason = reason
        self.field = field


class CrosswalkMissing(MappingError):
    """A crosswalk of the topology lacks this value. Nothing is wrong with the payload: it waits until somebody fills
    it in."""

    def __init__(self, system: str, name: str, value: str, place: str | None) -> None:
        reason = f"Waits for crosswalk {name} of {system}: it has no entry for {value!r}."
        super().__init__("crosswalk_missing", reason, place)
        self.system = system
        self.name = name
        self.value = value


@dataclass(frozen=True)
class Crosswalks:
    """The value tables of one source or target, by name. ``used`` are those that the topology lists for it: they must
    have an entry for each value that comes. A table that it does not list translates nothing."""

    system: str = ""
    used: Collection[str] = ()
    tables: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def becomes(self, name: str, value: str, place: str | None = None) -> str:
        """The other side's value for this one, which stands at ``place``. Raises CrosswalkMissing."""
        if name not in self.used:
            return value
        if (found := self.tables.get(name, {}).get(value)) is None:
            raise self._missing(name, value, place)
        return found

    def _missing(self, name: str, value: str, place: str | None) -> MappingError:
        if len(value) > CROSSWALK_VALUE_MOST or not value.isprintable() or not value:
            told = f"{value[:40]!r} is no value that crosswalk {name} could hold ({CROSSWALK_VALUE_MOST} characters)"
            return MappingError("crosswalk_value_invalid", f"{told}. {CORRECT_IT}", place)
        return CrosswalkMissing(self.system, name, value, place)


@dataclass(frozen=True)
class Deviation:
    """``code`` is a stable word, ``reason`` a sentence without its stop, ``place`` where it stands in the body."""

    code: str
    reason: str
    place: str | None = None


class Deviations:
    """Where one body departs from its own standard. Real senders break their own schemas (MESA's example of a B2MML
    document lacks an attribute that its schema requires), so the topology says how a source is read: leniently, and
    what can be understood beyond doubt is taken and each deviation noted, up to a bound; or strictly, and the first
    one refuses the body."""

    def __init__(self, *, strict: bool = False) -> None:
        self.strict = strict
        self.count = 0
        self._noted: list[Deviation] = []
        self._passed_over: dict[str, str | None] = {}

    @property
    def noted(self) -> Sequence[Deviation]:
        return tuple(self._noted)

    def allow(self, code: str, reason: str, place: str | None = None) -> None:
        """Note the deviation and go on; raises MappingError with it where the source is read strictly."""
        if self.strict:
            mend = "this source is read strictly; with `conformance: lenient` it would be taken with a note."
            raise MappingError(code, f"{reason}; {mend}", place)
        self.count += 1
        if len(self._noted) < NOTED_MOST:
            self._noted.append(Deviation(code, reason, place))

    def pass_over(self, reason: str, place: str | None = None) -> None:
        """Note a part that the standard allows and that says nothing which is posted; it refuses no body."""
        if len(self._passed_over) < NOTED_MOST:
            self._passed_over.setdefault(reason, place)

    def told(self) -> str | None:
        """One line for the message's timeline; None where there was nothing to note."""
        return " ".join(filter(None, (self._departures(), self._passed()))) or None

    def _passed(self) -> str:
        told = [reason + (f" ({place})" if place else "") for reason, place in self._passed_over.items()]
        more = f"; and {len(told) - _TOLD_MOST} more" if len(told) > _TOLD_MOST else ""
        return f"Passed over, since nothing is posted of it: {'; '.join(told[:_TOLD_MOST])}{more}." if told else ""

    def _departures(self) -> str:
        if not self.count:
            return ""
        first = "; ".join(one.reason + (f" ({one.place})" if one.place else "") for one in self._noted[:_TOLD_MOST])
        more = f"; and {self.count - _TOLD_MOST} more" if self.count > _TOLD_MOST else ""
        return f"Taken although it departs from its standard: {first}{more}."


@dataclass(frozen=True)
class InboundContext:
    """``units`` translates the source's unit codes to canonical ones (``{"STK": "EA"}``); ``deviations`` takes what a
    mapping lets pass although the source's standard does not."""

    plant: PlantFacts
    source: str
    source_message_id: str
    received_at: datetime
    units: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    deviations: Deviations = field(default_factory=Deviations, compare=False)
    crosswalks: Crosswalks = field(default_factory=Crosswalks)


@dataclass(frozen=True)
class OutboundContext:
    """``items`` holds the facts of every item that the event names; ``options`` are the target's mapping options."""

    plant: PlantFacts
    target: str
    posting_key: str
    items: Mapping[str, ItemFacts] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    crosswalks: Crosswalks = field(default_factory=Crosswalks)
