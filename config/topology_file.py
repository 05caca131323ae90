"""Reads and checks the topology file: plants, systems, routes and targets of one installation.

The file is taken whole or not at all: ``TopologyError`` lists every fault with its file, its line and its mend.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from config.completeness import DAYS, Completeness, Counting, FileNumber, Heartbeat, SequenceWatch, Shift
from config.exception_policy import EscalationStep, ExceptionPolicy, MailServer, Owner, channels_of
from config.reconcile_schema import BALANCES
from config.reconciling import BalancesFile, Reconciling
from config.record_layouts import add_layouts
from config.topology import (
    CircuitPolicy,
    ClosedWhen,
    DropFile,
    GaplessSequence,
    Periods,
    Plant,
    ProcessRules,
    Rate,
    Reading,
    RetryPolicy,
    Route,
    RouteTarget,
    Source,
    SystemOfRecord,
    Target,
    Topology,
)
from config.topology_entries import Entries, gather
from config.topology_faults import TopologyError, TopologyFault
from config.topology_includes import TextReader
from config.topology_links import KnownNames, link_faults

PACKAGED = Path(__file__).with_name("topology.yaml")

__all__ = ["KnownNames", "TopologyError", "TopologyFault", "load_topology"]


def load_topology(path: Path | None, known: KnownNames | None = None) -> Topology:
    """The checked topology; None reads the packaged demonstration. Raises TopologyError with every fault found.

    ``known`` adds the checks that need the mappings and the adapters: types, mapping families, adapters' options.
    """
    main = PACKAGED if path is None else path
    reader = TextReader(main)
    entries = gather(reader.texts)
    faults = reader.faults + entries.faults
    if not reader.faults:
        # With a file unread, every name that it declares would be reported as unknown.
        faults.extend(link_faults(entries, known))
        faults.extend(add_layouts(entries, main))
    if faults:
        raise TopologyError(_in_order(faults, str(main)))
    return _topology(entries)


def _in_order(faults: list[TopologyFault], main: str) -> list[TopologyFault]:
    """The main file first, by line; of several faults at one place the first, which is the most basic."""
    placed: dict[tuple[str, int, str], TopologyFault] = {}
    for fault in faults:
        placed.setdefault((fault.file or main, fault.line, fault.path), replace(fault, file=fault.file or main))
    return sorted(placed.values(), key=lambda fault: (fault.file != main, fault.file, fault.line))


def _topology(entries: Entries) -> Topology:
    lists = {section: [entry.values for entry in found] for section, found in entries.lists.items()}
    return Topology(
        plants={values["code"]: _plant(values) for values in lists["plants"]},
        sources={values["code"]: _source(values, _grace_of(entries)) for values in lists["sources"]},
        targets={values["code"]: _target(values) for values in lists["targets"]},
        routes=tuple(_route(values) for values in lists["routes"]),
        systems_of_record={
            domain: SystemOfRecord(domain, **entry.values)
            for domain, entry in entries.blocks["systems_of_record"].items()
        },
        service_levels={name: entry.values for name, entry in entries.blocks["service_levels"].items()},
        retention={domain: entry.values for domain, entry in entries.blocks["retention"].items()},
        positions=entries.positions,
        exceptions=_exceptions(entries),
        webhooks_allow=_webhooks_allow(entries),
    )


def _exceptions(entries: Entries) -> ExceptionPolicy:
    entry = entries.blocks["exceptions"].get("exceptions")
    said = {} if entry is None else dict(entry.values)
    email = MailServer(**said["email"]) if "email" in said else None
    owners = {name: _owner(name, of.values) for name, of in entries.blocks["owners"].items()}
    return ExceptionPolicy(**{**said, "email": email, "owners": owners, "is_judged": entry is not None})


def _owner(name: str, values: Mapping[str, Any]) -> Owner:
    steps = tuple(EscalationStep(**step) for step in values.get("escalation", ()))
    return Owner(**{**values, "name": name, "channels": channels_of(values.get("channels", ())), "escalation": steps})


def _webhooks_allow(entries: Entries) -> tuple[str, ...]:
    entry = entries.blocks["webhooks"].get("webhooks")
    return () if entry is None else tuple(entry.values.get("allow", ()))


def _plant(values: Mapping[str, Any]) -> Plant:
    shifts = tuple(Shift(**{**block, "days": tuple(block.get("days", DAYS))}) for block in values.get("shifts", ()))
    return Plant(**{**values, "shifts": shifts, "processes": ProcessRules(**values.get("processes", {}))})


def _grace_of(entries: Entries) -> Mapping[str, Any]:
    """How long a number may be missing where its source does not say."""
    entry = entries.blocks["exceptions"].get("exceptions")
    said = {} if entry is None else entry.values.get("rules", {}).get("numbers_missing", {})
    return {"grace_seconds": said["after_seconds"]} if "after_seconds" in said else {}


def _source(values: Mapping[str, Any], grace: Mapping[str, Any]) -> Source:
    files = tuple(_file(block) for block in values.get("files", ()))
    reads = tuple(Reading(**block) for block in values.get("reads", ()))
    gapless = GaplessSequence(**values["gapless_sequence"]) if "gapless_sequence" in values else None
    completeness = _completeness({**grace, **values.get("completeness", {})})
    parts = {"files": files, "reads": reads, "gapless_sequence": gapless, "completeness": completeness}
    return Source(**{**values, **parts})


def _file(values: Mapping[str, Any]) -> DropFile:
    number = FileNumber(**_counted(values["file_number"])) if "file_number" in values else None
    balances = BalancesFile(**values.get("balances", {})) if values.get("type") == BALANCES else None
    return DropFile(**{"type": "", **values, "file_number": number, "balances": balances})


def _completeness(values: Mapping[str, Any]) -> Completeness:
    sequence = SequenceWatch(**_counted(values["sequence"])) if "sequence" in values else None
    heartbeat = Heartbeat(**values["heartbeat"]) if "heartbeat" in values else None
    return Completeness(**{**values, "sequence": sequence, "heartbeat": heartbeat})


def _counted(values: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a counting, which stand among the others in the file, as a value of their own."""
    counting = {key: values[key] for key in ("start", "wrap_at", "largest_gap") if key in values}
    return {key: value for key, value in values.items() if key not in counting} | {"counting": Counting(**counting)}


def _target(values: Mapping[str, Any]) -> Target:
    rate = Rate(**values["rate"]) if "rate" in values else None
    retry, circuit = RetryPolicy(**values.get("retry", {})), CircuitPolicy(**values.get("circuit", {}))
    periods, reconcile = _periods(values.get("periods")), _reconciling(values.get("reconcile"))
    parts = {"rate": rate, "retry": retry, "circuit": circuit, "periods": periods, "reconcile": reconcile}
    return Target(**{**values, **parts})


def _reconciling(values: Mapping[str, Any] | None) -> Reconciling | None:
    return None if values is None else Reconciling(**{**values, "at": tuple(values.get("at", ()))})


def _periods(values: Mapping[str, Any] | None) -> Periods | None:
    if values is None:
        return None
    closed = values.get("closed_when")
    lists = {} if closed is None else {key: tuple(closed[key]) for key in ("status", "values") if key in closed}
    return Periods(**{**values, "closed_when": None if closed is None else ClosedWhen(**{**closed, **lists})})


def _route(values: Mapping[str, Any]) -> Route:
    targets = tuple(RouteTarget(**block) for block in values["targets"])
    return Route(**{**values, "targets": targets})
