"""What a person may do; each role includes the ones before it."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """``viewer`` reads everything, ``operator`` also acts on messages and targets, ``admin`` also on who may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    def includes(self, other: Role) -> bool:
        return _RANK[self] >= _RANK[other]


_RANK = {Role.VIEWER: 0, Role.OPERATOR: 1, Role.ADMIN: 2}
