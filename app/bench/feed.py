"""What is sent in a run, and how: single events, batches and files, some of them twice and some too early."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from app.bench.practice_systems import LOCKED_ITEM, TRYTON, WMS
from app.bench.reports import (
    FILES_PLANT,
    FILES_SOURCE,
    PLANTS,
    TRYTON_PLANT,
    Plant,
    Report,
    item_description,
    move,
    order_reports,
    quantity_of,
    receipt,
    refused_move,
    reversed_move,
)
from app.demo.shift_formats import as_file, move_row
from app.demo.shift_reports import BASE_UNITS, Moved

EVENT, BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"
LATE_ITEM = "LATE-1"
"""Described in the middle of the run: what speaks of it before then waits."""

ROWS_A_FILE = 6
IN_FILES = 0.15
TOO_EARLY = 0.1
TWICE = 0.05
IN_A_BATCH = 0.25
REFUSED = 0.02
TRYTON_ORDERS_AT_ONCE = 4


@dataclass(frozen=True)
class Sending:
    """One request, or, with a ``file_name``, one file."""

    reports: tuple[Report, ...]
    body: bytes
    content_type: str = ""
    file_name: str = ""


def make_feed(seed: int, messages: int, in_tryton: int = 0) -> list[Sending]:
    """``messages`` different messages, some of them sent twice; so many of them are to be posted to Tryton."""
    random = Random(seed)
    plants = {code: Plant(code, random, seed) for code in PLANTS}
    files = list(_files(random, seed, max(4, round(messages * IN_FILES / ROWS_A_FILE))))
    described = [item_description(plants[PLANTS[0]], item) for item in [*sorted(BASE_UNITS), LOCKED_ITEM]]
    late = item_description(plants[PLANTS[0]], LATE_ITEM)
    number = messages - len(messages_of(files)) - len(described) - 1
    reports = _shuffled(_happening(plants, random, number, in_tryton), random)
    reports.insert(len(reports) // 2, late)
    requests = [*_requests([*described], random), *_requests(reports, random)]
    requests = _with_repeats(requests, random)
    return _mixed(requests, files)


def _happening(plants: dict[str, Plant], random: Random, number: int, in_tryton: int) -> list[Report]:
    """So many reports, the plants' and their orders' mixed as they come about."""
    refusing = itertools.cycle((refused_move, reversed_move))
    refused = max(4, round(number * REFUSED))
    ordering = [code for code in PLANTS if code != TRYTON_PLANT or not in_tryton]
    running: list[Iterator[Report]] = []
    in_real: list[Iterator[Report]] = []
    made: list[Report] = []
    while len(made) < number:
        plant = plants[random.choice(PLANTS)]
        if len(made) * in_tryton >= number * max(1, sum(report.erp == TRYTON for report in made)):
            made += _next_of_tryton(in_real, plants[TRYTON_PLANT], random)
        elif len(made) * refused >= number * sum(report.refused_by != "" for report in made):
            made.append(next(refusing)(plant))
        elif running and random.random() < 0.5:
            made += _next_of(running, random)
        elif random.random() < 0.25:
            running.append(order_reports(plants[random.choice(ordering)]))
            made += _next_of(running[-1:], random)
        elif random.random() < 0.25:
            made.append(receipt(plant))
        elif random.random() < 0.03:
            made.append(move(plant, LATE_ITEM, with_lot=False))
        else:
            made.append(move(plant, with_lot=random.random() < 0.6))
    return made[:number]


def _next_of_tryton(running: list[Iterator[Report]], plant: Plant, random: Random) -> list[Report]:
    """Some orders at a time; of every other one the WMS refuses the last report, which Tryton has taken."""
    if len(running) < TRYTON_ORDERS_AT_ONCE:
        running.append(order_reports(plant, TRYTON, WMS if plant.orders % 2 else ""))
    return _next_of(running, random)


def _next_of(running: list[Iterator[Report]], random: Random) -> list[Report]:
    chosen = random.choice(running)
    following = next(chosen, None)
    if following is None and chosen in running:
        running.remove(chosen)
    return [] if following is None else [following]


def _shuffled(reports: Sequence[Report], random: Random) -> list[Report]:
    """Some come later than they should, and so others of their key too early."""
    places = [
        (place + (random.uniform(2, 25) if random.random() < TOO_EARLY else 0.0), place)
        for place in range(len(reports))
    ]
    return [reports[place] for _, place in sorted(places)]


def _requests(reports: Sequence[Report], random: Random) -> Iterator[Sending]:
    start = 0
    while start < len(reports):
        size = random.randrange(2, 9) if random.random() < IN_A_BATCH else 1
        together = tuple(reports[start : start + size])
        events = [event_of(report) for report in together]
        yield Sending(together, _json(events if size > 1 else events[0]), BATCH if size > 1 else EVENT)
        start += size


def _with_repeats(requests: Sequence[Sending], random: Random) -> list[Sending]:
    """Some are sent again, at once or some time later."""
    made: list[Sending] = []
    again: list[tuple[int, Sending]] = []
    for place, sending in enumerate(requests):
        made += [repeat for due, repeat in again if due == place]
        made.append(sending)
        if random.random() < TWICE:
            again.append((place + random.randrange(1, 30), sending))
    return made + [repeat for due, repeat in again if due >= len(requests)]


def _mixed(requests: Sequence[Sending], files: Sequence[Sending]) -> list[Sending]:
    """The files at even distances among the requests."""
    every = len(requests) / (len(files) + 1)
    places = [((number + 1) * every, file) for number, file in enumerate(files)]
    return [sending for _, sending in sorted([*enumerate(requests), *places], key=lambda pair: pair[0])]


def event_of(report: Report) -> dict[str, Any]:
    """The CloudEvent that tells it."""
    event: dict[str, Any] = {"specversion": "1.0", "id": report.id, "source": report.source, "type": report.type}
    event |= {"plant": report.plant, "time": report.data["event_time"], "data": report.data}
    return event | ({"sequence": str(report.rank)} if report.key else {})


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _files(random: Random, seed: int, number: int) -> Iterator[Sending]:
    """Movement files; a row of some cannot be read, and some come a second time under another name."""
    plant = Plant(FILES_PLANT, random, seed)
    record = 0
    for count in range(number):
        rows: list[str] = []
        reports: list[Report] = []
        for _ in range(ROWS_A_FILE):
            record += 1
            made = move(plant, item=random.choice(sorted(BASE_UNITS)))
            # Lots of their own: their order is that of the rows' times, not of a sequence.
            lot, file_id = f"F{made.data['lot'][-1]}-{seed}", f"legacy.movement:{record:010d}"
            data = {**made.data, "lot": lot}
            reports.append(replace(made, source=FILES_SOURCE, id=file_id, data=data, key=f"lot:{lot}", rank=record))
            rows.append(_row(record, reports[-1]))
        if count % 3 == 1:
            rows.insert(random.randrange(len(rows)), "this row has no columns")
        body = as_file(rows)
        yield Sending(tuple(reports), body, file_name=f"MOVE-{seed}-{count:03d}.txt")
        if count % 5 == 2:
            yield Sending(tuple(reports), body, file_name=f"MOVE-{seed}-{count:03d}-again.txt")


def _row(record: int, report: Report) -> str:
    data = report.data
    at = datetime.fromisoformat(data["event_time"]) + timedelta(seconds=record)
    moved = Moved(at, data["item"], quantity_of(report), data["from"]["storage"], data["to"]["storage"])
    text = move_row(record, moved)
    return text[:79] + f"{data['lot']:<16}" + text[95:]


def messages_of(feed: Iterable[Sending]) -> dict[tuple[str, str], Report]:
    """Each message once, by its name."""
    return {report.name: report for sending in feed for report in sending.reports}
