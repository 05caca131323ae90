"""What is wrong with a topology file: all of it at once, each with its place and its mend."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class TopologyFault:
    """``path`` names the place in the topology (``targets.erp.url``), ``file`` and ``line`` the place in the text."""

    file: str
    line: int
    path: str
    reason: str
    mend: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " + (f"{self.path}: " if self.path else "")
        return f"{place}{self.reason}; {self.mend}" + ("" if self.mend.endswith("?") else ".")


class TopologyError(Exception):
    """The topology cannot be used; ``faults`` lists everything that was found, in the order of the file."""

    def __init__(self, faults: Iterable[TopologyFault]) -> None:
        self.faults = list(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))
