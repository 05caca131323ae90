"""Headers that a REST system wants with each call: credentials, and a token against forged requests."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping

from app.adapters.base import TargetSettings
from app.adapters.bounded_http import HttpAnswer
from app.errors import TargetPaused

CSRF = "X-CSRF-Token"
FORBIDDEN = 403


def auth_headers(settings: TargetSettings) -> dict[str, str]:
    auth = settings.options.get("auth", {"scheme": "none"})
    scheme, secret = auth["scheme"], settings.secret or ""
    if scheme == "none":
        return {}
    if not secret or not secret.isprintable() or not secret.isascii():
        raise TargetPaused(f"target {settings.code} needs a secret of plain printable characters; set it and `secret:`")
    if scheme == "bearer":
        return {"Authorization": f"Bearer {secret}"}
    if scheme == "basic":
        return {"Authorization": "Basic " + base64.b64encode(f"{auth['user']}:{secret}".encode()).decode()}
    return {auth["header"]: secret}


class CsrfToken:
    """SAP Gateway takes a writing call only with a token that a reading call was given, and with the cookies of that
    answer (SAP Help Portal, SAP Gateway Foundation, "Cross-Site Request Forgery Protection"). One is kept for all
    threads until it is told to be over."""

    def __init__(self) -> None:
        self._kept: dict[str, str] | None = None

    def headers(self, fetch: Callable[[Mapping[str, str]], HttpAnswer]) -> dict[str, str]:
        """The token's headers; ``fetch`` makes the reading call with these headers. Raises TargetPaused where it gives
        no token."""
        kept = self._kept
        if kept is None:
            answer = fetch({CSRF: "Fetch"})
            token = answer.headers.get(CSRF.lower(), "")
            if not token.isprintable() or token.lower() in ("", "required"):
                told = f"the call at `csrf.path` gave no {CSRF} (status {answer.status})"
                raise TargetPaused(f"{told}; mend the path, or take `csrf` out of the topology")
            kept = {CSRF: token} | ({"Cookie": "; ".join(answer.cookies)} if answer.cookies else {})
            self._kept = kept
        return kept

    def is_over(self, answer: HttpAnswer) -> bool:
        """Whether a call was turned away for its token alone, and so had no effect; the token is forgotten then."""
        over = answer.status == FORBIDDEN and answer.headers.get(CSRF.lower(), "").lower() == "required"
        if over:
            self._kept = None
        return over
