"""Webhooks as Standard Webhooks signs them (standardwebhooks.com): id, time and body under a secret that both know.

The id stays the same for every try, so that a receiver knows a repeat; the time is that of the try, since receivers
refuse an old one.
"""

from __future__ import annotations

import binascii
from datetime import UTC, datetime

from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from app.adapters.bounded_http import BoundedHttp, HttpAnswer


class SecretUnusable(Exception):
    """The secret is not ``whsec_`` and base64 as the standard has it; its value is not repeated."""


def signed_headers(secret: str, webhook_id: str, body: str, at: datetime) -> dict[str, str]:
    """The headers that go with this body. Raises SecretUnusable."""
    try:
        signature = Webhook(secret).sign(webhook_id, at.astimezone(UTC), body)
    except (EmptyWebhookSecretError, binascii.Error, ValueError):
        raise SecretUnusable("the secret is not whsec_ and base64") from None
    return {
        "Content-Type": "application/json",
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature,
    }


def post_signed(http: BoundedHttp, url: str, secret: str, webhook_id: str, body: str, at: datetime) -> HttpAnswer:
    """Whatever was answered. Raises SecretUnusable, and CallFailed where no whole answer came."""
    return http.call("POST", url, signed_headers(secret, webhook_id, body, at), body.encode())
