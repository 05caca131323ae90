"""What is done about business exceptions: which rules hold, who owns them, and how their owners are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from config.exception_terms import NOT_DELIVERED, Process, Severity, terms_of

Security = Literal["starttls", "tls", "none"]


@dataclass(frozen=True)
class Channel:
    """One way to an owner. ``label`` tells it from the owner's others, and is all of it that is shown or kept: an
    address may be worth keeping to oneself. ``secret`` names the secret that a webhook is signed with."""

    label: str
    webhook: str | None = None
    secret: str | None = None
    email: str | None = None
    timeout_seconds: float = 10.0


@dataclass(frozen=True)
class EscalationStep:
    """Who is told where nobody has acknowledged so long after the owner was told."""

    after_minutes: float
    to: str


@dataclass(frozen=True)
class Owner:
    """Whoever takes care: a person, a shift, a department. ``tell_resolved``: whether the end is told as well."""

    name: str
    channels: tuple[Channel, ...] = ()
    escalation: tuple[EscalationStep, ...] = ()
    tell_resolved: bool = True


@dataclass(frozen=True)
class MailServer:
    """By which e-mail goes out. ``secret`` names the secret that ``login`` logs in with."""

    host: str
    sender: str
    port: int = 587
    security: Security = "starttls"
    login: str | None = None
    secret: str | None = None
    timeout_seconds: float = 20.0


@dataclass(frozen=True)
class RuleSettings:
    """A rule as it holds in one plant. ``threshold`` is in the unit that the rule's key names."""

    word: str
    process: Process
    severity: Severity
    threshold: float
    enabled: bool = True
    owner: str | None = None


@dataclass(frozen=True)
class ExceptionPolicy:
    """``is_judged``: whether the topology asks for the rounds at all. ``rules``: what it says of each rule, as it
    stands there. ``quiet_minutes``: a cause that comes back within so long of being told is not told again before."""

    is_judged: bool = False
    owner: str | None = None
    quiet_minutes: float = 60.0
    email: MailServer | None = None
    rules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, hash=False)
    owners: Mapping[str, Owner] = field(default_factory=dict, hash=False)

    def of(self, word: str, plant: str | None) -> RuleSettings:
        """The rule in this plant: what the topology says of the plant, else of the rule, else the rule's own. Whoever
        owns all else is not told that telling fails, unless the rule names an owner itself."""
        terms = terms_of(word)
        said = dict(self.rules.get(word, {}))
        said |= said.pop("plants", {}).get(plant or "", {})
        default = None if word == NOT_DELIVERED else self.owner
        return RuleSettings(
            word,
            terms.process,
            said.get("severity", terms.severity),
            said.get(terms.key or "", terms.threshold),
            said.get("enabled", True),
            said.get("owner", default),
        )

    def recipient(self, owner: str | None) -> Owner | None:
        return self.owners.get(owner or "")


NO_POLICY = ExceptionPolicy()


def channels_of(blocks: tuple[Mapping[str, Any], ...]) -> tuple[Channel, ...]:
    """The channels with their labels: the kind, the host of a webhook or the domain of an address, and a number where
    that is not enough."""
    found: list[Channel] = []
    for block in blocks:
        label = _label(block)
        alike = sum(channel.label.partition(" #")[0] == label for channel in found)
        found.append(Channel(**{**block, "label": f"{label} #{alike + 1}" if alike else label}))
    return tuple(found)


def _label(block: Mapping[str, Any]) -> str:
    if "webhook" in block:
        return f"webhook {urlsplit(block['webhook']).hostname}"[:60]
    return f"e-mail {block['email'].rpartition('@')[2]}"[:60]
