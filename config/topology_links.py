"""Whatever one block of the topology says about another: plants, targets, systems, and nothing twice."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from config.exception_links import exception_faults
from config.reconcile_schema import BALANCES
from config.strict_schema import nearest
from config.topology_entries import Entries, Entry
from config.topology_faults import TopologyFault
from config.topology_options import OptionChecks, option_faults
from config.topology_reads import WhyNotRead, reading_faults, unreadable_targets
from config.topology_reconcile import reconcile_faults, unread_balances

CANONICAL_FAMILY = "canonical"


def _all_is_read(adapter: str, options: Mapping[str, Any], domain: str) -> str | None:
    return None


@dataclass(frozen=True)
class KnownNames:
    """What the rest of Lineside knows, which ``config`` may not import.

    ``types``: the canonical types; ``superseded``: those that are read as a newer version, and as which.
    ``inbound`` and ``outbound``: the keys of the mapping registry, (family, type).
    ``adapters``: the names of adapters, of which ``adapters_with_url`` call one. ``options`` checks what they and the
    mappings are told.
    ``why_not_read(adapter, options, domain)`` gives the mend where that target is not read for the domain.
    """

    types: Collection[str]
    inbound: Collection[tuple[str, str]]
    outbound: Collection[tuple[str, str]]
    adapters: Collection[str]
    adapters_with_url: Collection[str] = ()
    options: OptionChecks = field(default_factory=OptionChecks)
    why_not_read: WhyNotRead = field(default=_all_is_read)
    superseded: Mapping[str, str] = field(default_factory=dict)

    @property
    def inbound_families(self) -> set[str]:
        return {family for family, _ in self.inbound} | {CANONICAL_FAMILY}

    @property
    def outbound_families(self) -> set[str]:
        return {family for family, _ in self.outbound}


def link_faults(entries: Entries, known: KnownNames | None) -> Iterator[TopologyFault]:
    """Every fault between blocks, and with ``known`` every name that nothing in Lineside answers to."""
    plants, sources, targets = (_codes(entries, section) for section in ("plants", "sources", "targets"))
    for section in ("plants", "sources", "targets"):
        yield from _repeats(entries.lists[section])
    if not entries.lists["plants"]:
        yield TopologyFault("", 1, "plants", "no plant is declared", "add one under `plants`")
    for entry in entries.lists["sources"]:
        yield from _unknown_names(entry, "plants", plants, "plant")
        yield from _same_pattern_twice(entry)
    for entry in entries.lists["routes"]:
        yield from _unknown_names(entry, "plants", plants, "plant")
        yield from _unknown_targets(entry, targets)
    yield from _targets_routed_twice(entries, plants)
    yield from reading_faults(entries, targets)
    yield from reconcile_faults(entries, plants, sources, targets)
    for entry in entries.blocks["systems_of_record"].values():
        yield from _unknown_names(entry, "system", sources | targets, "source or target")
        yield from _unknown_names(entry, "writers", sources | targets, "source or target")
    yield from exception_faults(entries, plants)
    if known is not None:
        yield from _names_unknown_to_lineside(entries, known)
        yield from option_faults(
            entries, known.options, plants, known.adapters, known.inbound_families, known.outbound_families
        )


def _codes(entries: Entries, section: str) -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    for entry in entries.lists[section]:
        code = entry.raw.get("code") if isinstance(entry.raw, dict) else None
        if isinstance(code, str):
            found.setdefault(code, entry)
    return found


def _texts(entry: Entry, key: str) -> Iterable[tuple[tuple[str | int, ...], str]]:
    """The texts at a key, one or a list of them, each with its path; other kinds are the schema's business."""
    value = entry.raw.get(key) if isinstance(entry.raw, dict) else None
    if isinstance(value, str):
        return [((key,), value)]
    if isinstance(value, list):
        return [((key, index), text) for index, text in enumerate(value) if isinstance(text, str)]
    return []


def _repeats(found: list[Entry]) -> Iterator[TopologyFault]:
    """Codes become folders and queues, and some file systems do not tell P100 from p100; so neither do we."""
    first: dict[str, Entry] = {}
    for entry in found:
        for path, code in _texts(entry, "code"):
            earlier = first.setdefault(code.casefold(), entry)
            if earlier is not entry:
                place = earlier.place(("code",))
                yield entry.fault(
                    path, f"{code!r} is declared a second time (first at {place})", "keep one, or rename it"
                )


def _unknown_names(entry: Entry, key: str, known: Collection[str], what: str) -> Iterator[TopologyFault]:
    for path, name in _texts(entry, key):
        if name not in known:
            yield entry.fault(path, f"there is no {what} {name!r}", nearest(name, known))


