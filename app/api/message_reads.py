"""What became of messages: lists, one message, its payload and its documents."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, request
from flask.json import dumps
from flask_smorest import Blueprint
from sqlalchemy.orm import Session

from app.access.identity import current_identity
from app.access.policy import at_least
from app.access.roles import Role
from app.api.message_wire import message_wire, story_wire
from app.api.openapi_parts import PAGING, done, problems, query
from app.api.routing import route
from app.api.schemas import MessagePageSchema, MessageSchema
from app.inbox.lookup import (
    PAGE_MOST,
    MessageFilter,
    archive_of,
    find_message,
    list_messages,
    read_payload,
    tell_story,
)
from app.store.documents import CANONICAL, ENRICHED, load_documents
from app.store.messages_tables import Message
from app.web import parameters
from app.web.archives import exported_to
from app.web.problems import Problem
from app.web.services import services

blueprint = Blueprint("message_reads", __name__, description="What became of messages.")
READER = at_least(Role.VIEWER, or_source_key=True)


@route(
    blueprint,
    "GET",
    "/v1/messages",
    READER,
    summary="List messages, newest first",
    parameters=[
        query("plant", "One or more plants, parted by commas"),
        query("state", "One or more states, parted by commas"),
        query("source", "The source's code"),
        query("type", "The type as it was sent"),
        query("source_message_id", "The sender's own id"),
        query("reason_code", "Of dead and waiting messages"),
        query("ordering_key", "Such as `order:1000123`"),
        query("received_after", "An instant"),
        query("received_before", "An instant"),
        *PAGING,
    ],
    responses={**done("A page", MessagePageSchema), **problems("401", "403", "422")},
)
def list_page() -> Response:
    """Follow `next` until it is null; a page that was searched without a find may be empty and still go on. A source's
    key sees the source's own messages."""
    limit = parameters.whole_number(request.args, "limit", PAGE_MOST) or 50
    with services().store.reading() as session:
        page = list_messages(session, _chosen(), limit, parameters.whole_number(request.args, "before"))
        messages = [message_wire(message) for message in page.messages]
    return jsonify({"messages": messages, "next": parameters.next_page(page.before)})


def _chosen() -> MessageFilter:
    asked = request.args
    plants, source = parameters.words(asked, "plant"), parameters.text(asked, "source")
    key = current_identity().key
    if key is not None:
        if source not in (None, key.source) or not all(key.may_send_for(plant) for plant in plants):
            raise Problem(403, "forbidden", f"This key sees messages of source {key.source} and its plants only.")
        plants, source = plants or sorted(key.plants), key.source
    return MessageFilter(
        plants=plants,
        states=parameters.states(asked),
        source=source,
        type=parameters.text(asked, "type"),
        source_message_id=parameters.text(asked, "source_message_id"),
        reason_code=parameters.text(asked, "reason_code"),
        ordering_key=parameters.text(asked, "ordering_key", 250),
        received_after=parameters.moment(asked, "received_after"),
        received_before=parameters.moment(asked, "received_before"),
    )


@route(
    blueprint,
    "GET",
    "/v1/messages/<int:message_id>",
    READER,
    summary="One message: state, timeline, postings with their attempts, links to its documents",
    responses={**done("The message", MessageSchema), **problems("401", "403", "404")},
)
def show_message(message_id: int) -> Response:
    with services().store.reading() as session:
        return jsonify(story_wire(tell_story(session, visible_message(session, message_id))))


@route(
    blueprint,
    "GET",
    "/v1/messages/<int:message_id>/payload",
    READER,
    summary="The payload, byte for byte as it was received",
    responses={"200": {"description": "The bytes", "content": {"*/*": {}}}, **problems("401", "403", "404")},
)
def download_payload(message_id: int) -> Response:
    with services().store.reading() as session:
        message = visible_message(session, message_id)
        found = read_payload(session, message.id)
        archive = archive_of(session, message)
    if found is None:
        raise Problem(404, "not_found", exported_to(message_id, archive))
    return attachment(found[1], f"message-{message_id}")


@route(
    blueprint,
    "GET",
    "/v1/messages/<int:message_id>/documents/<any(canonical,enriched):step>",
    READER,
    summary="What the message became: its canonical events, or its enriched ones",
    responses={**done("The events", {"type": "array", "items": {"type": "object"}}), **problems("401", "403", "404")},
)
def show_document(message_id: int, step: str) -> Response:
    assert step in (CANONICAL, ENRICHED)
    with services().store.reading() as session:
        message = visible_message(session, message_id)
        found, archive = load_documents(session, [message_id], step), archive_of(session, message)
    if message_id not in found and archive is not None:
        raise Problem(404, "not_found", exported_to(message_id, archive))
    if message_id not in found:
        raise Problem(404, "not_found", f"Message {message_id} has no {step} document yet.")
    return Response(dumps(found[message_id]), content_type="application/json")


def visible_message(session: Session, message_id: int) -> Message:
    """The message, if there is one that the caller may see; Problem otherwise, without telling which."""
    message = find_message(session, message_id) if message_id <= parameters.ID_MOST else None
    key = current_identity().key
    if message is not None and key is not None and not _own(message, key):
        message = None
    if message is None:
        raise Problem(404, "not_found", f"There is no message {message_id}.")
    return message


def _own(message: Message, key: Any) -> bool:
    return bool(message.source == key.source and key.may_send_for(message.plant))


def attachment(body: bytes, name: str) -> Response:
    """Bytes from elsewhere, which a browser is to store and never to show: whatever they are, they run nowhere."""
    return Response(
        body,
        content_type="application/octet-stream",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox; default-src 'none'",
        },
    )
