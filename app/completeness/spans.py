"""Ranges of numbers that came: sorted, apart from each other, joined where they touch."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import datetime


@dataclass
class Span:
    """``first`` to ``last`` came, the earliest of them at ``began_at``."""

    first: int
    last: int
    began_at: datetime


def add_range(spans: list[Span], first: int, last: int, at: datetime) -> None:
    begin = bisect_left(spans, first - 1, key=lambda span: span.last)
    end = begin
    while end < len(spans) and spans[end].first <= last + 1:
        first, last = min(first, spans[end].first), max(last, spans[end].last)
        at = min(at, spans[end].began_at)
        end += 1
    spans[begin:end] = [Span(first, last, at)]


def count_within(spans: list[Span], first: int, last: int) -> int:
    """How many numbers from ``first`` to ``last`` are in the spans."""
    found = 0
    for index in range(bisect_left(spans, first, key=lambda span: span.last), len(spans)):
        if spans[index].first > last:
            break
        found += min(last, spans[index].last) - max(first, spans[index].first) + 1
    return found


def holes_within(spans: list[Span], first: int, last: int) -> list[tuple[int, int]]:
    """The numbers from ``first`` to ``last`` that are in no span, as ranges."""
    holes: list[tuple[int, int]] = []
    for index in range(bisect_left(spans, first, key=lambda span: span.last), len(spans)):
        if spans[index].first > last:
            break
        if spans[index].first > first:
            holes.append((first, spans[index].first - 1))
        first = spans[index].last + 1
    if first <= last:
        holes.append((first, last))
    return holes
