"""The codes under which Lineside's own messages stand in the inbox. No system of a topology can have one: they hold a
slash."""

from __future__ import annotations

_SAID_BY = "lineside/"
_ONLY_FOR = "lineside-to/"


def said_by(system: str) -> str:
    """The source of what Lineside takes over from a system: it has that already, and all others get it."""
    return _SAID_BY + system


def only_for(system: str) -> str:
    """The source of what Lineside corrects in one system alone: no other gets it, and the ledger stays as it is."""
    return _ONLY_FOR + system


def who_said(source: str) -> str | None:
    """The system that a message of this source was taken over from."""
    return source.removeprefix(_SAID_BY) if source.startswith(_SAID_BY) else None


def for_whom(source: str) -> str | None:
    """The one system that a message of this source is for."""
    return source.removeprefix(_ONLY_FOR) if source.startswith(_ONLY_FOR) else None


def is_own(source: str) -> bool:
    return source.startswith((_SAID_BY, _ONLY_FOR))
