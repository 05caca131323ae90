"""A dead letter's payload, as a person gets it to correct it, and what a correction has to be."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.dead_letters.selection import dead_ids
from app.inbox.lookup import archive_of, find_message
from app.inbox.replays import replay_in
from app.store.documents import load_payloads
from app.store.messages_tables import Message
from app.web import parameters
from app.web.archives import exported_to
from app.web.bodies import STRUCTURED, kind_of, media_type, parsed
from app.web.cloud_events import read_structured
from app.web.contract_check import check_contract
from app.web.problems import FieldError, Problem
from mappings.context import MappingError
from mappings.formats import xml_body


@dataclass(frozen=True)
class Letter:
    """A message with what it is read from: its newest correction where there is one, else what was received.
    ``event_id``: what its sender called it, which of a replay is the id of the first one."""

    message: Message
    content_type: str
    body: bytes
    event_id: str

    @property
    def text(self) -> str | None:
        """The body as text that can be written back as UTF-8 and mean the same; None where it is no such text."""
        try:
            if kind_of(media_type(self.content_type)) == "xml" and not _is_utf8(self.body):
                return None
            text = self.body.decode("utf-8-sig")
        except (UnicodeDecodeError, MappingError, Problem):
            return None
        return text if all(sign >= " " or sign in "\t\r\n" for sign in text) else None


def _is_utf8(body: bytes) -> bool:
    return xml_body.encoding_of(body)[0] in ("utf-8", "ascii")


def read_letter(session: Session, message_id: int) -> Letter:
    """The message and its payload; Problem where there is none of this id."""
    message = find_message(session, message_id) if 0 < message_id <= parameters.ID_MOST else None
    if message is None:
        raise Problem(404, "not_found", f"There is no dead letter {message_id}.")
    payload = load_payloads(session, [message_id]).get(message_id)
    if payload is None:
        raise Problem(404, "not_found", exported_to(message_id, archive_of(session, message)))
    replay = replay_in(payload)
    event_id = replay.source_message_id if replay else message.source_message_id
    return Letter(message, payload.content_type, payload.body, event_id)


def read_dead_letter(session: Session, message_id: int) -> Letter:
    """The same, of a message that is dead now; Problem otherwise."""
    letter = read_letter(session, message_id)
    if not dead_ids(session, [message_id]):
        raise Problem(409, "not_possible", f"Message {message_id} is {letter.message.state} and no dead letter.")
    return letter


def check_correction(letter: Letter, body: bytes) -> None:
    """A correction changes what the message says, never which message it is. Raises Problem with every fault."""
    message, content_type = letter.message, media_type(letter.content_type)
    if not body.strip():
        raise Problem(422, "refused", "The correction is empty; to end the message, discard it.")
    if content_type != STRUCTURED:
        kind = kind_of(content_type)
        check_contract(message.type, kind, parsed(body, kind), None, "")
        return
    received = read_structured(body)
    if (received.source_message_id, received.type) != (letter.event_id, message.type):
        faults = [FieldError("must stay as it was", pointer="/id"), FieldError("must stay as it was", pointer="/type")]
        raise Problem(422, "refused", "The corrected event must keep its id and its type.", faults)
    check_contract(message.type, received.kind, received.data, received.time, received.data_pointer)
