"""Plan the postings of a message: which target is to hold what, under which key."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, or_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.postings.ledger import SUPERSEDED
from app.store.base import table_of
from app.store.postings_tables import Posting
from app.store.prepared import Prepared


@dataclass(frozen=True)
class PlannedPosting:
    target: str
    kind: str
    required: bool
    posting_key: str
    mapping_version: str
    document: Mapping[str, Any]
    generation: int = 0


def posting_key(source: str, source_message_id: str, event_index: int, target: str, generation: int = 0) -> str:
    """The same message, event and target give the same key for ever: ``LS`` and 24 characters, A-Z and 2-7.

    Only after a reversal is there another, of the next generation: under the old one the target would find what was
    reversed, and nothing would be posted.
    """
    parts = (source, source_message_id, str(event_index), target)
    return _key(*parts, str(generation)) if generation else _key(*parts)


def reversal_key(original: str) -> str:
    """The key of the reversal of what was posted under the key ``original``."""
    return _key("reversal", original)


def _key(*parts: str) -> str:
    return "LS" + base64.b32encode(hashlib.sha256("\0".join(parts).encode()).digest())[:24].decode()


def save_plans(session: Session, plant: str, plans: Mapping[int, Sequence[PlannedPosting]], now: datetime) -> None:
    """Write the planned postings of these messages.

    A message that passes here again (a requeue) gets its new documents only where nothing was ever sent or the target
    refused; what was posted, or may have been, stays as it was. What was planned before and never tried is replaced;
    what was tried, and is in today's plan no more, stays as a record and is never sent.
    """
    if not plans:
        return
    _DROP_UNTRIED.run(session, ids=list(plans))
    _SUPERSEDE_TRIED.run(session, ids=list(plans), b_at=now)
    rows = [
        {
            "message_id": message_id,
            "plant": plant,
            "ordinal": ordinal,
            "target": plan.target,
            "kind": plan.kind,
            "required": plan.required,
            "state": "planned",
            "posting_key": plan.posting_key,
            "mapping_version": plan.mapping_version,
            "document": dict(plan.document),
            "attempts": 0,
            "generation": plan.generation,
            "updated_at": now,
        }
        for message_id, planned in plans.items()
        for ordinal, plan in enumerate(planned)
    ]
    _SAVE.run_each(session, rows)


def _saving(build: Any) -> Any:
    statement = build(table_of(Posting))
    replaced = ("ordinal", "document", "mapping_version", "required", "state", "updated_at")
    return statement.on_conflict_do_update(
        index_elements=["posting_key"],
        set_={name: statement.excluded[name] for name in replaced} | {"reason_code": None, "reason": None},
        where=or_(_POSTING.state == "planned", _POSTING.state == "refused"),
    )


_POSTING = table_of(Posting).c
_MINE = _POSTING.message_id.in_(bindparam("ids", expanding=True))
_DROP_UNTRIED = Prepared(delete(table_of(Posting)).where(_MINE, _POSTING.state == "planned", _POSTING.attempts == 0))
_SUPERSEDE_TRIED = Prepared(
    update(table_of(Posting))
    .where(_MINE, _POSTING.state.in_(["planned", "refused"]))
    .values(
        state="refused",
        reason_code=SUPERSEDED,
        reason="The message makes no such posting any more.",
        updated_at=bindparam("b_at"),
    )
)
_SAVE = Prepared(_saving(postgresql.insert), sqlite=_saving(sqlite.insert))
