"""`lineside new source`: a source's mapping, registry line, golden pair and topology block from a sample."""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import click

from app.commands.exits import AnswerIsNo, Unusable
from app.commands.new_layout import layout
from app.commands.opening import open_settings, open_topology
from app.commands.printing import json_option, plain_line, print_json, terminal
from app.demo.catalogue import ITEMS
from app.mapping_changes.masking import TooLarge
from app.mapping_changes.released import CHECKOUT
from app.new_sources.making import Made, SourceRefused, Wanted, make_source, write_source
from app.new_sources.registry_text import RegistryUnknown
from app.new_sources.roles import NEEDED, NotEnough
from app.new_sources.sample import Format, SampleUnusable
from app.new_sources.topology_text import NoPlace, with_source
from app.new_sources.wording import ROLES
from config.topology import Plant, Topology
from config.topology_file import TopologyError, load_topology

SAMPLE_BYTES = 2_000_000
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,29}")
_KIND = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}")


@click.group()
def new() -> None:
    """Add to Lineside what an installation needs of its own."""


new.add_command(layout)


def _pair(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    pairs = [value.partition("=") for value in values]
    wrong = next(
        (value for value, pair in zip(values, pairs, strict=True) if not pair[2] or pair[0] not in ROLES), None
    )
    if wrong is not None:
        raise click.BadParameter(f"{wrong!r} is no ROLE=NAME; roles are {', '.join(ROLES)}")
    return {role: name for role, _, name in pairs}


@new.command("source")
@click.argument("name")
@click.option("--format", "form", required=True, type=click.Choice(get_args(Format)), help="What the sample is.")
@click.option("--sample", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--plant", help="The plant that it sends for; needed where the topology has several.")
@click.option("--type", "kind", help="What the source calls this kind of message; NAME.report unless told.")
@click.option(
    "--event", type=click.Choice(list(NEEDED)), help="What a message means; guessed by the fields unless told."
)
@click.option("--field", "named", multiple=True, callback=_pair, metavar="ROLE=NAME", help="Which field is what.")
@click.option("--topology", "topology_file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--into", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Another checkout.")
@click.option("--keep-items", is_flag=True, help="The golden pair shows the sample's items and units as they are.")
@json_option
def source(
    name: str,
    form: Format,
    sample: Path,
    plant: str | None,
    kind: str | None,
    event: str | None,
    named: dict[str, str],
    topology_file: Path | None,
    into: Path | None,
    keep_items: bool,
    as_json: bool,
) -> None:
    """Write the mapping of a new source from a SAMPLE of what it sends, its line in the registry and a golden pair, and
    print the block for the topology; --topology FILE adds it there, and leaves all else in it as it is.

    The golden pair is masked: orders, lots and items of the sample are replaced by others of the same form. What was
    guessed is marked in the files and told. Nothing is overwritten. Exit codes: 0 written, 1 the sample cannot become a
    mapping, 2 the call has to be mended.
    """
    checkout = _checkout(into)
    topology = _topology(topology_file)
    kind = kind or f"{name.replace('-', '_')}.report"
    _check_names(name, kind, topology)
    chosen = _plant(topology, plant)
    body = sample.read_bytes()
    if len(body) > SAMPLE_BYTES:
        raise Unusable(f"The sample has more than {SAMPLE_BYTES:,} bytes; some rows are enough.")
    wanted = Wanted(
        name, kind, form, chosen, sample.name, named, event, keep_items, frozenset(item.code for item in ITEMS)
    )
    made = _made(checkout, wanted, body)
    changed = _with_block(topology_file, made.block) if topology_file else None
    write_source(checkout, made)
    if topology_file and changed:
        topology_file.write_text(changed, encoding="utf-8")
    _tell(made, wanted, topology_file, as_json)


def _checkout(into: Path | None) -> Path:
    checkout = into or CHECKOUT
    if not (checkout / "mappings/registry.py").is_file() or not (checkout / "tests/golden").is_dir():
        raise Unusable(f"{checkout} is no checkout of Lineside (mappings/, tests/golden/); give one with --into.")
    return checkout


def _topology(file: Path | None) -> Topology:
    if file is None:
        return open_topology(open_settings())
    try:
        return load_topology(file)
    except TopologyError as error:
        raise Unusable(f"The topology cannot be used.\n{error}") from None


def _check_names(name: str, kind: str, topology: Topology) -> None:
    module = kind.rpartition(".")[2]
    for what, text, form in (("NAME", name, _NAME), ("--type", kind, _KIND), ("--type", module, _KIND)):
        if not form.fullmatch(text) or keyword.iskeyword(text.replace("-", "_").lower()):
            raise Unusable(f"{what} {text!r} cannot be used; write letters, digits, - or _, such as paint-line.")
    if name in topology.sources or name == "canonical":
        raise Unusable(f"The topology has a source {name!r} already; choose another name.")


def _plant(topology: Topology, code: str | None) -> Plant:
    if code is None and len(topology.plants) == 1:
        return next(iter(topology.plants.values()))
    if code not in topology.plants:
        raise Unusable(f"Give --plant, one of: {', '.join(topology.plants)}.")
    return topology.plants[code or ""]


def _made(checkout: Path, wanted: Wanted, body: bytes) -> Made:
    try:
        return make_source(checkout, wanted, body)
    except (SampleUnusable, NotEnough, SourceRefused, TooLarge) as error:
        raise AnswerIsNo(str(error)) from None
    except RegistryUnknown as error:
        raise Unusable(str(error)) from None


def _with_block(file: Path, block: str) -> str:
    """The topology's new text, which was read back and found sound."""
    try:
        changed = with_source(file.read_text("utf-8"), block)
    except NoPlace as error:
        raise Unusable(f"{file}: {error}. Leave --topology out and paste the block.") from None
    draft = file.with_name(f".{file.name}.draft")
    try:
        draft.write_text(changed, encoding="utf-8")
        load_topology(draft)
    except TopologyError as error:
        raise Unusable(f"With the block {file} could not be used; paste it by hand.\n{error}") from None
    finally:
        draft.unlink(missing_ok=True)
    return changed


def _tell(made: Made, wanted: Wanted, topology_file: Path | None, as_json: bool) -> None:
    guesses = made.guesses
    roles = {role: {"field": each.field.name, "doubt": each.doubt} for role, each in guesses.roles.items()}
    doubts = [*made.sample.notes, *guesses.doubts]
    files = [str(path) for path in made.files]
    if as_json:
        told: dict[str, Any] = {"source": wanted.code, "type": wanted.kind, "event": guesses.event, "files": files}
        told |= {"fields": roles, "guessed": doubts, "not_used": guesses.unused, "topology_block": made.block}
        print_json(told | {"added_to": str(topology_file) if topology_file else None})
        return
    _print(made, wanted, roles, doubts, topology_file)


def _print(made: Made, wanted: Wanted, roles: dict[str, Any], doubts: list[str], topology_file: Path | None) -> None:
    line: Callable[[str], None] = lambda text: plain_line(terminal(), text)  # noqa: E731
    line(f"{wanted.code} sends {wanted.kind}, which becomes {made.guesses.event}.")
    for role, each in roles.items():
        line(f"  {role:<13} {each['field']}" + (f"   guessed: {each['doubt']}" if each["doubt"] else ""))
    for text in doubts:
        line(f"  guessed       {text}")
    if made.guesses.unused:
        line(f"  not used      {', '.join(made.guesses.unused)}")
    for path in made.files:
        line(f"wrote {path}")
    if topology_file:
        line(f"added to {topology_file}")
    else:
        line(f"\nUnder `sources` of the topology:\n\n{made.block}")
    module = f"mappings/inbound/{wanted.family}/{wanted.module}.py"
    line(f"Next: look at what is marked as guessed in {module}, then\n")
    line(f"  python -m pytest tests/contract/test_mappings.py -k {wanted.family}")
    line(f"  lineside mapping try FILE --source {wanted.code}")
