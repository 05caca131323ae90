"""What a source says that Lineside reads by itself: from a target that can be read, and each order once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from config.strict_schema import Path, nearest
from config.topology_entries import Entries, Entry
from config.topology_faults import TopologyFault

WhyNotRead = Callable[[str, Mapping[str, Any], str], str | None]

Place = tuple[Entry, Path]


def reading_faults(entries: Entries, targets: Mapping[str, Entry]) -> Iterator[TopologyFault]:
    readers: dict[tuple[str, str, str], Place] = {}
    for entry in entries.lists["sources"]:
        domains: set[str] = set()
        for path, block in entry.blocks("reads"):
            target, domain = block.get("target"), str(block.get("domain"))
            if domain in domains:
                mend = "remove one of the two; a second system's are another source's"
                yield entry.fault((*path, "domain"), f"{domain} are read twice for this source", mend)
            domains.add(domain)
            if isinstance(target, str) and target not in targets:
                yield entry.fault((*path, "target"), f"there is no target {target!r}", nearest(target, targets))
            elif isinstance(target, str):
                here = (entry, (*path, "target"))
                yield from _read_by_two(here, (target, domain), readers)
                yield from _two_plants_of_one_code(here, targets[target])


def _read_by_two(
    here: Place, pair: tuple[str, str], readers: dict[tuple[str, str, str], Place]
) -> Iterator[TopologyFault]:
    entry, path = here
    for plant in _plants(entry):
        first, place = readers.setdefault((*pair, plant), here)
        if first is not entry:
            reason = f"{pair[1]} of {plant} are read from {pair[0]!r} already (at {first.place(place)})"
            yield entry.fault(path, reason, "let one source read them")
            return


def _two_plants_of_one_code(here: Place, target: Entry) -> Iterator[TopologyFault]:
    """What is read names its plant by the target's code, so one code must not mean two of the source's plants."""
    entry, path = here
    options = target.raw.get("mapping_options") if isinstance(target.raw, dict) else None
    locations = options.get("locations") if isinstance(options, dict) else None
    if not isinstance(locations, dict):
        return
    first: dict[str, str] = {}
    for plant in _plants(entry):
        code = str(locations.get(plant, plant))
        if first.setdefault(code, plant) != plant:
            reason = f"target {target.raw['code']!r} knows {first[code]} and {plant} by one code, {code!r}"
            yield entry.fault(path, reason, "give each plant a code of its own in the target's `locations`")


def _plants(entry: Entry) -> list[str]:
    plants = entry.raw.get("plants") if isinstance(entry.raw, dict) else None
    return [plant for plant in plants if isinstance(plant, str)] if isinstance(plants, list) else []


def unreadable_targets(
    entries: Entries, targets: Mapping[str, Entry], why_not_read: WhyNotRead
) -> Iterator[TopologyFault]:
    """Targets whose adapter, with the options that it has, does not give what is to be read."""
    for entry in entries.lists["sources"]:
        for path, block in entry.blocks("reads"):
            target, domain = targets.get(str(block.get("target"))), block.get("domain")
            if target is None or target.values is None or not isinstance(domain, str):
                continue
            mend = why_not_read(target.values["adapter"], target.values.get("options", {}), domain)
            if mend is not None:
                reason = f"target {block['target']!r} (adapter {target.values['adapter']}) is not read for {domain}"
                yield entry.fault((*path, "target"), reason, mend)
