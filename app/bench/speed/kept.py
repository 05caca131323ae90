"""Results that are kept in the repository: a file a stack, and in it the newest run of each benchmark."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app.bench.results import ResultUnreadable
from app.bench.speed.goals import PLANNED

FIELDS = ("name", "stack", "figure", "unit", "yardstick", "ratio", "goal", "met", "runs", "yardsticks")


@dataclass(frozen=True)
class Kept:
    """One run of a benchmark: the command that measures it again, the machine, and its figures as ``--json`` has
    them."""

    benchmark: str
    command: str
    machine: Mapping[str, Any]
    figures: Sequence[Mapping[str, Any]]


def result_path(folder: Path, stack: str) -> Path:
    return folder / f"speed-{stack}.json"


def read_kept(path: Path) -> list[Kept]:
    """In the order of PLANNED; none where there is no such file. Raises ResultUnreadable."""
    if not path.exists():
        return []
    try:
        runs = json.loads(path.read_text(encoding="utf-8"))
        kept = {run["benchmark"]: Kept(**run) for run in runs}
        lacking = {name for one in kept.values() for figure in one.figures for name in FIELDS if name not in figure}
    except (ValueError, TypeError, KeyError):
        kept, lacking = {}, {"its shape"}
    if lacking or not kept:
        told = ", ".join(sorted(lacking)) or "runs"
        raise ResultUnreadable(f"{path} is nothing that `lineside bench speed --keep` wrote: it lacks {told}.")
    return [kept[name] for name in PLANNED if name in kept]


def keep(folder: Path, stack: str, run: Kept) -> None:
    """In place of that benchmark's run before; those of others stay. Raises ResultUnreadable."""
    path = result_path(folder, stack)
    others = [one for one in read_kept(path) if one.benchmark != run.benchmark]
    runs = [asdict(one) for one in [*others, run]]
    path.write_text(json.dumps(runs, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
