"""What blocks say to an adapter or to a mapping, checked by whoever reads it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, NamedTuple

from marshmallow import ValidationError

from config.option_blocks import Options
from config.strict_schema import Path, nearest
from config.topology_entries import Entries, Entry
from config.topology_faults import TopologyFault


class OptionFault(NamedTuple):
    """``path`` leads to the place within the options."""

    path: Path
    reason: str
    mend: str

    @property
    def dotted(self) -> str:
        return ".".join(map(str, self.path))


AdapterOptionFaults = Callable[[str, Mapping[str, Any]], list[OptionFault]]
"""(adapter, options)"""
MappingOptionFaults = Callable[[str, Mapping[str, Any], Collection[str]], list[OptionFault]]
"""(mapping family, options, codes of plants)"""
AskedCrosswalks = Callable[[str], Collection[str]]
"""(mapping family) -> the crosswalks that its mappings ask"""
PlantOptionFaults = Callable[[Mapping[str, Any]], list[OptionFault]]


class OptionChecks(NamedTuple):
    adapter: AdapterOptionFaults = lambda adapter, options: []
    source: MappingOptionFaults = lambda family, options, plants: []
    target: MappingOptionFaults = lambda family, options, plants: []
    plant: PlantOptionFaults = lambda options: []
    periods: AdapterOptionFaults = lambda adapter, periods: []
    source_crosswalks: AskedCrosswalks = lambda family: ()
    target_crosswalks: AskedCrosswalks = lambda family: ()


def option_faults(
    entries: Entries,
    checks: OptionChecks,
    plants: Collection[str],
    adapters: Collection[str],
    inbound_families: Collection[str],
    outbound_families: Collection[str],
) -> Iterator[TopologyFault]:
    """Every fault in options; those of a block whose adapter or mapping nobody knows are not looked at."""
    for entry in entries.lists["plants"]:
        yield from _told(entry, "options", checks.plant(_options(entry, "options")))
    for entry in entries.lists["sources"]:
        if (family := _text(entry, "mapping")) in inbound_families:
            yield from _told(entry, "options", checks.source(family, _options(entry, "options"), plants))
            yield from _crosswalks_not_asked(entry, family, checks.source_crosswalks(family))
    for entry in entries.lists["targets"]:
        if (adapter := _text(entry, "adapter")) in adapters:
            yield from _told(entry, "options", checks.adapter(adapter, _options(entry, "options")))
            if entry.values is not None and "periods" in entry.values:
                yield from _told(entry, "periods", checks.periods(adapter, entry.values["periods"]))
        if (family := _text(entry, "mapping")) in outbound_families:
            options = _options(entry, "mapping_options")
            yield from _told(entry, "mapping_options", checks.target(family, options, plants))
            yield from _crosswalks_not_asked(entry, family, checks.target_crosswalks(family))


def _crosswalks_not_asked(entry: Entry, family: str, asked: Collection[str]) -> Iterator[TopologyFault]:
    for index, name in enumerate((entry.values or {}).get("crosswalks", ())):
        if name not in asked:
            mend = nearest(name, asked, "" if asked else "remove it: the mapping asks none")
            yield entry.fault(("crosswalks", index), f"mapping {family} asks no crosswalk {name!r}", mend)


def _told(entry: Entry, key: str, faults: list[OptionFault]) -> Iterator[TopologyFault]:
    for path, reason, mend in faults:
        yield entry.fault((key, *path), reason, mend)


def _text(entry: Entry, key: str) -> str:
    value = entry.raw.get(key) if isinstance(entry.raw, dict) else None
    return value if isinstance(value, str) else ""


def _options(entry: Entry, key: str) -> Mapping[str, Any]:
    """The options as the file has them, whatever else is wrong with the block. Those that hold a secret are told as
    such and not looked at further, so that no fault repeats it."""
    value = entry.raw.get(key, {}) if isinstance(entry.raw, dict) else {}
    try:
        return Options().check(value)
    except ValidationError:
        return {}
