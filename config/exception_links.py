"""What the blocks about business exceptions name of each other: owners, plants, and the server of e-mail."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from config.strict_schema import Path, nearest
from config.topology_entries import Entries, Entry
from config.topology_faults import TopologyFault


def exception_faults(entries: Entries, plants: Collection[str]) -> Iterator[TopologyFault]:
    owners = entries.blocks["owners"]
    block = entries.blocks["exceptions"].get("exceptions")
    if block is not None and isinstance(block.raw, dict):
        yield from _unknown_owner(block, (), block.raw, owners)
        for path, rule in _blocks(block.raw.get("rules"), ("rules",)):
            yield from _unknown_owner(block, path, rule, owners)
            for below, of_plant in _blocks(rule.get("plants"), (*path, "plants")):
                yield from _unknown_owner(block, below, of_plant, owners)
                if (plant := str(below[-1])) not in plants:
                    yield block.fault(below, f"there is no plant {plant!r}", nearest(plant, plants))
    has_server = block is not None and isinstance(block.raw, dict) and "email" in block.raw
    for name, owner in owners.items():
        yield from _faults_of_owner(name, owner, owners, has_server=has_server)


def _faults_of_owner(
    name: str, entry: Entry, owners: Mapping[str, Entry], *, has_server: bool
) -> Iterator[TopologyFault]:
    for path, channel in entry.blocks("channels"):
        if "email" in channel and not has_server:
            mend = "add exceptions: {email: {host: smtp.example.com, sender: lineside@example.com}}"
            yield entry.fault((*path, "email"), "no server is given by which e-mail goes out", mend)
    for path, step in entry.blocks("escalation"):
        yield from _unknown_owner(entry, path, step, owners, key="to")
        if step.get("to") == name:
            yield entry.fault((*path, "to"), "it escalates to itself", "name who is told next")


def _blocks(value: Any, path: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    for name, block in (value if isinstance(value, dict) else {}).items():
        if isinstance(block, dict):
            yield (*path, name), block


def _unknown_owner(
    entry: Entry, path: Path, block: Mapping[str, Any], owners: Collection[str], key: str = "owner"
) -> Iterator[TopologyFault]:
    name = block.get(key)
    if isinstance(name, str) and name not in owners:
        yield entry.fault((*path, key), f"there is no owner {name!r}", nearest(name, owners))
