"""What one message says about whether all of its source came: its number in the source's count, and that it spoke."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.store.source_notes import HEARTBEAT, SEQUENCE, Note, add_notes
from config.completeness_schema import NUMBER_MOST
from config.topology import Source
from mappings.formats.xml_body import text_at

Place = tuple[str, str]
"""source, plant or '' for the whole source"""


@dataclass(frozen=True)
class Sighting:
    """``counted_as``: the place whose count it belongs to; None where the source is not counted. ``number`` is None
    where it has none that can be read. ``heartbeat``: whether it is listened for."""

    counted_as: Place | None
    number: int | None
    heartbeat: bool


def sighting_of(source: Source, plant: str, sequence: str | None, payload: Any) -> Sighting | None:
    """``sequence`` is the message's own, ``payload`` its JSON value, its row's columns, or the bytes of its XML. None
    where nobody asks."""
    owed = source.completeness
    if owed.sequence is None:
        return Sighting(None, None, True) if owed.heartbeat else None
    field = owed.sequence.field
    number = read_number(sequence if field is None else _at_path(payload, field))
    place = (source.code, plant if owed.sequence.per == "plant" else "")
    return Sighting(place, number, owed.heartbeat is not None)


def read_number(value: Any) -> int | None:
    """A whole number, as one or as text; padding is no part of it."""
    text = str(value).strip() if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    if not (text.isascii() and text.isdigit() and len(text) <= 40):
        return None
    number = int(text)
    return number if number <= NUMBER_MOST else None


def _at_path(value: Any, path: str) -> Any:
    if isinstance(value, bytes):
        return text_at(value, path)
    for key in path.split("."):
        if isinstance(value, list) and key.isdigit() and int(key) < len(value):
            value = value[int(key)]
        elif isinstance(value, dict):
            value = value.get(key)
        else:
            return None
    return value


def note_sightings(session: Session, seen: Iterable[tuple[str, str, Sighting, bool]], now: datetime) -> None:
    """Of each message its source, its plant, what it says, and whether it is new; some lines for a whole batch."""
    numbers: dict[Place, list[int]] = defaultdict(list)
    unnumbered: set[Place] = set()
    heard: set[Place] = set()
    for source, plant, sighting, is_new in seen:
        if sighting.heartbeat:
            heard.add((source, plant))
        if sighting.counted_as is None or not is_new:
            continue
        if sighting.number is None:
            unnumbered.add(sighting.counted_as)
        else:
            numbers[sighting.counted_as].append(sighting.number)
    notes = [Note(*place, HEARTBEAT, "heard", now) for place in sorted(heard)]
    notes += [Note(*place, SEQUENCE, "unnumbered", now) for place in sorted(unnumbered)]
    for place, came in numbers.items():
        notes += [Note(*place, SEQUENCE, "seen", now, first, last) for first, last in ranges_of(came)]
    add_notes(session, notes)


def ranges_of(numbers: list[int]) -> Iterator[tuple[int, int]]:
    """The numbers as ranges without gaps; one that is there twice stands in two of them."""
    first = last = None
    for number in sorted(numbers):
        if last is not None and number == last + 1:
            last = number
            continue
        if first is not None and last is not None:
            yield first, last
        first = last = number
    if first is not None and last is not None:
        yield first, last
