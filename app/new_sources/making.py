"""Write a new source into a checkout: all of it, or nothing."""

from __future__ import annotations

import importlib.util
import json
import re
import secrets
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from app.errors import LinesideError
from app.mapping_changes.comparison import Outcome
from app.mapping_changes.masking import mask
from app.mapping_changes.trying import Fault, fault_of, tried
from app.new_sources.module_text import module_text
from app.new_sources.registry_text import with_mapping
from app.new_sources.roles import Guesses, guess
from app.new_sources.sample import Format, Sample, read_sample
from app.new_sources.topology_text import source_block
from config.topology import Plant
from mappings.canonical import contract
from mappings.context import Deviations, InboundContext, PlantFacts
from mappings.formats import json_body, rows, xml_record

REGISTRY = Path("mappings/registry.py")
TRIED_MOST = 50
_READ: Mapping[str, Callable[[bytes, Deviations | None], Any]] = {
    "csv": rows.read,
    "fixed_width": rows.read,
    "json": json_body.read,
    "xml": xml_record.read,
}


class SourceRefused(Exception):
    """Nothing was written; the text says why and what to do."""


@dataclass(frozen=True)
class Wanted:
    """``named``: role -> field, as a person says. ``keep_items``: whether the golden pair shows the sample's items;
    ``known_items``: those that it may show in any case."""

    code: str
    kind: str
    format: Format
    plant: Plant
    file_name: str
    named: Mapping[str, str]
    event: str | None
    keep_items: bool
    known_items: frozenset[str]

    @property
    def family(self) -> str:
        return re.sub(r"\W+", "_", self.code, flags=re.ASCII).lower()

    @property
    def module(self) -> str:
        return re.sub(r"\W+", "_", self.kind.rpartition(".")[2], flags=re.ASCII).lower()


@dataclass(frozen=True)
class Made:
    """``files``: their text by their path in the checkout. ``block``: for the topology."""

    files: Mapping[Path, str]
    block: str
    sample: Sample
    guesses: Guesses


def make_source(checkout: Path, wanted: Wanted, body: bytes) -> Made:
    """What would be written. Raises SourceRefused, SampleUnusable, NotEnough or RegistryUnknown."""
    sample = read_sample(body, wanted.format)
    guesses = guess(sample, wanted.named, wanted.event)
    text = module_text(wanted.family, wanted.kind, guesses)
    events, payload = _golden(wanted, sample, guesses, text)
    family = Path("mappings/inbound") / wanted.family
    golden = Path("tests/golden") / wanted.family
    case = golden / wanted.kind / "from_the_sample"
    context = {"plant": wanted.plant.code, "timezone": wanted.plant.timezone, "units": guesses.units}
    files = {
        family / "__init__.py": f'"""What the source {wanted.code} sends."""\n',
        family / f"{wanted.module}.py": text,
        golden / "context.json": _laid_out(context),
        case / f"input.{'xml' if wanted.format == 'xml' else 'json'}": payload.rstrip("\n") + "\n",
        case / "expected.json": _laid_out(events),
    }
    _refuse_what_is_there(checkout, files)
    registry = (checkout / REGISTRY).read_text("utf-8")
    if f'("{wanted.family}", "{wanted.kind}")' in registry:
        raise SourceRefused(f"mappings/registry.py has {wanted.family}, {wanted.kind} already; choose another name.")
    files[REGISTRY] = with_mapping(registry, wanted.family, wanted.kind, wanted.module, wanted.format)
    place = (wanted.code, wanted.family, wanted.kind, wanted.plant.code)
    block = source_block(*place, sample, guesses, wanted.file_name)
    return Made(files, block, sample, guesses)


def write_source(checkout: Path, made: Made) -> None:
    """Each file whole, the registry last: until then nothing knows of the others."""
    for path, text in sorted(made.files.items(), key=lambda item: item[0] == REGISTRY):
        target = checkout / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def _refuse_what_is_there(checkout: Path, files: Mapping[Path, str]) -> None:
    there = [str(path) for path in files if (checkout / path).exists()]
    if there:
        raise SourceRefused(f"{there[0]} is there already, and nothing is overwritten; choose another name or type.")


def _golden(wanted: Wanted, sample: Sample, guesses: Guesses, text: str) -> tuple[list[dict[str, Any]], str]:
    """The events and the masked payload of the first message that the new mapping takes."""
    first: Fault | None = None
    items = set(guesses.roles["item"].field.texts())
    with tempfile.TemporaryDirectory(prefix="new-source-") as folder:
        module = _loaded(Path(folder) / f"{wanted.module}.py", text)
        for body in sample.bodies[:TRIED_MOST]:
            outcome = _outcome(wanted, guesses, module, body)
            if isinstance(outcome, Fault):
                first = first or outcome
                continue
            done = mask(
                body.decode(),
                "xml" if wanted.format == "xml" else "json",
                lambda payload: _outcome(wanted, guesses, module, payload.encode()),
                lambda value: value in wanted.known_items or (wanted.keep_items and value in items),
                secrets.token_bytes(16),
            )
            if not isinstance(done.outcome, Fault):
                return [dict(event) for event in done.outcome], done.text
    assert first is not None
    where = f" (at {first.field})" if first.field else ""
    raise SourceRefused(f"The mapping would take no message of the sample: {first.code}: {first.reason}{where}")


def _loaded(path: Path, text: str) -> ModuleType:
    path.write_text(text, encoding="utf-8")
    found = importlib.util.spec_from_file_location(f"new_source_{path.stem}", path)
    assert found is not None and found.loader is not None  # noqa: PT018 - no test
    module = importlib.util.module_from_spec(found)
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        found.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = before
    return module


def _outcome(wanted: Wanted, guesses: Guesses, module: ModuleType, body: bytes) -> Outcome:
    plant = PlantFacts(wanted.plant.code, wanted.plant.name, wanted.plant.timezone, wanted.plant.options)
    context = InboundContext(plant, wanted.code, "sample", datetime(2026, 1, 1, tzinfo=UTC), guesses.units)

    def mapped() -> list[dict[str, Any]]:
        events = module.to_canonical(_READ[wanted.format](body, None), context)
        return [{"type": event.type, "data": contract.validate(event.type, event.data)} for event in events]

    done = tried(mapped)
    return fault_of(done) if isinstance(done, LinesideError) else done


def _laid_out(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"
