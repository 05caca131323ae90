"""Why a process call is not done, said at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from app.errors import LinesideError

Kind = Literal["wrong", "not_now"]


@dataclass
class CallRefused(LinesideError):
    """Nothing was kept of the call. ``wrong``: as it is it can never be right; ``not_now``: the present state is
    against it. ``code`` is a stable word, ``path`` the place in the data (``components[0].lot``), ``more`` what a
    caller may want to know besides."""

    kind: Kind
    code: str
    reason: str
    path: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.code}: {self.reason}"


@dataclass(frozen=True)
class Doubt:
    """What the call was let through in spite of."""

    code: str
    reason: str
    path: str = ""
