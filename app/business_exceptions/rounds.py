"""A round of telling: plan who is to be told, then send what is due."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime

from app.business_exceptions.notices import anything_due, plan_notices
from app.business_exceptions.sending import Sender, send_notices
from app.store.leases import keep_lease, take_lease
from app.store.session import Store
from config.exception_policy import ExceptionPolicy

LEASE, LEASE_SECONDS = "exception-notices", 10.0


def tell_owners(store: Store, policy: ExceptionPolicy, sender: Sender, clock: Callable[[], datetime]) -> int:
    """Returns how many notices were taken. Nothing is asked of the database where the topology names no owner. One
    process plans; several may send, each another notice."""
    if not policy.owners:
        return 0
    with store.reading() as session:
        if not anything_due(session, clock()):
            return 0
    with store.writing() as session:
        now, token = clock(), secrets.token_hex(16)
        if take_lease(session, LEASE, token, now, LEASE_SECONDS):
            plan_notices(session, policy, now)
            keep_lease(session, LEASE, token, now, 0)
    return send_notices(store, policy, sender, clock)
