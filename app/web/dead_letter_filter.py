"""Which dead letters a query means."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from app.dead_letters.impact_lists import LetterPage, Sort
from app.dead_letters.selection import DeadFilter
from app.dead_letters.subject import KINDS
from app.web import parameters
from config.topology import Topology


def filter_of_query(query: Mapping[str, str]) -> DeadFilter:
    return DeadFilter(
        plant=parameters.text(query, "plant"),
        source=parameters.text(query, "source"),
        type=parameters.text(query, "type"),
        reason_code=parameters.text(query, "reason_code"),
        dead_after=parameters.moment(query, "dead_after"),
        dead_before=parameters.moment(query, "dead_before"),
        **_about(query),
    )


def _about(query: Mapping[str, str]) -> dict[str, str | None]:
    """``order=1000``, or ``kind=order`` and ``code=1000`` as a form has it."""
    named = {kind: parameters.text(query, kind) for kind in KINDS}
    kind, code = parameters.word(query, "kind", KINDS), parameters.text(query, "code")
    return named | ({kind: code} if kind and code else {})


def sort_of_query(query: Mapping[str, str], otherwise: Sort) -> Sort:
    return Sort(parameters.word(query, "sort", [sort.value for sort in Sort]) or otherwise)


def place_of_query(query: Mapping[str, str], sort: Sort) -> tuple[int, int] | None:
    """Where the page before ended: an id (``before``) for the newest first, points and id (``after``) by impact."""
    if sort is Sort.NEWEST:
        before = parameters.whole_number(query, "before")
        return None if before is None else (0, before)
    return parameters.after_numbers(query)


def next_of(page: LetterPage, sort: Sort) -> str | None:
    """The current list, continued behind this page."""
    if page.after is None:
        return None
    if sort is Sort.NEWEST:
        return parameters.next_page(page.after[1])
    return parameters.next_after([str(number) for number in page.after])


def unknown_code(chosen: DeadFilter, topology: Topology) -> str | None:
    """Why a choice that matches nothing never can: it names a plant or a source that the topology does not have."""
    for what, code, known in (("plant", chosen.plant, topology.plants), ("source", chosen.source, topology.sources)):
        if code and code not in known:
            near = difflib.get_close_matches(code, known, n=1, cutoff=0.6)
            hint = f", did you mean {near[0]}?" if near else "."
            return f"The topology has no {what} {code[:80]!r}{hint} It has: {', '.join(known)}."
    return None
