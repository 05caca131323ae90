"""What the topology says about comparing balances: between targets that can be read, by the clock of a plant."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from config.strict_schema import nearest
from config.topology_entries import Entries, Entry
from config.topology_faults import TopologyFault
from config.topology_reads import WhyNotRead


def reconcile_faults(
    entries: Entries, plants: Collection[str], sources: Collection[str], targets: Mapping[str, Entry]
) -> Iterator[TopologyFault]:
    for entry, block in _blocks(entries):
        plant, against = block.get("plant"), block.get("against")
        if isinstance(plant, str) and plant not in plants:
            yield entry.fault(("reconcile", "plant"), f"there is no plant {plant!r}", nearest(plant, plants))
        if isinstance(against, str) and against not in targets:
            yield entry.fault(("reconcile", "against"), f"there is no target {against!r}", nearest(against, targets))
        elif isinstance(against, str) and against == entry.raw.get("code"):
            yield entry.fault(("reconcile", "against"), "it is the same target", "name another one")
    known = {*sources, *targets}
    for entry in entries.lists["sources"]:
        for path, file in entry.blocks("files"):
            of = file["balances"].get("of") if isinstance(file.get("balances"), dict) else None
            if isinstance(of, str) and of not in known:
                place = (*path, "balances", "of")
                yield entry.fault(place, f"there is no source or target {of!r}", nearest(of, known))


def unread_balances(
    entries: Entries, targets: Mapping[str, Entry], why_not_read: WhyNotRead
) -> Iterator[TopologyFault]:
    """Targets that are to be compared by themselves and do not tell their balances with the options that they have."""
    for entry, block in _blocks(entries):
        for code, place in ((entry.raw.get("code"), ()), (block.get("against"), ("against",))):
            target = targets.get(str(code))
            if target is None or target.values is None:
                continue
            mend = why_not_read(target.values["adapter"], target.values.get("options", {}), "balances")
            if mend is not None:
                reason = f"target {code!r} (adapter {target.values['adapter']}) is not read for balances"
                yield entry.fault(("reconcile", *place), reason, mend)


def _blocks(entries: Entries) -> Iterator[tuple[Entry, dict[str, Any]]]:
    for entry in entries.lists["targets"]:
        block = entry.raw.get("reconcile") if isinstance(entry.raw, dict) else None
        if isinstance(block, dict):
            yield entry, block
