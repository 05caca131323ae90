"""Tryton's JSON-RPC interface, for the one thing that REST lacks: a button pressed on many records in one call.

Such a call is one transaction, all or nothing. Ten productions together take a fifth of the time that ten calls take,
since most of it goes into reading the same items, locations and rules again.
"""

from __future__ import annotations

import json
import threading
import time
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from app.adapters.bounded_http import BoundedHttp, CallFailed, HttpAnswer
from app.clock import utc_now
from app.errors import OutcomeUnknown, Transient

OFF_SECONDS = 300.0
BUSY = (429, 503)


class NotTogether(Exception):
    """Nothing of this call took effect, and each record is to be tried by itself."""


class TrytonRpc:
    """A session of the service user. Where it cannot be had, calls raise NotTogether without asking, for a while."""

    def __init__(self, url: str, login: str | None, password: str | None, http: BoundedHttp) -> None:
        self._url = url.rstrip("/") + "/rpc/"
        self._login = login
        self._password = password
        self._http = http
        self._session: str | None = None
        self._off_until = 0.0
        self._lock = threading.Lock()

    @property
    def is_on(self) -> bool:
        return bool(self._login and self._password) and time.monotonic() >= self._off_until

    def call(self, method: str, arguments: Sequence[Any], context: Mapping[str, Any]) -> Any:
        """One call in one transaction. Raises NotTogether, Transient or OutcomeUnknown."""
        session = self._session or self._open_session()
        answer = self._exchange(method, [*arguments, dict(context)], {"Authorization": f"Session {session}"})
        if answer.status in (401, 403):
            self._session = None
            raise NotTogether
        return _result(answer)

    def _open_session(self) -> str:
        with self._lock:
            if self._session is None:
                self._session = self._logged_in()
            return self._session

    def _logged_in(self) -> str:
        if not self.is_on:
            raise NotTogether
        answer = self._exchange("common.db.login", [self._login, {"password": self._password}, "en"], {})
        if answer.status in BUSY:
            raise _busy(answer)
        if answer.status != 200:
            self._off_until = time.monotonic() + OFF_SECONDS
            raise NotTogether
        user_id, token, *_ = _result(answer)
        return b64encode(f"{self._login}:{user_id}:{token}".encode()).decode()

    def _exchange(self, method: str, params: Sequence[Any], headers: Mapping[str, str]) -> HttpAnswer:
        body = json.dumps({"id": 0, "method": method, "params": list(params)}).encode()
        try:
            return self._http.call("POST", self._url, {"Content-Type": "application/json", **headers}, body)
        except CallFailed as failure:
            if not failure.was_sent:
                raise Transient(f"Tryton cannot be reached: {failure.reason}.") from failure
            raise OutcomeUnknown(f"Tryton gave no whole answer: {failure.reason}.") from failure


def _busy(answer: HttpAnswer) -> Transient:
    return Transient(f"Tryton is busy ({answer.status}).", answer.wished_seconds(utc_now()))


def _result(answer: HttpAnswer) -> Any:
    """JSON-RPC tells an error by an ``error`` beside status 200; which one it is, each record's own call will say."""
    if answer.status in BUSY:
        raise _busy(answer)
    if answer.status in (502, 504):
        wish = answer.wished_seconds(utc_now())
        raise OutcomeUnknown(f"Tryton gave no whole answer: status {answer.status}.", wish)
    try:
        said = json.loads(answer.body)
        if answer.status == 200 and "result" in said:
            return said["result"]
    except (ValueError, TypeError) as error:
        raise OutcomeUnknown("Tryton gave no whole answer: it is not JSON.") from error
    raise NotTogether
