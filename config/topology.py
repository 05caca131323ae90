"""Plants, systems, routes and targets of one installation, as plain frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from config.completeness import Completeness, FileNumber, Shift
from config.exception_policy import NO_POLICY, ExceptionPolicy
from config.own_messages import for_whom, is_own, who_said
from config.reconciling import BalancesFile, Reconciling


@dataclass(frozen=True)
class ProcessRules:
    """What process calls of a plant are held to. ``over_completion_percent``: how much more than planned an order may
    report; ``when_short``: whether an issue or a shipment of more than is free is refused, or let through with a
    warning."""

    over_completion_percent: float = 0.0
    when_short: Literal["refuse", "warn"] = "refuse"


@dataclass(frozen=True)
class Plant:
    """``lanes``: how many ordering lanes its messages hash to. ``post_share``: how many threads of a post worker it may
    hold; None leaves that to the number of plants. ``options`` are facts that mappings may use. Without ``shifts`` it
    works round the clock."""

    code: str
    name: str
    timezone: str
    lanes: int = 16
    post_share: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    shifts: tuple[Shift, ...] = ()
    processes: ProcessRules = field(default_factory=ProcessRules)


@dataclass(frozen=True)
class DropFile:
    """One kind of dropped file of a source. ``options`` depend on ``format`` (delimiter, encoding, columns; layout);
    a ``document`` is one message, whatever it holds. With ``balances`` it is a snapshot, and none of its rows is a
    message. Where a file holds messages of several ``types``, each is of the type that ends with its own kind, and
    ``type`` is empty."""

    pattern: str
    type: str
    format: Literal["csv", "fixed_width", "document", "idoc", "edifact", "x12", "epcis"]
    options: Mapping[str, Any] = field(default_factory=dict)
    file_number: FileNumber | None = None
    balances: BalancesFile | None = None
    types: tuple[str, ...] = ()

    @property
    def known_types(self) -> tuple[str, ...]:
        return self.types or (self.type,)


@dataclass(frozen=True)
class Reading:
    """What Lineside asks a target for by itself, and takes in as messages of the source that this belongs to."""

    target: str
    domain: str
    every_seconds: float = 30.0


@dataclass(frozen=True)
class GaplessSequence:
    """That a source numbers its messages without a gap within each key, from ``start`` on. What comes early waits for
    the missing numbers, and is dead, or goes on, after ``wait_seconds`` (None: the source's)."""

    start: int = 1
    wait_seconds: float | None = None
    when_missing: Literal["dead", "go_on"] = "dead"


@dataclass(frozen=True)
class Source:
    """A system that sends, or is read (``reads``). ``mapping`` is the family under ``mappings/inbound``;
    ``wait_seconds`` is how long its messages may wait for a missing reference before they are dead;
    ``settle_seconds`` is how long a dropped file must be unchanged to count as whole; ``conformance`` whether a body
    that departs from its own standard is taken with a note, or refused; ``crosswalks`` which of its value tables its
    mapping must find each value in."""

    code: str
    kind: str
    plants: tuple[str, ...]
    mapping: str
    intake: Literal["http", "drop"] = "http"
    files: tuple[DropFile, ...] = ()
    reads: tuple[Reading, ...] = ()
    settle_seconds: float = 2.0
    wait_seconds: float = 86_400.0
    conformance: Literal["lenient", "strict"] = "lenient"
    gapless_sequence: GaplessSequence | None = None
    units: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    crosswalks: tuple[str, ...] = ()
    completeness: Completeness = field(default_factory=Completeness)


@dataclass(frozen=True)
class RetryPolicy:
    """Exponential with full jitter: attempt n waits between 0 and min(cap, base * 2**n) seconds; after ``give_up``
    seconds since the first attempt the message is dead."""

    base_seconds: float = 1.0
    cap_seconds: float = 300.0
    give_up_seconds: float = 86_400.0


@dataclass(frozen=True)
class ClosedWhen:
    """By which answer a REST system says that a period is closed: one of the statuses, and one of the values at the
    dotted path."""

    path: str
    values: tuple[str, ...]
    status: tuple[int, ...] = (422,)


@dataclass(frozen=True)
class Periods:
    """What is done with a document whose posting period is closed: it is held until the period is open, looked at
    every ``recheck_seconds``, or posted for the next open day. ``open_from``: where the answer names that day."""

    policy: Literal["hold", "next_open"]
    recheck_seconds: float = 3_600.0
    closed_when: ClosedWhen | None = None
    open_from: str | None = None


@dataclass(frozen=True)
class CircuitPolicy:
    """After so many ``failures`` in a row a target is left alone for ``open_seconds``, twice as long each time it fails
    again, up to ``cap_seconds``."""

    failures: int = 5
    open_seconds: float = 5.0
    cap_seconds: float = 300.0


@dataclass(frozen=True)
class Rate:
    """At most ``burst`` postings at once and ``per_second`` in the long run. A burst of 0 stands for one second's."""

    per_second: float
    burst: int = 0

    @property
    def capacity(self) -> float:
        return float(self.burst) or max(1.0, self.per_second)


@dataclass(frozen=True)
class Target:
    """A system posted to. ``secret`` names a secret of the environment, never the secret itself; ``mapping`` is the
    family under ``mappings/outbound``; ``options`` belong to the adapter, ``mapping_options`` to the mapping."""

    code: str
    kind: str
    adapter: str
    mapping: str
    url: str = ""
    secret: str | None = None
    timeout_seconds: float = 30.0
    calls_in_flight: int = 4
    rate: Rate | None = None
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    periods: Periods | None = None
    circuit: CircuitPolicy = field(default_factory=CircuitPolicy)
    options: Mapping[str, Any] = field(default_factory=dict)
    mapping_options: Mapping[str, Any] = field(default_factory=dict)
    crosswalks: tuple[str, ...] = ()
    reconcile: Reconciling | None = None


@dataclass(frozen=True)
class RouteTarget:
    """``required``: a refusal makes the message dead. Where it is not, the refusal is kept on the posting only."""

    target: str
    required: bool = True


@dataclass(frozen=True)
class Route:
    """Where events of a canonical type go, in this order. Empty ``plants`` means every plant. ``compensate``: when a
    required target refuses for good, what the others hold is reversed by itself, or once a person orders it."""

    type: str
    targets: tuple[RouteTarget, ...]
    plants: tuple[str, ...] = ()
    compensate: Literal["automatic", "by_person"] = "automatic"


@dataclass(frozen=True)
class SystemOfRecord:
    """Which system is right about a domain (items, boms, inventory, production_orders, quality, shipments)."""

    domain: str
    system: str
    writers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Topology:
    """The whole file, checked. ``positions`` maps a path such as ``targets.erp.options.url`` to ``file:line``;
    ``retention`` a domain and a state in which a message ended to the days for which it is kept;
    ``webhooks_allow``: hosts and networks that are not public and that webhooks may lead to."""

    plants: Mapping[str, Plant]
    sources: Mapping[str, Source]
    targets: Mapping[str, Target]
    routes: tuple[Route, ...]
    systems_of_record: Mapping[str, SystemOfRecord]
    service_levels: Mapping[str, float] = field(default_factory=dict)
    retention: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    positions: Mapping[str, str] = field(default_factory=dict)
    exceptions: ExceptionPolicy = NO_POLICY
    webhooks_allow: tuple[str, ...] = ()

    @cached_property
    def _routes_by_type_and_plant(self) -> Mapping[tuple[str, str], tuple[RouteTarget, ...]]:
        table: dict[tuple[str, str], tuple[RouteTarget, ...]] = {}
        for route in self.routes:
            for plant in route.plants or tuple(self.plants):
                table[route.type, plant] = table.get((route.type, plant), ()) + route.targets
        return table

    def route(self, event_type: str, plant: str) -> tuple[RouteTarget, ...]:
        """Targets of this canonical type from this plant, in the order they are posted; empty where none is routed."""
        return self._routes_by_type_and_plant.get((event_type, plant), ())

    @cached_property
    def _targets_by_plant(self) -> Mapping[str, frozenset[str]]:
        found: dict[str, set[str]] = {}
        for (_, plant), targets in self._routes_by_type_and_plant.items():
            found.setdefault(plant, set()).update(one.target for one in targets)
        return {plant: frozenset(targets) for plant, targets in found.items()}

    def targets_of(self, plant: str) -> frozenset[str]:
        """All targets that anything of this plant is routed to."""
        return self._targets_by_plant.get(plant, frozenset())

    def compensates(self, event_type: str, plant: str, target: str) -> bool:
        """Whether a refusal of this target has all reversed by itself; not where the topology routes it no more."""
        of_type = (route for route in self.routes if route.type == event_type and plant in (route.plants or (plant,)))
        chosen = [route for route in of_type if target in {routed.target for routed in route.targets}]
        return target in self.targets and any(route.compensate == "automatic" for route in chosen)

    def source_of(self, code: str) -> Source | None:
        """The source of this code, which may be one of Lineside's own: these send canonical events for every plant."""
        if is_own(code):
            return Source(code, "Lineside", tuple(self.plants), "canonical")
        return self.sources.get(code)

    def route_of(self, source: str, event_type: str, plant: str) -> tuple[RouteTarget, ...]:
        """The route of an event of this source. What was taken over from a system does not go there again, and what
        corrects one goes nowhere else."""
        whom = for_whom(source)
        if whom is not None:
            return (RouteTarget(whom),)
        said = who_said(source)
        return tuple(one for one in self.route(event_type, plant) if one.target != said)

    def lanes_of(self, plant: str) -> int:
        return self.plants[plant].lanes if plant in self.plants else 1

    def plant_of_party(self, party: str | None) -> str | None:
        """The own plant that partners call so: its code, its option ``site``, or one of its ``parties`` (as a GLN);
        None where it is no plant's, or that of several."""
        found = {
            code
            for code, plant in self.plants.items()
            if party is not None and party in (code, plant.options.get("site"), *plant.options.get("parties", ()))
        }
        return found.pop() if len(found) == 1 else None

    def ends_of_shipment(self, source: str, plant: str, data: Mapping[str, Any]) -> dict[str, str]:
        """The own plants that a shipment goes to (``to_plant``) and comes from (``from_plant``), as far as they are
        known. What a source with the option ``ships_to_us`` tells to a plant goes there, unless it names another."""
        goal, origin = self.plant_of_party(data.get("ship_to")), self.plant_of_party(data.get("ship_from"))
        sender = self.sources.get(source)
        if goal is None and sender is not None and sender.options.get("ships_to_us"):
            goal = plant
        ends = {"to_plant": goal, "from_plant": origin}
        return {name: code for name, code in ends.items() if code is not None}
