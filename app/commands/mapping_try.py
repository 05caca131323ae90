"""`lineside mapping try`: what a file would become, without sending it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from app.clock import utc_now
from app.commands.database import open_database
from app.commands.exits import NO, Unreachable, Unusable
from app.commands.opening import open_settings, open_topology
from app.commands.printing import json_option, laid_out_json, plain_line, print_json, terminal
from app.mapping_changes.preview import Looking, Preview, PreviewedEvent, TargetDocument, preview
from app.mapping_changes.submissions import CannotTell, Named, Submission, Unreadable, read_submissions
from app.mapping_changes.trying import Fault, quiet_logs
from config.settings import Settings
from config.topology import Topology

FAULTS_TOLD_MOST = 100


@dataclass
class Answer:
    """``shown``: the first so many messages. Of the others only what is wrong is kept, up to a bound."""

    shown: list[Preview] = field(default_factory=list)
    faults: list[tuple[str, Fault]] = field(default_factory=list)
    looked_at: int = 0
    refused: int = 0
    no_database: str | None = None


@click.command("try")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--source", "source_code", required=True, help="The source's code in the topology.")
@click.option("--type", "kind", help="What the source calls this kind of message, or file.")
@click.option("--plant", help="Needed where the source sends for several plants.")
@click.option("--id", "message_id", help="The message's id at its source, which makes its posting keys.")
@click.option("--row", type=click.IntRange(1), help="Only this one: a row's line, a document's or an event's number.")
@click.option("--first", default=5, show_default=True, type=click.IntRange(1, 1_000), help="How many are shown whole.")
@json_option
def try_file(
    file: Path,
    source_code: str,
    kind: str | None,
    plant: str | None,
    message_id: str | None,
    row: int | None,
    first: int,
    as_json: bool,
) -> None:
    """Show what FILE would become if SOURCE sent or dropped it: the canonical events, and the document that each target
    would be posted. Nothing is sent and nothing stored.

    Items and orders are looked up in the database where there is one. Every message of the file is mapped, the first
    are shown whole, and whatever is refused is told with its place. Exit codes: 0 all can be mapped, 1 something is
    refused, 2 the call has to be mended.
    """
    settings = open_settings()
    topology = open_topology(settings)
    if source_code not in topology.sources:
        raise Unusable(f"The topology has no source {source_code!r}; it has: {', '.join(topology.sources)}.")
    named, source = Named(plant, kind, message_id), topology.sources[source_code]
    with ExitStack() as stack, file.open("rb") as stream:
        stack.enter_context(quiet_logs())
        looking, no_database = _looking(stack, settings, topology)
        try:
            found = read_submissions(source, file.name, stream, named, utc_now(), settings.max_body_bytes)
        except CannotTell as error:
            raise Unusable(str(error)) from None
        answer = _look(looking, _only(found, row), first)
    answer.no_database = no_database
    if answer.looked_at == 0:
        raise Unusable(f"{file.name} holds no message{f' at {row}' if row else ''}.")
    _tell(answer, as_json)


def _looking(stack: ExitStack, settings: Settings, topology: Topology) -> tuple[Looking, str | None]:
    """Without a database, and why, where none can be used."""
    try:
        store = stack.enter_context(open_database(settings))
    except (Unusable, Unreachable) as error:
        return Looking(topology), error.message
    return Looking(topology, stack.enter_context(store.reading())), None


def _only(found: Iterable[Submission | Unreadable], row: int | None) -> Iterator[Submission | Unreadable]:
    return (each for each in found if row is None or each.number == row)


def _look(looking: Looking, found: Iterable[Submission | Unreadable], first: int) -> Answer:
    answer = Answer()
    for each in found:
        answer.looked_at += 1
        if isinstance(each, Unreadable):
            _note(answer, each.place, [each.fault])
            continue
        done = preview(looking, each)
        if len(answer.shown) < first:
            answer.shown.append(done)
            answer.refused += done.is_refused
        elif done.is_refused:
            _note(answer, each.place, list(_faults(done)))
    return answer


def _note(answer: Answer, place: str, faults: Sequence[Fault]) -> None:
    answer.refused += 1
    answer.faults += [(place, fault) for fault in faults][: FAULTS_TOLD_MOST - len(answer.faults)]


def _faults(done: Preview) -> Iterator[Fault]:
    if done.fault is not None:
        yield done.fault
    for event in done.events:
        yield from event.faults
        yield from (document.fault for document in event.documents if document.fault is not None)


def _tell(answer: Answer, as_json: bool) -> None:
    if as_json:
        print_json(_wire(answer))
    else:
        _print(terminal(), answer)
    if answer.refused:
        click.get_current_context().exit(NO)


def _wire(answer: Answer) -> dict[str, Any]:
    return {
        "looked_at": answer.looked_at,
        "refused": answer.refused,
        "no_database": answer.no_database,
        "messages": [_preview_wire(each) for each in answer.shown],
        "faults": [{"place": place, **_fault_wire(fault)} for place, fault in answer.faults],
    }


def _fault_wire(fault: Fault | None) -> dict[str, Any]:
    return {} if fault is None else {"code": fault.code, "reason": fault.reason, "field": fault.field}


def _preview_wire(done: Preview) -> dict[str, Any]:
    return {
        "place": done.place,
        "type": done.type,
        "source_message_id": done.source_message_id,
        "ordering_key": done.ordering_key,
        "mapping_version": done.mapping_version,
        "note": done.note,
        "waits": done.waits,
        "refused": _fault_wire(done.fault) or None,
        "events": [_event_wire(each) for each in done.events],
    }


def _event_wire(each: PreviewedEvent) -> dict[str, Any]:
    return {
        "type": each.event.type,
        "data": each.event.data,
        "waits": list(each.waits),
        "faults": [_fault_wire(fault) for fault in each.faults],
        "documents": [
            {
                "target": document.target,
                "required": document.required,
                "document": document.document,
                "needs_items": document.needs,
                "waits": document.waits,
                "refused": _fault_wire(document.fault) or None,
            }
            for document in each.documents
        ],
    }


def _print(console: Console, answer: Answer) -> None:
    if answer.no_database:
        plain_line(console, f"Items and orders are not looked up: {answer.no_database}\n")
    for done in answer.shown:
        _print_preview(console, done)
    for place, fault in answer.faults:
        plain_line(console, f"{place}: refused, {_told(fault)}")
    more = answer.looked_at - len(answer.shown)
    rest = f", of which {len(answer.shown)} are shown" if more > 0 else ""
    plain_line(console, f"{answer.looked_at} looked at{rest}; {answer.refused} refused. Nothing was sent.")


def _print_preview(console: Console, done: Preview) -> None:
    plain_line(console, f"{done.place}: {done.type}, id {done.source_message_id}")
    if done.fault is not None:
        plain_line(console, f"  refused      {_told(done.fault)}\n")
        return
    if done.waits:
        plain_line(console, f"  would wait   {done.waits}\n")
        return
    plain_line(console, f"  order key    {done.ordering_key or 'none'}")
    if done.note:
        plain_line(console, f"  note         {done.note}")
    for each in done.events:
        plain_line(console, f"  event        {each.event.type}")
        plain_line(console, textwrap.indent(laid_out_json(each.event.data), "    "))
        for text in each.waits:
            plain_line(console, f"    would wait   {text}")
        for fault in each.faults:
            plain_line(console, f"    refused      {_told(fault)}")
        for document in each.documents:
            _print_document(console, document)
        if not each.documents:
            plain_line(console, "    no target is routed for it")
    plain_line(console, "")


def _print_document(console: Console, made: TargetDocument) -> None:
    name = made.target + ("" if made.required else " (not required)")
    if made.fault is not None:
        plain_line(console, f"    {name}: refused, {_told(made.fault)}")
    elif made.waits is not None:
        plain_line(console, f"    {name}: would wait, {made.waits}")
    elif made.needs is not None:
        plain_line(console, f"    {name}: its document needs item {made.needs}, which is unknown here")
    elif made.document is None:
        plain_line(console, f"    {name}: has nothing to do")
    else:
        plain_line(console, f"    {name}:")
        plain_line(console, textwrap.indent(laid_out_json(made.document), "      "))


def _told(fault: Fault) -> str:
    return f"{fault.code}: {fault.reason}" + (f" (at {fault.field})" if fault.field else "")
