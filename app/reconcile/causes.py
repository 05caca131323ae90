"""Why a system says something else than what was reported, or than another system."""

from __future__ import annotations

from enum import StrEnum


class Cause(StrEnum):
    """Why a system says something else than what was reported."""

    DEAD = "dead"
    WAITING = "waiting"
    IN_FLIGHT = "in_flight"
    UNKNOWN_OUTCOME = "unknown_outcome"
    REFUSED = "refused"
    TIMING = "timing"
    NOT_ROUTED = "not_routed"
    DUPLICATE = "duplicate"
    UNIT = "unit_mismatch"
    LOT = "lot_mismatch"
    STORAGE = "storage_mismatch"
