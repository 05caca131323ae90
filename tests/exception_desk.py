"""A desk at which business exceptions are raised, closed and told of, by one clock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from app.business_exceptions.raising import Cause, close_exceptions, raise_exceptions
from app.business_exceptions.rounds import tell_owners
from app.business_exceptions.sending import NotDelivered
from app.clock import utc_now
from app.store.exception_tables import BusinessException, ExceptionNotice
from app.store.session import Store
from config.exception_policy import Channel, EscalationStep, ExceptionPolicy, Owner
from tests.fakes import Clock


class Fake:
    """A channel that keeps what it was given; ``raises`` holds what the next ones end in, None for well."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, Mapping[str, Any]]] = []
        self.raises: list[BaseException | None] = []

    def send(self, channel: Channel, webhook_id: str, body: Mapping[str, Any], now: object) -> None:
        error = self.raises.pop(0) if self.raises else None
        if isinstance(error, NotDelivered):
            raise error
        self.sent.append((channel.label, webhook_id, body))
        if error is not None:
            raise error

    @property
    def told(self) -> list[tuple[str, str]]:
        return [(label, body["type"].partition(".")[2]) for label, _, body in self.sent]


def owner(name: str, *steps: tuple[float, str], **more: Any) -> Owner:
    return Owner(name, (Channel(name, webhook="http://x"),), tuple(EscalationStep(*step) for step in steps), **more)


POLICY = ExceptionPolicy(
    is_judged=True,
    owner="shift",
    quiet_minutes=60,
    owners={"shift": owner("shift", (30, "lead"), (90, "plant")), "lead": owner("lead"), "plant": owner("plant")},
)


class Desk:
    """Raises, closes and tells, by one clock."""

    def __init__(self, store: Store, policy: ExceptionPolicy = POLICY) -> None:
        self.store, self.policy, self.clock, self.fake = store, policy, Clock(utc_now()), Fake()

    def raise_(self, *keys: str, **fields: Any) -> None:
        causes = [
            Cause("source_silent", key, key, "serious", f"{key} is silent.", "mes", "P100", **fields) for key in keys
        ]
        with self.store.writing() as session:
            raise_exceptions(session, causes, self.clock(), self.policy)

    def close(self, key: str) -> None:
        with self.store.writing() as session:
            ids = session.scalars(select(BusinessException.id).where(BusinessException.cause == key)).all()
            close_exceptions(session, ids, "It spoke.", self.clock())

    def tell(self, after_minutes: float = 0, sender: Any = None) -> int:
        self.clock.pass_time(after_minutes * 60)
        return tell_owners(self.store, self.policy, sender or self.fake, self.clock)

    def notices(self) -> list[ExceptionNotice]:
        with self.store.reading() as session:
            return list(session.scalars(select(ExceptionNotice).order_by(ExceptionNotice.id)))
