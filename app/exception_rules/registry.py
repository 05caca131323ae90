"""The rules that are judged in rounds: one line each."""

from __future__ import annotations

from collections.abc import Mapping

from app.exception_rules.rule import Rule
from app.exception_rules.rules import (
    delayed_confirmation,
    hold_not_synchronised,
    lot_traceability_gap,
    negative_inventory_risk,
    order_closed_without_receipt,
    over_completion,
    service_level_broken,
    stale_allocation,
    stuck_backlog,
)

_MODULES = (
    delayed_confirmation,
    over_completion,
    order_closed_without_receipt,
    negative_inventory_risk,
    stale_allocation,
    lot_traceability_gap,
    hold_not_synchronised,
    stuck_backlog,
    service_level_broken,
)
RULES: Mapping[str, Rule] = {module.RULE.word: module.RULE for module in _MODULES}
