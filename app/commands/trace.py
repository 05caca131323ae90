"""`lineside trace`: the whole path of one message, from its bytes to what each target answered."""

from __future__ import annotations

import textwrap
from datetime import datetime
from typing import Any

import click
from rich.console import Console
from sqlalchemy.orm import Session

from app.commands.database import open_database
from app.commands.exits import AnswerIsNo
from app.commands.opening import open_settings
from app.commands.printing import json_option, laid_out_json, print_json, terminal
from app.commands.printing import plain_line as _line
from app.inbox.lookup import (
    MessageFilter,
    MessageStory,
    PostingStory,
    find_message,
    list_messages,
    read_payload,
    tell_story,
)
from app.store.messages_tables import Message
from app.store.retention_tables import Archive

PAYLOAD_SHOWN_BYTES = 20_000

IDENTITY = (
    *("id", "plant", "source", "source_message_id", "type", "state", "step", "received_at", "state_at", "due_at"),
    *("attempts", "ordering_key", "sequence", "waiting_for", "reason_code", "reason", "reason_field"),
    *("mapping_version", "traceparent"),
)


@click.command()
@click.argument("message_id")
@click.option("--source", help="MESSAGE_ID is the id that this source gave it.")
@click.option("--documents", is_flag=True, help="Also what was received, and what it became at each step.")
@json_option
def trace(message_id: str, source: str | None, documents: bool, as_json: bool) -> None:
    """Show the whole path of one message: who sent it, where it is, what was posted and what the targets answered.

    Exit codes: 0 shown, 1 there is no such message.
    """
    with open_database(open_settings()) as store, store.reading() as session:
        story = tell_story(session, _find(session, message_id, source))
        payload = read_payload(session, story.message.id, PAYLOAD_SHOWN_BYTES)
        told = _as_json(story, payload)
    if as_json:
        print_json(told)
    else:
        _print(terminal(), told, documents)


def _find(session: Session, message_id: str, source: str | None) -> Message:
    if source is not None:
        page = list_messages(session, MessageFilter(source=source, source_message_id=message_id), limit=1)
        found = page.messages[0] if page.messages else None
    else:
        found = find_message(session, int(message_id)) if message_id.isascii() and message_id.isdigit() else None
    if found is None:
        whose = f"of source {source} " if source else ""
        hint = "" if source else "; with --source S it is looked up by the id that S gave it"
        raise AnswerIsNo(f"There is no message {message_id} {whose}here{hint}.")
    return found


def _as_json(story: MessageStory, payload: tuple[str, bytes] | None) -> dict[str, Any]:
    message = story.message
    return {
        **{name: getattr(message, name) for name in IDENTITY},
        "file": {"name": story.file.name, "row": message.row_number} if story.file else None,
        "holds_up": story.holds_up,
        "archive": _archive(story.archive),
        "corrects": list(story.links.corrects),
        "corrected_by": list(story.links.corrected_by),
        "payload": {
            "content_type": story.payload_type,
            "size_bytes": story.payload_bytes,
            "text": payload[1].decode(errors="replace") if payload else None,
        },
        "timeline": [
            {"at": e.at, "actor": e.actor, "from": e.from_state, "to": e.to_state, "note": e.note}
            for e in story.timeline
        ],
        "documents": {document.step: document.body for document in story.documents},
        "postings": [_posting(posting) for posting in story.postings],
    }


def _archive(archive: Archive | None) -> dict[str, Any] | None:
    if archive is None:
        return None
    return {"file": archive.path, "host": archive.host, "sha256": archive.sha256, "made_at": archive.made_at}


