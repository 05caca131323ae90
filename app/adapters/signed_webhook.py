"""Sign a webhook as https://www.standardwebhooks.com (specification 1.0) says, by its own library."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

from standardwebhooks import Webhook

SECRET_BYTES = 32


def new_secret() -> str:
    """A secret as the specification has it: ``whsec_`` and 24 to 64 random bytes in base64."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signed_headers(webhook_id: str, at: datetime, body: str, whsecs: Sequence[str]) -> dict[str, str]:
    """The three headers of one attempt, made at ``at`` (aware), with a signature by each of the secrets: while one is
    being replaced, a receiver that has either verifies it."""
    at = at.astimezone(UTC)  # the library takes the wall clock of what it is given for UTC
    signatures = [Webhook(secret).sign(webhook_id, at, body) for secret in whsecs]
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
