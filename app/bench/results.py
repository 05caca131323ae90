"""What runs of ``lineside bench chaos --json`` printed, read back and laid out as the README's table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

Run = Mapping[str, Any]

COLUMNS = ("accepted", "posted", "in_tryton", "reversed", "dead", "doubled", "lost", "misordered")
FOUND = ("unreversed", "unexpected", "stock_differences", "refused_at_the_door")
"""What has no column of its own, and must be 0 as well."""

FOUND_SINCE = ("picture_differences",)
"""The same, in runs since Lineside keeps a picture of its own."""


class ResultUnreadable(Exception):
    """A file holds something else than runs; the text says where."""


def read_runs(paths: Iterable[Path]) -> list[Run]:
    """By stack and seed; of a seed that was run twice, the run that was read last."""
    runs: dict[tuple[str, int], Run] = {}
    for path in paths:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if line.strip():
                run = _run(line, f"{path}:{number}")
                runs[run["stack"], run["seed"]] = run
    return [runs[key] for key in sorted(runs)]


def _run(line: str, place: str) -> Run:
    try:
        run = json.loads(line)
    except ValueError:
        run = None
    missing = [name for name in ("stack", "seed", "faults", "clean", *COLUMNS, *FOUND) if name not in (run or {})]
    if not isinstance(run, dict) or missing:
        told = f"it lacks {', '.join(missing)}" if isinstance(run, dict) else "it is no JSON object"
        raise ResultUnreadable(f"{place} is no run of `lineside bench chaos --json`: {told}.")
    return run


def markdown_table(runs: Sequence[Run]) -> str:
    """A row a run, and their sums by stack below; anything that should be 0 and is not shows in the last column."""
    names = ["stack", "seed", "faults", *(name.replace("_", " ") for name in COLUMNS), "else"]
    rows = [["---"] * 2 + ["---:"] * (len(names) - 3) + ["---"]]
    rows += [[run["stack"], str(run["seed"]), *_figures([run])] for run in runs]
    for stack in sorted({run["stack"] for run in runs}):
        of_stack = [run for run in runs if run["stack"] == stack]
        rows.append([f"**{stack}**", f"**{len(of_stack)} seeds**", *_figures(of_stack)])
    return "\n".join("| " + " | ".join(row) + " |" for row in [names, *rows])


def _figures(runs: Sequence[Run]) -> list[str]:
    sums = [sum(sum(run["faults"].values()) for run in runs)]
    sums += [sum(run[name] for run in runs) for name in COLUMNS]
    return [*map(str, sums), _else(runs)]


def _else(runs: Sequence[Run]) -> str:
    found = {name: sum(run.get(name, 0) for run in runs) for name in (*FOUND, *FOUND_SINCE)}
    told = [f"{number} {name.replace('_', ' ')}" for name, number in found.items() if number]
    unclean = sum(not run["clean"] for run in runs)
    return ", ".join(told) or (f"{unclean} not clean" if unclean else "none")
