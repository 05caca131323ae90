"""The rules of business exceptions as the topology knows them: word, process, severity and threshold of each.

What a rule looks for is code (``app/exception_rules``); what may be said of it in the topology stands here, so that the
file can be checked without it. A guard holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Process = Literal["production", "inventory", "quality", "maintenance", "integration"]
"""ISA-95 operations types, and what Lineside itself does between systems."""
Severity = Literal["notice", "warning", "serious"]
SEVERITIES = ("notice", "warning", "serious")


@dataclass(frozen=True)
class RuleTerms:
    """``key``: how the topology names the threshold, with its unit; None where the rule has none. ``judged``: whether
    the rounds of ``app/exception_rules`` look for it; the others are raised where they are met."""

    word: str
    process: Process
    severity: Severity
    key: str | None = None
    threshold: float = 0.0
    low: float = 0.0
    high: float = 0.0
    judged: bool = False


_MONTH_MINUTES = 43_200.0

_ALL = (
    RuleTerms("delayed_confirmation", "production", "warning", "after_minutes", 60, 0, _MONTH_MINUTES, judged=True),
    RuleTerms("over_completion", "production", "warning", "over_percent", 5, 0, 1_000, judged=True),
    RuleTerms(
        "order_closed_without_receipt", "production", "serious", "after_minutes", 60, 0, _MONTH_MINUTES, judged=True
    ),
    RuleTerms("negative_inventory_risk", "inventory", "warning", "within_hours", 24, 0, 8_760, judged=True),
    RuleTerms("stale_allocation", "inventory", "notice", "after_hours", 72, 0, 8_760, judged=True),
    RuleTerms("lot_traceability_gap", "quality", "serious", "after_minutes", 240, 0, _MONTH_MINUTES, judged=True),
    RuleTerms("hold_not_synchronised", "quality", "serious", "after_minutes", 15, 0, _MONTH_MINUTES, judged=True),
    RuleTerms("stuck_backlog", "integration", "serious", "after_minutes", 15, 1, _MONTH_MINUTES, judged=True),
    RuleTerms("service_level_broken", "integration", "warning", "over_percent", 5, 0, 100, judged=True),
    RuleTerms("numbers_missing", "integration", "serious", "after_seconds", 300, 0, 86_400),
    RuleTerms("numbers_repeated", "integration", "warning"),
    RuleTerms("numbers_restarted", "integration", "warning"),
    RuleTerms("numbers_unreadable", "integration", "warning"),
    RuleTerms("source_silent", "integration", "serious"),
    RuleTerms("file_total_wrong", "integration", "serious"),
    RuleTerms("file_cut_off", "integration", "serious"),
    RuleTerms("notice_not_delivered", "integration", "serious"),
)
RULE_TERMS: Mapping[str, RuleTerms] = {terms.word: terms for terms in _ALL}
NOT_DELIVERED = "notice_not_delivered"


def terms_of(word: str) -> RuleTerms:
    """Of a word that stands not here, which a person cannot speak of in the topology, what holds of most."""
    return RULE_TERMS.get(word) or RuleTerms(word, "integration", "serious")