def _posting(story: PostingStory) -> dict[str, Any]:
    posting = story.posting
    names = (
        "id",
        "target",
        "kind",
        "required",
        "state",
        "posting_key",
        "generation",
        "reference",
        "reason_code",
        "reason",
    )
    attempts = [
        {
            "number": attempt.number,
            "started_at": attempt.started_at,
            "ended_at": attempt.ended_at,
            "worker": attempt.worker,
            "outcome": attempt.outcome,
            "detail": attempt.detail,
        }
        for attempt in story.attempts
    ]
    own = {name: getattr(posting, name) for name in (*names, "document", "answer")}
    return {**own, "attempts": attempts, "reversal": _posting(story.reversal) if story.reversal else None}


def _print(console: Console, told: dict[str, Any], documents: bool) -> None:
    _line(console, f"Message {told['id']}: {told['type']} of {told['source']} for {told['plant']}")
    _line(console, f"  state        {told['state']}" + (f", next {told['step']}" if told["step"] else ""))
    if told["reason"]:
        where = f" (at {told['reason_field']})" if told["reason_field"] else ""
        _line(console, f"  because      {told['reason_code']}: {told['reason']}{where}")
    _line(console, f"  sender's id  {told['source_message_id']}")
    _line(console, f"  order key    {told['ordering_key'] or 'none'}; holds up {told['holds_up']} later messages")
    for name, told_as in (("corrects", "corrects"), ("corrected_by", "corrected by")):
        if told[name]:
            _line(console, f"  {told_as:<12} message {', '.join(map(str, told[name]))}")
    if told["file"]:
        _line(console, f"  file         {told['file']['name']}, row {told['file']['row']}")
    if told["archive"]:
        where = f"{told['archive']['file']} on {told['archive']['host']}"
        _line(console, f"  exported     {_instant(told['archive']['made_at'])} to {where}; retention restore reads it")
    else:
        _line(console, f"  payload      {told['payload']['content_type']}, {told['payload']['size_bytes']} bytes")
    _line(console, "\nTimeline")
    for entry in told["timeline"]:
        moved = f"{entry['from'] or 'sent'} -> {entry['to']}"
        _line(console, f"  {_instant(entry['at'])}  {moved:<26} {entry['actor']}  {entry['note'] or ''}".rstrip())
    _line(console, "\nPostings" if told["postings"] else "\nNo posting was planned.")
    for posting in told["postings"]:
        _print_posting(console, posting, documents)
    if documents:
        _line(console, "\nReceived")
        _line(console, told["payload"]["text"] or "")
        for step, body in told["documents"].items():
            _line(console, f"\n{step.capitalize()}")
            _document(console, body, "  ")


def _print_posting(console: Console, posting: dict[str, Any], documents: bool, indent: str = "  ") -> None:
    optional = "" if posting["required"] else " (not required)"
    reference = f", there as {posting['reference']}" if posting["reference"] else ""
    what = f"{posting['target']}{optional}" if indent == "  " else "reversal"
    _line(
        console,
        f"{indent}{what}: {posting['state']}{reference}  [posting {posting['id']}, key {posting['posting_key']}]",
    )
    if posting["reason"]:
        _line(console, f"{indent}  {posting['reason_code'] or ''} {posting['reason']}".rstrip())
    for attempt in posting["attempts"]:
        took = _seconds(attempt["started_at"], attempt["ended_at"])
        outcome = attempt["outcome"] or "never reported back"
        line = f"{indent}  attempt {attempt['number']}  {_instant(attempt['started_at'])}  {outcome}{took}"
        _line(console, line + (f"  {attempt['detail']}" if attempt["detail"] else ""))
    if documents:
        for told, name in (("sent", "document"), ("answered", "answer")):
            if posting[name] is not None:
                _line(console, f"{indent}  {told}")
                _document(console, posting[name], f"{indent}    ")
    if posting["reversal"]:
        _print_posting(console, posting["reversal"], documents, indent + "  ")


def _document(console: Console, value: Any, indent: str) -> None:
    _line(console, textwrap.indent(laid_out_json(value), indent))


def _instant(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + "Z"


def _seconds(start: datetime, end: datetime | None) -> str:
    return f" after {(end - start).total_seconds():.2f} s" if end is not None else ""
