"""What a first run makes and shows once: an administrator's account, and a key for each source."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass
from datetime import datetime

from app.access.accounts import list_accounts
from app.access.roles import Role
from app.store.session import Store
from app.web.access_acts import add_account, add_key
from config.topology import Topology

ADMIN = "admin"


@dataclass(frozen=True)
class Credentials:
    account: str
    password: str
    keys: dict[str, str]

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def make_credentials(store: Store, topology: Topology, actor: str, now: datetime) -> Credentials | None:
    """Accounts and keys of a database that has none yet; None where a first run was before."""
    with store.writing() as session:
        if list_accounts(session):
            return None
        password = secrets.token_urlsafe(15)
        add_account(session, ADMIN, password, Role.ADMIN, actor, now)
        keys = {
            source.code: add_key(session, "first run", source.code, [], actor, now)[0]
            for source in topology.sources.values()
            if source.intake == "http"
        }
    return Credentials(ADMIN, password, keys)
