"""Which messages correct which: the whole family of a correction, locked, and what waits for one of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Row, delete, false, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.inbox.replays import replayed
from app.store.base import table_of
from app.store.documents import CANONICAL, load_documents
from app.store.key_sets import among
from app.store.messages_tables import Message
from app.store.prepared import Prepared
from app.store.restatement_tables import Restatement

FAMILY_MOST = 20
"""Messages that re-state each other, in whatever order."""
GONE = ("discarded", "compensated")


# Made once: every round of every lane asks.
_ROW = table_of(Restatement).c
_ANY_OPEN = Prepared(select(_ROW.message_id).where(_ROW.is_open.is_(True)).limit(1))


def message_reference(source: str, source_message_id: str) -> str:
    """What a correction waits for: that this message is there, or undone."""
    return f"message:{source}:{source_message_id}"


@dataclass(frozen=True)
class Family:
    """Of a correction. ``earlier``: every message that it re-states, directly or because one of those did, and every
    earlier correction of one of them; ``missing``: ids among those that nobody has sent yet; ``later``: a message that
    re-states this one, or the same as this one, and came after it. ``is_whole``: whether these are all."""

    earlier: Sequence[Message] = ()
    missing: Sequence[str] = ()
    later: int | None = None
    is_whole: bool = True


def lock_family(session: Session, message_id: int, source: str, own_id: str, corrects: Collection[str]) -> Family:
    """The family of this correction, whose rows stay locked until the caller commits; what it corrects is noted.

    Locked are always the corrected ones first: two corrections of one message come here one after the other."""
    said = _Said(session, source)
    own = said.place_of(message_id, own_id)
    known: dict[str, Message] = {}
    missing: set[str] = set()
    wanted = set(corrects)
    is_noted = False
    while wanted and len(known) <= FAMILY_MOST:
        found = _lock(session, source, wanted)
        if not is_noted:
            _note(session, message_id, source, corrects)
            is_noted = True
        known |= found
        missing |= wanted - found.keys()
        others = _corrections(session, source, wanted, message_id)
        earlier = {one for key, one, _ in others if said.place_of(key, one) < own}
        named = _corrected_by(session, list(found.values())) | earlier
        wanted = named - known.keys() - missing - {own_id}
    # One that was given up since does not stand in anybody's place.
    others = _corrections(session, source, {*known, *missing, own_id}, message_id)
    standing = [(said.place_of(key, one), key) for key, one, state in others if state not in GONE]
    later = max((one for one in standing if one[0] > own), default=None)
    whole = sorted(known.values(), key=lambda one: one.id)
    return Family(whole, sorted(missing), later and later[1], len(known) <= FAMILY_MOST)


@dataclass(frozen=True)
class _Said:
    """When the messages of a source said what they say."""

    session: Session
    source: str

    def place_of(self, message_id: int, own_id: str) -> tuple[int, int]:
        """A replay says once more what its first message said: what a sender corrected since is newer than it."""
        first, named = message_id, own_id
        for _ in range(FAMILY_MOST):
            before = replayed(named)
            query = select(Message.source_message_id).where(Message.id == before, Message.source == self.source)
            found = None if before is None else self.session.scalar(query)
            if before is None or found is None:
                break
            first, named = before, found
        return first, message_id


def _lock(session: Session, source: str, ids: Collection[str]) -> dict[str, Message]:
    of_them = (Message.source == source) & Message.source_message_id.in_(sorted(ids))
    query = select(Message).where(of_them).order_by(Message.id).with_for_update()
    rows = session.execute(query.execution_options(populate_existing=True)).scalars()
    return {row.source_message_id: row for row in rows}


def _note(session: Session, message_id: int, source: str, corrects: Collection[str]) -> None:
    """A person may have had the correction name another message since it was looked at before."""
    mine = Restatement.message_id == message_id
    others = delete(Restatement).where(mine, Restatement.corrects.not_in(sorted(corrects)))
    session.execute(others.execution_options(synchronize_session=False))
    build = sqlite.insert if session.connection().dialect.name == "sqlite" else postgresql.insert
    rows = [{"message_id": message_id, "corrects": one, "source": source, "is_open": True} for one in sorted(corrects)]
    session.connection().execute(build(Restatement).on_conflict_do_nothing(), rows)


def _corrected_by(session: Session, messages: Sequence[Message]) -> set[str]:
    """What these correct themselves. Their documents say so: one that waits, or died early, has noted nothing; of one
    that was exported only what it noted is left."""
    ids = [message.id for message in messages]
    documents = load_documents(session, ids, CANONICAL)
    events = (entry for body in documents.values() if isinstance(body, list) for entry in body)
    named = (entry["data"].get("correction_of") for entry in events if isinstance(entry, dict) and "data" in entry)
    gone = [key for key in ids if key not in documents]
    noted = session.scalars(select(Restatement.corrects).where(Restatement.message_id.in_(gone)))
    return {*(one for one in named if one), *noted}


def _corrections(session: Session, source: str, corrects: Collection[str], but: int) -> Sequence[Row[int, str, str]]:
    """Every other message that re-states one of these, the newest first: its id, the id that its source gave it, and
    its state."""
    query = select(Message.id, Message.source_message_id, Message.state)
    query = query.join(Restatement, Restatement.message_id == Message.id).where(Message.id != but)
    of_them = (Restatement.source == source) & Restatement.corrects.in_(sorted(corrects))
    return session.execute(query.where(of_them).distinct().order_by(Message.id.desc()).limit(FAMILY_MOST + 1)).all()


def open_corrections(session: Session, messages: Collection[tuple[int, str, str]]) -> dict[int, int]:
    """Those of these messages (id, source, the source's id) in whose place a correction stands that came before them,
    with that correction. Asks only whether there is any where none is open."""
    if not messages or not any_waits(session):
        return {}
    ids = {(source, own): key for key, source, own in messages}
    columns = (Restatement.source, Restatement.corrects)
    query = select(*columns, Message.id).join(Message, Message.id == Restatement.message_id)
    gone = Message.state.in_(GONE)
    rows = session.execute(query.where(among(columns, sorted(ids)), Restatement.is_open.is_(True), ~gone))
    found = {ids[row.source, row.corrects]: row.id for row in rows}
    return {key: by for key, by in found.items() if by < key}


def close_restatement(session: Session, message_id: int) -> None:
    """All that this message corrects is undone."""
    closed = update(Restatement).where(Restatement.message_id == message_id).values(is_open=false())
    session.execute(closed.execution_options(synchronize_session=False))


def any_waits(session: Session) -> bool:
    """Whether any correction may wait for a message."""
    return bool(_ANY_OPEN.rows(session))


@dataclass(frozen=True)
class Links:
    """``corrects``: ids of messages that this one re-states, where they are known; ``corrected_by``: of those that
    re-state it."""

    corrects: Sequence[int] = ()
    corrected_by: Sequence[int] = ()


def links_of(session: Session, message: Message) -> Links:
    mine = select(Message.id).join(
        Restatement, (Restatement.source == Message.source) & (Restatement.corrects == Message.source_message_id)
    )
    corrects = session.scalars(mine.where(Restatement.message_id == message.id).order_by(Message.id))
    theirs = select(Restatement.message_id).where(
        Restatement.source == message.source, Restatement.corrects == message.source_message_id
    )
    corrected_by = session.scalars(theirs.order_by(Restatement.message_id).limit(FAMILY_MOST))
    return Links(list(corrects), list(corrected_by))
