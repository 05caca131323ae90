"""Any REST system, described wholly by its target's options in the topology.

A call that may have taken effect without saying so raises OutcomeUnknown; the same trouble on a call that only reads,
or before the first byte went out, is Transient.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from app.adapters.base import Document, PostingRequest, TargetAnswer, TargetSettings
from app.adapters.bounded_http import BoundedHttp, CallFailed, HttpAnswer
from app.adapters.budget import all_within, current_budget
from app.adapters.http_headers import FORBIDDEN, CsrfToken, auth_headers
from app.adapters.http_json_batch import Batches
from app.adapters.http_json_bodies import body_of, values_of
from app.adapters.http_json_options import HttpJsonOptions
from app.adapters.json_answers import MISSING, day_of, is_empty, parse_object, pick, printable, renamed
from app.clock import utc_now
from app.errors import LinesideError, OutcomeUnknown, PeriodClosed, Refused, TargetPaused, Transient
from mappings.canonical.fields import instant_text

PAUSE_STATUS = (401,)
TRANSIENT_STATUS = (408, 425, 429, 500, 502, 503, 504)
# Statuses after which a document may stand in the target all the same: a proxy gave up waiting, a worker died late.
UNKNOWN_STATUS = (408, 500, 502, 504)
NEVER_LATER_STATUS = (501, 505)
MAX_PAGES = 10_000


class HttpJsonAdapter:
    """One REST target. Credentials go into headers and nowhere else: no text that it raises holds them."""

    options_schema = HttpJsonOptions
    closed_periods = "told"

    def __init__(self, settings: TargetSettings, now: Callable[[], datetime] = utc_now) -> None:
        self._code = settings.code
        self._url = settings.url.rstrip("/")
        self._options = settings.options
        self._periods = settings.periods
        self._secret = settings.secret
        self._auth = auth_headers(settings)
        self._csrf = CsrfToken()
        self._timeout_seconds = settings.timeout_seconds
        self._http = BoundedHttp(settings.timeout_seconds, settings.calls_in_flight, settings.options.get("ca_file"))
        self._now = now
        batch = settings.options.get("batch")
        self._batches = None if batch is None else Batches(self._code, batch, self._send_batch)

    def post(self, request: PostingRequest) -> TargetAnswer:
        if self._batches is None:
            return self._posted(self._options["post"], values_of(request), request)
        with all_within(self._timeout_seconds):
            answer = self._batches.post(request, values_of(request))
            current_budget().has_written = True  # by whichever thread
            return self._effect(self._options["batch"], answer, request)

    def _send_batch(self, body: bytes) -> HttpAnswer:
        call, method = self._options["batch"], self._options["batch"].get("method", "POST")
        address, headers = self._address(call, {}), self._headers({})
        return self._written(headers, lambda whole: self._exchange(method, address, whole, body, reads=False))

    def find(self, request: PostingRequest) -> TargetAnswer | None:
        with all_within(self._timeout_seconds):
            return self._found(request)

    def _found(self, request: PostingRequest) -> TargetAnswer | None:
        call = self._options["find"]
        headers = self._headers(values_of(request))
        answer = self._send(call, "GET", values_of(request), headers, request.document, reads=True)
        if answer.status in call.get("absent_status", [404]):
            return None
        if not _is_success(call, answer):
            raise self._error(answer, reads=True)
        body = self._object(answer, "the look-up's answer")
        if "absent_when_empty" in call and is_empty(pick(body, call["absent_when_empty"])):
            return None
        return self._answer(call, body, request)

    def reverse(self, request: PostingRequest, reference: str) -> TargetAnswer:
        call = self._options.get("reverse")
        if call is None:
            reason = f"target {self._code} has no reversal in the topology; reverse {reference} there by hand"
            raise Refused("reversal_not_possible", reason)
        return self._posted(call, {**values_of(request), "reference": reference}, request)

    def _posted(self, call: Mapping[str, Any], values: Mapping[str, str], request: PostingRequest) -> TargetAnswer:
        with all_within(self._timeout_seconds):
            headers = self._posting_headers(request)
            answer = self._written(headers, lambda whole: self._send(call, "POST", values, whole, request.document))
            return self._effect(call, answer, request)

    def _written(self, headers: Mapping[str, str], write: Callable[[Mapping[str, str]], HttpAnswer]) -> HttpAnswer:
        """With the token that the system wants, once more where that was over."""
        if "csrf" not in self._options:
            return write(headers)
        answer = write({**headers, **self._csrf.headers(self._fetch_token)})
        if self._csrf.is_over(answer):
            answer = write({**headers, **self._csrf.headers(self._fetch_token)})
        return answer

    def _fetch_token(self, headers: Mapping[str, str]) -> HttpAnswer:
        answer = self._send(self._options["csrf"], "GET", {}, {**self._headers({}), **headers}, None, reads=True)
        if answer.status >= 400:
            raise self._error(answer, reads=True)
        return answer

    def read(self, domain: str, since: datetime | None = None) -> Iterator[Document]:
        call = self._options.get("read", {}).get(domain)
        if call is None:
            raise Refused("domain_not_readable", f"target {self._code} has no `read: {domain}` in the topology")
        url: str | None = self._first_page(call, since)
        for _ in range(MAX_PAGES):
            if url is None:
                return
            answer = self._exchange("GET", url, self._headers({}), None, reads=True)
            if not _is_success(call, answer):
                raise self._error(answer, reads=True)
            body = self._json(answer, f"the answer with {domain}")
            yield from self._rows(call, body, domain)
            url = self._next(call, body, url)
        raise OutcomeUnknown(f"target {self._code} gives more than {MAX_PAGES:,} pages of {domain}")

    @staticmethod
    def why_not_read(domain: str, options: Mapping[str, Any]) -> str | None:
        return None if domain in options.get("read", {}) else f"add `{domain}` to the target's `options.read`"

    def check(self) -> None:
        call = self._options["check"]
        answer = self._send(call, "GET", {}, self._headers({}), None, reads=True)
        if not _is_success(call, answer):
            raise self._error(answer, reads=True)

    def _send(
        self,
        call: Mapping[str, Any],
        method: str,
        values: Mapping[str, str],
        headers: Mapping[str, str],
        document: Document | None,
        *,
        reads: bool = False,
    ) -> HttpAnswer:
        wants_body = call.get("body", "document" if not reads else "none") == "document"
        body = body_of(call, document, values) if wants_body and document is not None else None
        return self._exchange(call.get("method", method), self._address(call, values), headers, body, reads=reads)

    def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, *, reads: bool
    ) -> HttpAnswer:
        if body is not None:
            headers = {**headers, "Content-Type": "application/json"}
        try:
            answer = self._http.call(method, url, headers, body)
        except CallFailed as error:
            reason = f"target {self._code}: {error.reason}"
            if reads or not error.was_sent:
                raise Transient(reason) from None
            raise OutcomeUnknown(reason) from None
        return answer

    def _address(self, call: Mapping[str, Any], values: Mapping[str, str]) -> str:
        encoded = {name: quote(value, safe="") for name, value in values.items()}
        pairs = [f"{quote(name, safe='')}={text.format(**encoded)}" for name, text in call.get("query", {}).items()]
        path = str(call["path"]).format(**encoded)
        return self._url + path + ("?" + "&".join(pairs) if pairs else "")

    def _first_page(self, call: Mapping[str, Any], since: datetime | None) -> str:
        """Parameters that name ``{since}`` are left out where everything is to be read."""
        query = {name: text for name, text in call.get("query", {}).items() if since or "{since}" not in text}
        values = {"since": instant_text(since.replace(microsecond=0))} if since else {}
        return self._address({**call, "query": query}, values)

    def _headers(self, values: Mapping[str, str]) -> dict[str, str]:
        own = self._options.get("headers", {})
        # A header that needs a posting has no place in a call without one.
        filled = {name: text.format(**values) for name, text in own.items() if values or "{" not in text}
        return {"Accept": "application/json", **filled, **self._auth}

    def _posting_headers(self, request: PostingRequest) -> dict[str, str]:
        headers = self._headers(values_of(request))
        if "idempotency_header" in self._options:
            headers[self._options["idempotency_header"]] = request.posting_key
        return headers

    def _effect(self, call: Mapping[str, Any], answer: HttpAnswer, request: PostingRequest) -> TargetAnswer:
        if _is_success(call, answer):
            return self._answer(call, self._object(answer, "the answer"), request)
        if answer.status == 409 and self._options.get("conflict", "found") == "found":
            # The target may know this key already; whether the document stands there, only the look-up can say.
            found = self._found_after_conflict(request)
            if found is not None:
                return found
        raise self._period_closed(answer, request) or self._error(answer, reads=False)

    def _found_after_conflict(self, request: PostingRequest) -> TargetAnswer | None:
        try:
            return self._found(request)
        except Transient as error:
            told = f"{error.reason}; it knows the posting's key already, and could not be asked what it holds"
            raise OutcomeUnknown(told, error.after_seconds, alone=error.alone) from error

    def _period_closed(self, answer: HttpAnswer, request: PostingRequest) -> PeriodClosed | None:
        """What the topology says that a closed period looks like, if this is it."""
        closed = self._periods.closed_when if self._periods is not None else None
        if self._periods is None or closed is None or answer.status not in closed.status:
            return None
        body, day = parse_object(answer.body), day_of(request.document.get("posting_date"))
        if day is None or body is MISSING or str(pick(body, closed.path)) not in closed.values:
            return None
        open_on = day_of(pick(body, self._periods.open_from)) if self._periods.open_from else None
        return PeriodClosed(self._code, day, f"{self._reason(answer)}.", open_on)

    def _answer(self, call: Mapping[str, Any], body: Document, request: PostingRequest) -> TargetAnswer:
        if "reference" not in call:
            return TargetAnswer(request.posting_key, body)
        reference = pick(body, call["reference"])
        if reference is MISSING or isinstance(reference, (dict, list, bool)) or reference in (None, ""):
            raise OutcomeUnknown(f"target {self._code}: the answer has no {call['reference']!r}, so it proves nothing")
        return TargetAnswer(str(reference), body)

    def _object(self, answer: HttpAnswer, what: str) -> Document:
        """The answer as an object: a bare list is put under ``items``, and an empty body proves itself by status."""
        if not answer.body.strip():
            return {}
        body = self._json(answer, what)
        return body if isinstance(body, dict) else {"items": body}

    def _json(self, answer: HttpAnswer, what: str) -> Any:
        body = parse_object(answer.body)
        if body is MISSING:
            # A login page or a proxy's notice with status 200 is no proof that the target holds anything.
            raise OutcomeUnknown(f"target {self._code}: {what} is not JSON (status {answer.status})")
        return body

    def _error(self, answer: HttpAnswer, *, reads: bool) -> LinesideError:
        reason = self._reason(answer)
        if answer.status in self._options.get("pause_status", PAUSE_STATUS):
            return TargetPaused(f"{reason}; mend the target's credentials or rights")
        if answer.status == FORBIDDEN and "pause_status" not in self._options and self._turns_everything_away():
            return TargetPaused(f"{reason}, and to its check as well; mend the target's rights")
        if 300 <= answer.status < 400:
            return TargetPaused(f"{reason}; it points elsewhere, so mend the target's `url` in the topology")
        if self._is_transient(answer.status):
            wish = answer.wished_seconds(self._now())
            if not reads and answer.status in self._options.get("unknown_status", UNKNOWN_STATUS):
                return OutcomeUnknown(reason, wish)
            return Transient(reason, wish)
        if reads or answer.status < 300:
            return OutcomeUnknown(reason)
        return Refused("target_refused", reason)

    def _turns_everything_away(self) -> bool:
        """Whether a 403 is about us and not about one document: then the cheapest call is turned away as well."""
        call = self._options["check"]
        return self._send(call, "GET", {}, self._headers({}), None, reads=True).status in (*PAUSE_STATUS, FORBIDDEN)

    def _is_transient(self, status: int) -> bool:
        named: Any = self._options.get("transient_status", TRANSIENT_STATUS)
        return status in named or (status >= 500 and status not in NEVER_LATER_STATUS)

    def _reason(self, answer: HttpAnswer) -> str:
        reason = f"target {self._code} answered {answer.status}"
        body = parse_object(answer.body)
        detail = pick(body, self._options["problem"]) if "problem" in self._options and body is not MISSING else MISSING
        if detail is MISSING or detail is None:
            return reason
        text = printable(detail)
        return f"{reason}: {text.replace(self._secret, '***') if self._secret else text}"

    def _rows(self, call: Mapping[str, Any], body: Any, domain: str) -> Iterator[Document]:
        rows = pick(body, call["rows"]) if "rows" in call else body
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise OutcomeUnknown(f"target {self._code}: the answer holds no list of {domain}")
        fields = call.get("fields")
        for row in rows:
            yield row if fields is None else renamed(row, fields)

    def _next(self, call: Mapping[str, Any], body: Any, url: str) -> str | None:
        following = pick(body, call["next"]) if "next" in call else None
        if following is MISSING or following is None or following == "":
            return None
        address = urljoin(url, str(following))
        if urlsplit(address)[:2] != urlsplit(self._url)[:2]:
            # The credentials go along with every page: they stay with the host that they are for.
            raise TargetPaused(f"target {self._code} names a next page on another host; mend `next` in the topology")
        return address


def _is_success(call: Mapping[str, Any], answer: HttpAnswer) -> bool:
    named = call.get("success_status")
    return answer.status in named if named else 200 <= answer.status < 300
