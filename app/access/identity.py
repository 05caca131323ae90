"""Who is asking, and how a request is turned away."""

from __future__ import annotations

from dataclasses import dataclass

from flask import g

from app.access.keys import KeyOwner
from app.access.party_keys import PartyOwner
from app.access.roles import Role
from app.errors import LinesideError


@dataclass(frozen=True)
class Identity:
    """``actor`` is the name that the timeline and the trail keep. Exactly one of ``role``, ``key`` and
    ``party`` is given, or none for anybody on a public route."""

    actor: str
    role: Role | None = None
    key: KeyOwner | None = None
    party: PartyOwner | None = None

    def has(self, role: Role) -> bool:
        return self.role is not None and self.role.includes(role)


ANYBODY = Identity("anybody")


def current_identity() -> Identity:
    """Who sent the request that is being answered."""
    identity: Identity = g.get("lineside_identity", ANYBODY)
    return identity


class NotAuthenticated(LinesideError):
    """Nobody is named, or the name is not proven. ``challenges`` are the ways to prove it, for WWW-Authenticate."""

    def __init__(self, reason: str, challenges: tuple[str, ...], page: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.challenges = challenges
        self.page = page


class Forbidden(LinesideError):
    """Who asks is known and may not do this."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TooManyAttempts(LinesideError):
    """Too many failed log-ins; the next is looked at after ``after_seconds``."""

    def __init__(self, after_seconds: float) -> None:
        super().__init__(f"too many failed log-ins; try again in {after_seconds:.0f} s")
        self.after_seconds = after_seconds
