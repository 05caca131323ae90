"""How a notice goes out: as a signed webhook, or as an e-mail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from app.adapters.bounded_http import BoundedHttp, CallFailed
from app.adapters.mail import MailBox, MailNotTaken, written
from app.adapters.signed_webhook import SecretUnusable, post_signed
from app.business_exceptions.sending import NotDelivered, webhook_text
from config.exception_policy import Channel, ExceptionPolicy
from config.settings import Settings, secret_variable

GONE = 410
HEADINGS = {
    "exception.raised": "Business exception",
    "exception.escalated": "Not acknowledged",
    "exception.resolved": "Resolved",
}


class Channels:
    """Sends by the servers and secrets of one installation. ``ca_file``: authorities to trust, for tests."""

    def __init__(self, policy: ExceptionPolicy, settings: Settings, ca_file: str | None = None) -> None:
        self._policy, self._settings, self._ca_file = policy, settings, ca_file

    def send(self, channel: Channel, webhook_id: str, body: Mapping[str, Any], now: datetime) -> None:
        """Raises NotDelivered."""
        if channel.webhook is not None:
            self._post(channel, webhook_id, body, now)
        else:
            self._mail(channel, webhook_id, body, now)

    def _post(self, channel: Channel, webhook_id: str, body: Mapping[str, Any], now: datetime) -> None:
        http = BoundedHttp(channel.timeout_seconds, 1, self._ca_file)
        secret = self._secret(channel.secret or "")
        try:
            answer = post_signed(http, channel.webhook or "", secret, webhook_id, webhook_text(body), now)
        except SecretUnusable:
            variable = secret_variable(channel.secret or "")
            raise NotDelivered(f"{variable} is no secret of a webhook: whsec_ and base64") from None
        except CallFailed as error:
            raise NotDelivered(error.reason) from None
        if not 200 <= answer.status < 300:
            wished = answer.wished_seconds(now)
            raise NotDelivered(f"answered {answer.status}", is_final=answer.status == GONE, after_seconds=wished)

    def _mail(self, channel: Channel, webhook_id: str, body: Mapping[str, Any], now: datetime) -> None:
        server = self._policy.email
        if server is None:
            raise NotDelivered("the topology names no server by which e-mail goes out", is_final=True)
        password = self._secret(server.secret) if server.secret else None
        subject, text = mail_text(body)
        message = written(server.sender, channel.email or "", subject, text, webhook_id, now)
        try:
            MailBox(server, password, self._ca_file).send(message)
        except MailNotTaken as error:
            raise NotDelivered(error.reason, is_final=error.is_final) from None

    def _secret(self, name: str) -> str:
        secret = (self._settings.secret(name) or "").strip()
        if not secret:
            raise NotDelivered(f"the secret is not set; set {secret_variable(name)}")
        return secret


def missing_channel_secrets(policy: ExceptionPolicy, settings: Settings) -> list[tuple[str, str]]:
    """(owner, variable) of every secret that is named and not set."""
    named = [
        (owner.name, channel.secret) for owner in policy.owners.values() for channel in owner.channels if channel.secret
    ]
    if policy.email is not None and policy.email.secret:
        named.append(("of e-mail", policy.email.secret))
    return [(of, secret_variable(name)) for of, name in named if not (settings.secret(name) or "").strip()]


def mail_text(body: Mapping[str, Any]) -> tuple[str, str]:
    """Subject and text."""
    data = body["data"]
    if body["type"] == "exception.digest":
        lines = [f"{data['count']} business exceptions:", ""]
        lines += [
            f"- {HEADINGS['exception.' + one['kind']]} {one['id']}: {one['message']}" for one in data["exceptions"]
        ]
        lines += [f"and {data['more']} more."] if data["more"] else []
        return f"Lineside: {data['count']} business exceptions", "\n".join(lines) + "\n"
    where = data["plant"] or data["source"] or "all plants"
    subject = f"Lineside: {HEADINGS[body['type']]} {data['id']}, {data['severity']}: {data['rule']} in {where}"
    return subject, "\n".join(_lines(data)) + "\n"


def _lines(data: Mapping[str, Any]) -> Iterator[str]:
    yield data["message"]
    yield ""
    if data["resolution"]:
        yield f"Resolved: {data['resolution']}"
    at_risk, messages = data["value_at_risk"], data["messages"] or {"ids": [], "more": 0}
    facts = {
        "Exception": data["id"],
        "Rule": data["rule"],
        "Process": data["process"],
        "Plant": data["plant"],
        "Object": " ".join(filter(None, (data["object_type"], data["object_id"]))),
        "Severity": data["severity"],
        "Value at risk": f"{at_risk['value']} {at_risk['currency']}" if at_risk else "unknown",
        "Owner": data["owner"],
        "First seen": data["first_seen_at"],
        "Messages": ", ".join(map(str, messages["ids"]))
        + (f" and {messages['more']} more" if messages["more"] else ""),
    }
    yield from (f"{name}: {value}" for name, value in facts.items() if value)
