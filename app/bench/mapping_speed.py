"""How many messages of each format a core reads, maps and checks a second, beside the bare parser."""

from __future__ import annotations

import io
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.bench.mapping_inputs import PLANT, Sample
from app.intake.rows_in import READERS
from mappings.canonical import contract
from mappings.context import Deviations, InboundContext
from mappings.formats.lines import Row
from mappings.registry import INBOUND

RUNS = 7
RUN_SECONDS = 0.3
CSV_GOAL, RATIO_GOAL = 20_000, 3.0


@dataclass(frozen=True)
class Speed:
    """``figure`` messages (or rows) a second of CPU time, the median of the runs; ``spread`` from the slowest to the
    fastest; ``ratio`` how many times the bare parser's time it takes, ``beside_ratio`` that of the one beside it
    (``beside``, a second)."""

    name: str
    figure: float
    spread: tuple[float, float]
    bytes_each: int
    yardstick: str
    bare: float
    beside_name: str | None = None
    beside: float | None = None

    @property
    def beside_ratio(self) -> float | None:
        return None if self.beside is None else self.beside / self.figure

    @property
    def ratio(self) -> float:
        return self.bare / self.figure

    @property
    def goal(self) -> str:
        return f"{CSV_GOAL:,} rows/s" if self.name == "CSV" else f"at most {RATIO_GOAL:g} x" if self.is_bound else ""

    @property
    def is_bound(self) -> bool:
        """Rows and JSON have no goal beside their parser."""
        return self.name not in ("JSON", "CSV", "fixed width", "AdventureWorks")

    @property
    def met(self) -> bool | None:
        if self.name == "CSV":
            return self.figure >= CSV_GOAL
        return self.ratio <= RATIO_GOAL if self.is_bound else None

    def wire(self) -> dict[str, Any]:
        return {
            "name": f"mappings {self.name}",
            "stack": None,
            "figure": round(self.figure),
            "unit": "rows/s" if self.name in ("CSV", "fixed width", "AdventureWorks") else "messages/s",
            "spread": [round(each) for each in self.spread],
            "bytes": self.bytes_each,
            "yardstick": f"{self.yardstick}: {self.bare:,.0f}/s",
            "ratio": round(self.ratio, 2),
            "beside": None if self.beside is None else f"{self.beside_name}: {self.beside:,.0f}/s",
            "beside_ratio": None if self.beside_ratio is None else round(self.beside_ratio, 2),
            "goal": self.goal or None,
            "met": self.met,
        }


def measure(sample: Sample) -> Speed:
    """Bare parser and Lineside by turns, so that both meet the same weather. Raises MappingError where a message that
    should be read is refused."""
    context = InboundContext(PLANT, "bench", "bench-1", datetime(2026, 1, 1, tzinfo=UTC), UNITS)

    def ours() -> None:
        _read_and_map(sample, context)

    ours()
    bare_rates, rates, beside_rates = [], [], []
    for _ in range(RUNS):
        bare_rates.append(_rate(lambda: sample.bare(sample.body), sample.messages))
        rates.append(_rate(ours, sample.messages))
        if sample.beside is not None:
            beside_rates.append(_rate(lambda: sample.beside[0](sample.body), sample.messages))  # type: ignore[index]
    return Speed(
        sample.name,
        statistics.median(rates),
        (min(rates), max(rates)),
        len(sample.body) // sample.messages,
        sample.yardstick,
        statistics.median(bare_rates),
        sample.beside[1] if sample.beside else None,
        statistics.median(beside_rates) if beside_rates else None,
    )


UNITS = {"STK": "EA", "PC": "EA", "PCE": "EA", "EA": "EA"}


def _read_and_map(sample: Sample, context: InboundContext) -> None:
    mapping = INBOUND[sample.family, sample.type]
    if sample.file is None:
        payloads = [mapping.read(sample.body, Deviations())]
    else:
        pieces = READERS[sample.file](io.BytesIO(sample.body), sample.options or {}, 0)
        payloads = [piece.values for piece in pieces if isinstance(piece, Row)]
    for payload in payloads:
        for event in mapping.to_canonical(payload, context):
            contract.validate(event.type, event.data)


def _rate(work: Callable[[], Any], messages: int) -> float:
    """Messages a second of this process's CPU time."""
    began = time.process_time()
    rounds = 0
    while (spent := time.process_time() - began) < RUN_SECONDS:
        work()
        rounds += 1
    return rounds * messages / spent
