"""Whatever becomes of a real file on its way, its reader says so: it raises nothing but its own error, soon, and takes
no more memory than its bounds allow."""

from __future__ import annotations

import os
import random
import time
import tracemalloc
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from app.bench.format_samples import Sent, sent_in
from mappings.canonical import contract
from mappings.context import Deviations, InboundContext, MappingError, PlantFacts
from mappings.registry import INBOUND
from tests.factories import NOON
from tests.interop.samples import VARIABLE, sample

CUTS, FLIPS = 60, 60
"""Of each file, at places that its number in the folder draws; a failure names the body."""
SOON_SECONDS = 5.0
MEMORY_BYTES = 200_000_000
PLANT = PlantFacts("P100", "P100", "Europe/Berlin")
ENCODINGS = ("utf-8-sig", "utf-16", "utf-16-le", "latin-1", "cp037", "utf-32")


@cache
def sent() -> list[Sent]:
    root = os.environ.get(VARIABLE, "")
    return list(sent_in(Path(root))) if root else []


def harmed(body: bytes, seed: int) -> Iterator[bytes]:
    """Cut off, with changed, lost and doubled bytes, and in other encodings."""
    chance = random.Random(seed)
    places = sorted(chance.sample(range(len(body)), min(CUTS, len(body))))
    yield from (body[:place] for place in places)
    for place in chance.sample(range(len(body)), min(FLIPS, len(body))):
        yield body[:place] + bytes([chance.randrange(256)]) + body[place + 1 :]
        yield body[:place] + body[place : place + chance.randrange(1, 40)] + body[place:]
        yield body[:place] + body[place + chance.randrange(1, 40) :]
    text = body.decode("utf-8", "replace")
    yield from (text.encode(encoding, "replace") for encoding in ENCODINGS)
    yield b"\0" * 100 + body
    yield body * 3


def is_answered(one: Sent, body: bytes, *, strict: bool) -> bool:
    """Whether it becomes events that keep their contracts, or is refused with a code and a reason."""
    mapping, deviations = INBOUND[one.family, one.type], Deviations(strict=strict)
    context = InboundContext(PLANT, "s", "m", NOON, deviations=deviations)
    try:
        for event in mapping.to_canonical(mapping.read(body, deviations), context):
            contract.validate(event.type, event.data)
    except MappingError as error:
        return bool(error.code and error.reason)
    return True


@pytest.mark.parametrize("kind", ["B2MML", "X12", "EDIFACT", "EPCIS 2.0"])
def test_a_harmed_file_is_read_or_refused_with_the_readers_own_error(kind: str) -> None:
    sample("edi")
    files = [one for one in sent() if one.format == kind]
    assert files, f"{VARIABLE} holds no {kind}"

    for number, one in enumerate(files):
        for body in harmed(one.path.read_bytes(), number):
            began = time.process_time()
            try:
                answered = is_answered(one, body, strict=len(body) % 2 == 0)
            except Exception as error:
                raise AssertionError(f"{one.path.name} as {body!r:.2000}: {type(error).__name__}: {error}") from error
            soon = time.process_time() - began < SOON_SECONDS
            assert (answered, soon) == (True, True), f"{one.path.name} as {body!r:.2000}"


BOMBS = {
    "B2MML": b"<a>" * 100_000,
    "X12": b"ISA*00*          *00*          *ZZ*A              *ZZ*B              *260101*0101*U*00401*000000001*0*P*>~"
    + b"ST*850*1~" * 200_000,
    "EDIFACT": b"UNB+UNOA:1+A+B+260101:0101+1'" + b"UNH+1+ORDERS:D:96A:UN'" * 100_000,
    "EPCIS 2.0": b"[" * 1_000_000,
    "IDoc": b"EDI_DC40\n" + b"E1EDP01\n" * 600_000,
}
FAMILIES = {
    "B2MML": ("mes_b2mml", "b2mml.ProductionPerformance"),
    "X12": ("x12", "x12.850"),
    "EDIFACT": ("edifact", "edifact.ORDERS"),
    "EPCIS 2.0": ("epcis", "epcis.EPCISDocument"),
    "IDoc": ("sap_idoc", "idoc.ORDERS"),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_a_body_made_to_grow_is_refused_within_the_bound_on_memory(kind: str) -> None:
    family, message_type = FAMILIES[kind]

    tracemalloc.start()
    try:
        with pytest.raises(MappingError):
            INBOUND[family, message_type].read(BOMBS[kind], Deviations())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < MEMORY_BYTES
