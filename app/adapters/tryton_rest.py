"""Tryton's REST interface: one call a method, and every answer or silence turned into the error that says what is next.

Message texts differ between databases and languages, so nothing here reads them; they are kept for people.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from app.adapters.bounded_http import BoundedHttp, CallFailed, HttpAnswer
from app.adapters.budget import current_budget
from app.clock import utc_now
from app.errors import OutcomeUnknown, Refused, TargetPaused, Transient

Record = Mapping[str, Any]
Domain = Sequence[Any]

PAGE = 500
_REASON_CHARACTERS = 500


REFUSED = "target_refused"
"""Tryton said no to a call. It may mean that the record's state has moved on: read it before giving up."""

SERVER_FAULT = "target_error"
"""Tryton failed inside; mostly for good, and one more try is cheap."""


class TrytonRest:
    """One database of one Tryton server. May be called from several threads at once."""

    def __init__(self, url: str, key: str | None, http: BoundedHttp) -> None:
        self._base = url.rstrip("/") + "/rest/model/"
        self._key = key
        self._http = http

    def search(
        self,
        model: str,
        domain: Domain,
        fields: Sequence[str],
        context: Record | None = None,
        limit: int = PAGE,
        offset: int = 0,
    ) -> list[dict[str, Any]]:
        """At most ``limit`` records, by ascending id."""
        query = [("d", _encoded(domain)), ("s", str(limit)), ("p", str(offset)), ("o", _encoded([["id", "ASC"]]))]
        found: list[dict[str, Any]] = self._call("GET", model, fields, query=query, context=context)
        return found

    def every(
        self, model: str, domain: Domain, fields: Sequence[str], context: Record | None = None
    ) -> Iterator[dict[str, Any]]:
        """All records, a page at a time."""
        last = 0
        while page := self.search(model, [domain, ["id", ">", last]], fields, context):
            yield from page
            last = page[-1]["id"]

    def get(self, model: str, record_id: int, fields: Sequence[str]) -> dict[str, Any]:
        record: dict[str, Any] = self._call("GET", f"{model}/{record_id}", fields)
        return record

    def count(self, model: str, domain: Domain) -> int:
        counted: int = self._call("POST", f"{model}/search_count", (), {"domain": list(domain)}, writes=False)
        return counted

    def create(self, model: str, values: Record, fields: Sequence[str], context: Record) -> dict[str, Any]:
        record: dict[str, Any] = self._call("POST", model, fields, values, context=context)
        return record

    def update(self, model: str, record_id: int, values: Record, fields: Sequence[str], context: Record) -> Any:
        return self._call("PUT", f"{model}/{record_id}", fields, values, context=context)

    def act(self, model: str, record_id: int, action: str, fields: Sequence[str], context: Record) -> dict[str, Any]:
        """Press one of the record's buttons; the answer is the record as it stands afterwards."""
        record: dict[str, Any] = self._call("POST", f"{model}/{record_id}/{action}", fields, {}, context=context)
        return record

    def _call(
        self,
        method: str,
        path: str,
        fields: Sequence[str],
        body: Record | None = None,
        *,
        query: Sequence[tuple[str, str]] = (),
        context: Record | None = None,
        writes: bool | None = None,
    ) -> Any:
        url = self._base + path + "?" + urlencode([("f", name) for name in fields] + list(query))
        writing = method != "GET" if writes is None else writes
        answer = self._exchange(method, url, body, context, writing)
        if answer.status in (200, 201, 204):
            current_budget().has_written |= writing
        if answer.status in (200, 201):
            return _parsed(answer.body, writing)
        if answer.status == 204:
            return {}
        raise _error(answer, writing)

    def _exchange(
        self, method: str, url: str, body: Record | None, context: Record | None, writing: bool
    ) -> HttpAnswer:
        if not self._key:
            raise TargetPaused("No REST key is configured for this Tryton target; set its secret.")
        headers = {
            "Authorization": f"Bearer {self._key}",
            "Content-Type": "application/json",
            "X-Tryton-Context": _encoded(context or {}),
        }
        try:
            return self._http.call(method, url, headers, None if body is None else json.dumps(body).encode())
        except CallFailed as failure:
            if not failure.was_sent:
                raise Transient(f"Tryton cannot be reached: {failure.reason}.") from failure
            raise _silence(failure.reason, writing) from failure


def _silence(reason: str, writing: bool, wish: float | None = None) -> Transient | OutcomeUnknown:
    text = f"Tryton gave no whole answer: {reason}."
    return OutcomeUnknown(text, wish) if writing else Transient(text, wish)


def _error(answer: HttpAnswer, writing: bool) -> Exception:
    status = answer.status
    if status == 401:
        return TargetPaused("Tryton does not accept the REST key (401); issue a new one and set the target's secret.")
    if status in (429, 503):
        return Transient(f"Tryton is busy ({status}).", answer.wished_seconds(utc_now()))
    if status in (502, 504):
        return _silence(f"status {status}", writing, answer.wished_seconds(utc_now()))
    return Refused(SERVER_FAULT if status == 500 else REFUSED, _reason(status, answer.body))


def _reason(status: int, text: bytes) -> str:
    """Tryton's own words for the person who reads the dead letter."""
    try:
        said = json.loads(text)
        words = " ".join(str(said[name]) for name in ("message", "description") if said.get(name))
    except (ValueError, TypeError, AttributeError, KeyError):
        words = ""
    return f"Tryton answered {status}: {words or 'no reason given'}"[:_REASON_CHARACTERS]


def _parsed(text: bytes, writing: bool) -> Any:
    try:
        return json.loads(text, parse_float=Decimal)
    except ValueError as error:
        raise _silence("it is not JSON", writing) from error


def _encoded(value: Any) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).decode()


def tryton_date(text: str) -> Record:
    """An ISO day in the form that Tryton's JSON gives dates."""
    day = date.fromisoformat(text)
    return {"__class__": "date", "year": day.year, "month": day.month, "day": day.day}


def tryton_instant(instant: datetime) -> Record:
    """An instant in the form that Tryton's JSON gives timestamps, which are in UTC and do not say so."""
    at = instant.astimezone(UTC)
    day = {"year": at.year, "month": at.month, "day": at.day}
    time = {"hour": at.hour, "minute": at.minute, "second": at.second, "microsecond": at.microsecond}
    return {"__class__": "datetime", **day, **time}


def tryton_decimal(value: Decimal) -> Record:
    return {"__class__": "Decimal", "decimal": str(value)}
