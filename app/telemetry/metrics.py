"""Every metric has its name here. Several processes count; the one that is asked answers for all of them.

Counters and histograms live in files that all processes of an installation share (PROMETHEUS_MULTIPROC_DIR, which the
commands set for what they start). Where the disk is full nothing is counted, and nothing fails for it. Gauges are
read from the database at the moment of the question: they cannot be stale, and no process has to report them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from app.telemetry.counter_files import use_reserved_files

use_reserved_files()

STAGE_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 43_200)
CALL_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 60)
CIRCUIT_STATES = ("closed", "open", "half_open")

MOVES = Counter("lineside_moves", "Moves of messages into a state.", ["plant", "type", "state"])
STAGE_SECONDS = Histogram(
    "lineside_stage_seconds",
    "Time from a message's acceptance until it reached this state.",
    ["plant", "state"],
    buckets=STAGE_BUCKETS,
)
CALL_SECONDS = Histogram(
    "lineside_target_call_seconds", "Time that a call to a target took.", ["target", "outcome"], buckets=CALL_BUCKETS
)
WEBHOOK_DELIVERIES = Counter(
    "lineside_webhook_deliveries", "Deliveries to webhook subscribers that are over.", ["subscriber", "state"]
)
ACCEPTANCES = Counter("lineside_acceptances", "Answers to messages that were sent.", ["source", "status"])


@dataclass(frozen=True)
class Figures:
    """What the gauges show. Keys are (plant, step, state), (plant, state) and plant; ages are in seconds. ``circuits``:
    the state of each target's. ``webhooks``: of each subscriber how many deliveries are not over, and the age of the
    oldest. ``exceptions``: the unresolved ones by (rule, plant, state). ``durations``, by (plant,
    process, measure): how many were as long as each upper bound or shorter. ``outcomes``: how many, by (plant, process,
    outcome)."""

    backlog: Mapping[tuple[str, str, str], int] = field(default_factory=dict)
    oldest_age: Mapping[tuple[str, str], float] = field(default_factory=dict)
    dead: Mapping[str, int] = field(default_factory=dict)
    circuits: Mapping[str, str] = field(default_factory=dict)
    paused_plants: Mapping[str, bool] = field(default_factory=dict)
    exceptions: Mapping[tuple[str, str, str], int] = field(default_factory=dict)
    webhooks: Mapping[str, tuple[int, float]] = field(default_factory=dict)
    durations: Mapping[tuple[str, str, str], Sequence[tuple[str, int]]] = field(default_factory=dict)
    outcomes: Mapping[tuple[str, str, str], int] = field(default_factory=dict)


def observe_moves(plant: str, event_type: str, state: str, count: int = 1) -> None:
    with suppress(OSError):
        MOVES.labels(plant, event_type, state).inc(count)


def observe_stage(plant: str, state: str, seconds: float) -> None:
    """``seconds``: since the message was accepted."""
    with suppress(OSError):
        STAGE_SECONDS.labels(plant, state).observe(max(0.0, seconds))


def observe_call(target: str, outcome: str, seconds: float) -> None:
    with suppress(OSError):
        CALL_SECONDS.labels(target, outcome).observe(max(0.0, seconds))


def observe_acceptances(source: str, status: str, count: int = 1) -> None:
    """``status``: accepted, repeat, conflict or refused."""
    with suppress(OSError):
        ACCEPTANCES.labels(source, status).inc(count)


def observe_delivery(subscriber: str, state: str) -> None:
    """``state``: delivered or failed."""
    with suppress(OSError):
        WEBHOOK_DELIVERIES.labels(subscriber, state).inc()


class _Gauges(Collector):
    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def collect(self) -> Iterable[Metric]:
        backlog = GaugeMetricFamily(
            "lineside_backlog_messages", "Messages that are not finished.", labels=["plant", "step", "state"]
        )
        for labels, count in self._figures.backlog.items():
            backlog.add_metric(labels, count)
        age = GaugeMetricFamily(
            "lineside_oldest_age_seconds", "Age of the oldest unfinished message.", labels=["plant", "state"]
        )
        for pair, seconds in self._figures.oldest_age.items():
            age.add_metric(pair, seconds)
        dead = GaugeMetricFamily(
            "lineside_dead_messages", "Dead letters that a person has to look at.", labels=["plant"]
        )
        for plant, count in self._figures.dead.items():
            dead.add_metric([plant], count)
        gauges = [backlog, age, dead, self._circuits(), self._paused(), self._exceptions()]
        return [*gauges, *self._webhooks(), self._durations(), self._outcomes()]

    def _webhooks(self) -> Iterable[Metric]:
        undelivered = GaugeMetricFamily(
            "lineside_webhook_undelivered",
            "Deliveries to the subscriber that are not over; counted to 1,000.",
            labels=["subscriber"],
        )
        oldest = GaugeMetricFamily(
            "lineside_webhook_oldest_undelivered_seconds",
            "For how long the oldest of them has waited; 0 where there is none.",
            labels=["subscriber"],
        )
        for subscriber, (count, seconds) in self._figures.webhooks.items():
            undelivered.add_metric([subscriber], count)
            oldest.add_metric([subscriber], seconds)
        return undelivered, oldest

    def _durations(self) -> Metric:
        durations = HistogramMetricFamily(
            "lineside_process_seconds",
            "How long messages and exceptions took, as the database has measured each of them once.",
            labels=["plant", "process", "measure"],
        )
        for labels, buckets in self._figures.durations.items():
            durations.add_metric(labels, buckets, None)
        return durations

    def _outcomes(self) -> Metric:
        outcomes = CounterMetricFamily(
            "lineside_outcomes",
            "What became of messages and exceptions, as the database has measured each of them once.",
            labels=["plant", "process", "outcome"],
        )
        for labels, count in self._figures.outcomes.items():
            outcomes.add_metric(labels, count)
        return outcomes

    def _circuits(self) -> Metric:
        circuit = GaugeMetricFamily(
            "lineside_target_circuit", "1 for the state that the target's circuit is in.", labels=["target", "state"]
        )
        for target, state in self._figures.circuits.items():
            for each in CIRCUIT_STATES:
                circuit.add_metric([target, each], int(each == state))
        return circuit

    def _paused(self) -> Metric:
        paused = GaugeMetricFamily("lineside_plant_paused", "1 while a person has paused the plant.", labels=["plant"])
        for plant, is_paused in self._figures.paused_plants.items():
            paused.add_metric([plant], int(is_paused))
        return paused

    def _exceptions(self) -> Metric:
        exceptions = GaugeMetricFamily(
            "lineside_open_exceptions",
            "Business exceptions that are not resolved.",
            labels=["rule", "plant", "state"],
        )
        for labels, count in self._figures.exceptions.items():
            exceptions.add_metric(labels, count)
        return exceptions


def render(figures: Figures) -> tuple[bytes, str]:
    """The answer to a scrape: the counters of every process and the given figures, with its content type."""
    registry = CollectorRegistry()
    try:
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    except ValueError:  # no shared directory: this process counts for itself
        return generate_latest(REGISTRY) + generate_latest(_only(figures)), CONTENT_TYPE_LATEST
    registry.register(_Gauges(figures))
    return generate_latest(registry), CONTENT_TYPE_LATEST


def _only(figures: Figures) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(_Gauges(figures))
    return registry
