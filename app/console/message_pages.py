"""Lists of messages, and one message with everything that is known of it."""

from __future__ import annotations

from dataclasses import dataclass

from flask import render_template, request
from flask.typing import ResponseReturnValue

from app.console.documents import SHOWN_BYTES, lay_out, show_payload
from app.console.routing import VIEWER, page
from app.dead_letters.posting_requeue import may_be_requeued
from app.dead_letters.reversal import why_not_reversed
from app.inbox.lookup import (
    MessageFilter,
    PostingStory,
    find_message,
    list_messages,
    read_payload,
    tell_story,
)
from app.inbox.states import State
from app.postings.reversals import open_orders
from app.store.messages_tables import Message
from app.web import parameters
from app.web.problems import Problem
from app.web.services import services

PAGE = 50


@dataclass(frozen=True)
class ShownPosting:
    """A posting with its document and its answer laid out, and its reversal shown the same way."""

    story: PostingStory
    document: str
    answer: str
    reversal: ShownPosting | None
    may_be_requeued: bool


@page("GET", "/messages", VIEWER)
def show_messages() -> ResponseReturnValue:
    here, asked = services(), request.args
    chosen = MessageFilter(
        plants=parameters.words(asked, "plant"),
        states=parameters.states(asked),
        source=parameters.text(asked, "source"),
        type=parameters.text(asked, "type"),
        source_message_id=parameters.text(asked, "source_message_id"),
        ordering_key=parameters.text(asked, "ordering_key", 250),
        received_after=parameters.moment(asked, "received_after"),
        received_before=parameters.moment(asked, "received_before"),
    )
    with here.store.reading() as session:
        found = list_messages(session, chosen, PAGE, parameters.whole_number(asked, "before"))
    return render_template(
        "messages.html",
        page=found,
        chosen=chosen,
        older=parameters.next_page(found.before),
        first_page="before" not in asked,
        plants=list(here.topology.plants),
        sources=list(here.topology.sources),
        states=[state.value for state in State],
    )


@page("GET", "/messages/<int:message_id>", VIEWER)
def show_message(message_id: int) -> ResponseReturnValue:
    with services().store.reading() as session:
        message = find_message(session, message_id) if message_id <= parameters.ID_MOST else None
        if message is None:
            raise Problem(404, "not_found", f"There is no message {message_id}.")
        story = tell_story(session, message)
        payload = read_payload(session, message_id, SHOWN_BYTES)
        can_be_reversed = why_not_reversed(session, message) is None
        is_reversed = bool(open_orders(session, [message_id]))
    return render_template(
        "message.html",
        story=story,
        message=message,
        payload=show_payload(payload[1], story.payload_bytes) if payload else None,
        documents=[(document, lay_out(document.body)) for document in story.documents],
        can_be_reversed=can_be_reversed,
        is_reversed=is_reversed,
        postings=[_shown(posting, message, is_reversed) for posting in story.postings],
    )


def _shown(story: PostingStory, message: Message, is_reversed: bool) -> ShownPosting:
    answer = lay_out(story.posting.answer) if story.posting.answer else ""
    reversal = _shown(story.reversal, message, is_reversed) if story.reversal is not None else None
    again = not is_reversed and may_be_requeued(story.posting, message)
    return ShownPosting(story, lay_out(story.posting.document), answer, reversal, again)
