"""Plan the postings of a message: which target is to hold what, under which key."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, or_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.postings.ledger import SUPERSEDED
from app.store.postings_tables import Posting


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
    mine = Posting.message_id.in_(list(plans))
    untried = delete(Posting).where(mine, Posting.state == "planned", Posting.attempts == 0)
    session.execute(untried.execution_options(synchronize_session=False))
    tried = update(Posting).where(mine, Posting.state.in_(["planned", "refused"]))
    superseded = {
        "state": "refused",
        "reason_code": SUPERSEDED,
        "reason": "The message makes no such posting any more.",
    }
    session.execute(tried.values(superseded | {"updated_at": now}).execution_options(synchronize_session=False))
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
    if not rows:
        return
    build: Any = sqlite.insert if session.connection().dialect.name == "sqlite" else postgresql.insert
    statement = build(Posting)
    replaced = ("ordinal", "document", "mapping_version", "required", "state", "updated_at")
    statement = statement.on_conflict_do_update(
        index_elements=["posting_key"],
        set_={name: statement.excluded[name] for name in replaced} | {"reason_code": None, "reason": None},
        where=or_(Posting.state == "planned", Posting.state == "refused"),
    )
    session.connection().execute(statement, rows)
