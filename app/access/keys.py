"""API keys of sources: shown once, kept as a hash, good for one source and its plants."""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from app.store.access_tables import ApiKey
from app.store.session import Store

_SHAPE = re.compile(r"ls_[A-Za-z0-9_-]{43}")
LABEL_BOUND = 120
CACHE_SECONDS = 3.0
CACHE_BOUND = 1_024


@dataclass(frozen=True)
class KeyOwner:
    """Whose key it is. Empty ``plants``: every plant that the topology gives the source."""

    id: int
    label: str
    source: str
    plants: frozenset[str]

    def may_send_for(self, plant: str) -> bool:
        return not self.plants or plant in self.plants


@dataclass(frozen=True)
class KeyRecord:
    """A key as it is listed; the key itself is nowhere."""

    owner: KeyOwner
    created_at: datetime
    revoked_at: datetime | None


def create_key(session: Session, label: str, source: str, plants: Sequence[str], now: datetime) -> tuple[str, int]:
    """A new key in plain form, which nobody can show again, and its id."""
    if not label.strip() or len(label) > LABEL_BOUND:
        raise ValueError(f"a key's label has 1 to {LABEL_BOUND} characters; say what or who uses it")
    plain = "ls_" + secrets.token_urlsafe(32)
    values = {
        "label": label.strip(),
        "digest": digest_of(plain),
        "source": source,
        "plants": sorted(set(plants)),
        "created_at": now,
    }
    key_id = session.execute(insert(ApiKey).values(values).returning(ApiKey.id)).scalar_one()
    return plain, key_id


def revoke_key(session: Session, key_id: int, now: datetime) -> bool:
    """The key is good for nothing from now on; False when there is none or it was revoked before."""
    revoked: Any = session.execute(
        update(ApiKey).where(ApiKey.id == key_id, ApiKey.revoked_at.is_(None)).values(revoked_at=now)
    )
    return bool(revoked.rowcount)


def list_keys(session: Session) -> list[KeyRecord]:
    return [
        KeyRecord(_owner(row), row.created_at, row.revoked_at)
        for row in session.scalars(select(ApiKey).order_by(ApiKey.id))
    ]


def authenticate_key(session: Session, plain: str) -> KeyOwner | None:
    """Whose key this is; None when it is unknown or revoked.

    The look-up is by hash, so how long it takes tells nothing about the key.
    """
    if not _SHAPE.fullmatch(plain):
        return None
    row = session.scalar(select(ApiKey).where(ApiKey.digest == digest_of(plain), ApiKey.revoked_at.is_(None)))
    return None if row is None else _owner(row)


def digest_of(plain: str) -> str:
    return hashlib.sha256(plain.encode()).hexdigest()


def _owner(row: ApiKey) -> KeyOwner:
    return KeyOwner(row.id, row.label, row.source, frozenset(row.plants))


class KeyRing:
    """Keys that were good a moment ago, so that not every request asks the database.

    A revoked key stops within ``seconds``. A key that is not good is never remembered: a new one works at once.
    """

    def __init__(
        self, store: Store, seconds: float = CACHE_SECONDS, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._seconds = seconds
        self._monotonic = monotonic
        self._lock = Lock()
        self._known: OrderedDict[str, tuple[KeyOwner, float]] = OrderedDict()

    def owner(self, plain: str) -> KeyOwner | None:
        digest = digest_of(plain)
        with self._lock:
            owner, until = self._known.get(digest, (None, 0.0))
        if owner is not None and self._monotonic() < until:
            return owner
        asked_at = self._monotonic()
        with self._store.reading() as session:
            owner = authenticate_key(session, plain)
        with self._lock:
            self._known.pop(digest, None)
            if owner is not None:
                self._known[digest] = (owner, asked_at + self._seconds)
                while len(self._known) > CACHE_BOUND:
                    self._known.popitem(last=False)
        return owner