def _unknown_targets(entry: Entry, targets: Collection[str]) -> Iterator[TopologyFault]:
    for path, block in entry.blocks("targets"):
        name = block.get("target")
        if isinstance(name, str) and name not in targets:
            yield entry.fault((*path, "target"), f"there is no target {name!r}", nearest(name, targets))


def _same_pattern_twice(entry: Entry) -> Iterator[TopologyFault]:
    seen: set[str] = set()
    for path, block in entry.blocks("files"):
        pattern = block.get("pattern")
        if isinstance(pattern, str) and pattern in seen:
            yield entry.fault((*path, "pattern"), f"the pattern {pattern!r} stands here twice", "remove one of the two")
        elif isinstance(pattern, str):
            seen.add(pattern)


def _targets_routed_twice(entries: Entries, plants: Collection[str]) -> Iterator[TopologyFault]:
    first: dict[tuple[Any, str, Any], tuple[Entry, tuple[str | int, ...]]] = {}
    for entry in entries.lists["routes"]:
        for path, block in entry.blocks("targets"):
            here = (entry, (*path, "target"))
            keys = [(entry.raw.get("type"), plant, block.get("target")) for plant in _plants_of(entry, plants)]
            for event_type, plant, target in keys:
                earlier, place = first.setdefault((event_type, plant, target), here)
                if (earlier, place) != here:
                    reason = f"{event_type} from {plant} already goes to {target!r} (at {earlier.place(place)})"
                    yield entry.fault(here[1], reason, "remove one of the two")
                    break


def _plants_of(entry: Entry, plants: Collection[str]) -> Collection[str]:
    return [name for _, name in _texts(entry, "plants")] or plants


def _names_unknown_to_lineside(entries: Entries, known: KnownNames) -> Iterator[TopologyFault]:
    for entry in entries.lists["sources"]:
        yield from _unknown_names(entry, "mapping", known.inbound_families, "inbound mapping")
        yield from _unknown_file_types(entry, known)
    for entry in entries.lists["targets"]:
        yield from _unknown_names(entry, "mapping", known.outbound_families, "outbound mapping")
        yield from _unknown_names(entry, "adapter", known.adapters, "adapter")
        if entry.values and entry.values["adapter"] in known.adapters_with_url and "url" not in entry.values:
            reason = f"the adapter {entry.values['adapter']!r} needs a URL"
            yield entry.fault(("url",), reason, "add for example `url: https://erp.example.com/api`")
    targets = _codes(entries, "targets")
    known_adapters = {code: entry for code, entry in targets.items() if _adapter_of(entry) in known.adapters}
    yield from unreadable_targets(entries, known_adapters, known.why_not_read)
    yield from unread_balances(entries, known_adapters, known.why_not_read)
    families = {code: entry.raw.get("mapping") for code, entry in targets.items()}
    for entry in entries.lists["routes"]:
        yield from _unknown_names(entry, "type", known.types, "canonical type")
        if (newer := known.superseded.get(entry.raw.get("type"))) is not None:
            yield entry.fault(("type",), f"events of it are read as {newer}, and none comes here", f"route {newer}")
        yield from _routes_without_mapping(entry, families, known)


def _unknown_file_types(entry: Entry, known: KnownNames) -> Iterator[TopologyFault]:
    family = entry.raw.get("mapping") if isinstance(entry.raw, dict) else None
    types = {name for of, name in known.inbound if of == family}
    for path, block in entry.blocks("files"):
        several = block.get("types")
        named: list[tuple[tuple[str | int, ...], Any]] = [(("type",), block.get("type"))]
        named += [(("types", index), each) for index, each in enumerate(several if isinstance(several, list) else ())]
        for keys, name in named:
            if types and isinstance(name, str) and name not in types and name != BALANCES:
                told = f"the mapping {family!r} knows no type {name!r}"
                yield entry.fault((*path, *keys), told, nearest(name, types))


def _adapter_of(entry: Entry) -> Any:
    return None if entry.values is None else entry.values["adapter"]


def _routes_without_mapping(entry: Entry, families: Mapping[str, Any], known: KnownNames) -> Iterator[TopologyFault]:
    event_type = entry.raw.get("type") if isinstance(entry.raw, dict) else None
    if event_type not in known.types:
        return
    for path, block in entry.blocks("targets"):
        family = families.get(str(block.get("target")))
        if family in known.outbound_families and (family, event_type) not in known.outbound:
            reason = f"the mapping {family!r} of target {block['target']!r} makes no document of {event_type}"
            yield entry.fault((*path, "target"), reason, "remove the target here, or register a mapping for the type")
