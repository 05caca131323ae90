"""Keys of suppliers and customers: shown once, kept as a hash, good for what is the party's own and nothing else."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from app.access.keys import LABEL_BOUND, digest_of
from app.store.access_tables import PartyKey

PREFIX = "lp_"
SUPPLIER, CUSTOMER = "supplier", "customer"
KINDS = (SUPPLIER, CUSTOMER)
PARTY_BOUND = 80
_SHAPE = re.compile(r"lp_[A-Za-z0-9_-]{43}")

Kind = Literal["supplier", "customer"]


@dataclass(frozen=True)
class PartyOwner:
    """Whose key it is. ``party`` is the code by which events name the supplier (`supplier` of purchase orders) or the
    customer (`ship_to` of shipments)."""

    id: int
    label: str
    kind: str
    party: str


@dataclass(frozen=True)
class PartyKeyRecord:
    """A key as it is listed; the key itself is nowhere."""

    owner: PartyOwner
    created_at: datetime
    revoked_at: datetime | None


def create_party_key(session: Session, label: str, kind: Kind, party: str, now: datetime) -> tuple[str, int]:
    """A new key in plain form, which nobody can show again, and its id. Raises ValueError."""
    if not label.strip() or len(label) > LABEL_BOUND:
        raise ValueError(f"a key's label has 1 to {LABEL_BOUND} characters; say who uses it")
    if not party.strip() or len(party) > PARTY_BOUND or not party.isprintable() or party != party.strip():
        raise ValueError(f"a party's code has 1 to {PARTY_BOUND} printable characters, as events write it")
    plain = PREFIX + secrets.token_urlsafe(32)
    values = {"label": label.strip(), "digest": digest_of(plain), "kind": kind, "party": party, "created_at": now}
    return plain, session.execute(insert(PartyKey).values(values).returning(PartyKey.id)).scalar_one()


def revoke_party_key(session: Session, key_id: int, now: datetime) -> bool:
    """It is good for nothing from the next request on; False when there is none or it was revoked before."""
    good = update(PartyKey).where(PartyKey.id == key_id, PartyKey.revoked_at.is_(None))
    revoked: Any = session.execute(good.values(revoked_at=now))
    return bool(revoked.rowcount)


def list_party_keys(session: Session) -> list[PartyKeyRecord]:
    rows = session.scalars(select(PartyKey).order_by(PartyKey.id))
    return [PartyKeyRecord(_owner(row), row.created_at, row.revoked_at) for row in rows]


def authenticate_party_key(session: Session, plain: str) -> PartyOwner | None:
    """Whose key this is; None when it is unknown or revoked. Looked up by hash, as keys of sources are."""
    if not _SHAPE.fullmatch(plain):
        return None
    row = session.scalar(select(PartyKey).where(PartyKey.digest == digest_of(plain), PartyKey.revoked_at.is_(None)))
    return None if row is None else _owner(row)


def _owner(row: PartyKey) -> PartyOwner:
    return PartyOwner(row.id, row.label, row.kind, row.party)
