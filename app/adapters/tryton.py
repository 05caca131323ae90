"""Tryton as a target: productions, internal shipments and supplier shipments over REST, posted once.

Tryton's ``reference`` is searchable but not unique. So a post searches first, creates a draft where there is none,
searches again, and drives what it finds by its state; a stray duplicate stays a draft, and drafts have no effect.
A final completion takes the open production of its order over instead of creating one.
Of two posts under one key that run at once the pipeline's lease is the guard; here both drive the same record.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from decimal import Decimal
from typing import Any

from app.adapters import tryton_documents as documents
from app.adapters.base import Document, PostingRequest, TargetAnswer, TargetSettings
from app.adapters.bounded_http import BoundedHttp
from app.adapters.budget import all_within
from app.adapters.tryton_calls import TrytonCalls
from app.adapters.tryton_closing import open_order, take_over
from app.adapters.tryton_models import FLOWS, PRODUCTION, RECEIPT, SUPPLIER_RETURN, next_button
from app.adapters.tryton_options import TrytonOptions
from app.adapters.tryton_orders import settle_expected
from app.adapters.tryton_periods import mend_dates
from app.adapters.tryton_planned_orders import planned_orders
from app.adapters.tryton_reading import balances, items
from app.adapters.tryton_receipts import sort_received
from app.adapters.tryton_records import TrytonRecords
from app.adapters.tryton_rest import REFUSED, SERVER_FAULT, TrytonRest
from app.adapters.tryton_reversals import reversal_of
from app.adapters.tryton_rpc import TrytonRpc
from app.errors import OutcomeUnknown, Refused, Transient, Waiting, stock_reference
from mappings.units import plain

_DOMAINS = ("items", "balances", "production_orders")
_STEPS = 12
_TRIES = 2
_CANCELLED = "Somebody cancelled {} in Tryton: discard this message, or have it sent anew under a new id."
_EMPTIED = "Somebody took this document's moves away in Tryton: discard this message, or have it sent anew."


class TrytonAdapter:
    """One Tryton database, spoken to as the user whose REST key is the target's secret."""

    options_schema = TrytonOptions
    closed_periods = "asked"

    def __init__(self, settings: TargetSettings) -> None:
        self._code = settings.code
        self._timeout_seconds = settings.timeout_seconds
        http = BoundedHttp(settings.timeout_seconds, settings.calls_in_flight, settings.options.get("ca_file"))
        self._rest = TrytonRest(settings.url, settings.secret, http)
        self._records = TrytonRecords(self._rest, settings.options.get("company"))
        rpc = TrytonRpc(settings.url, settings.options.get("login"), settings.secret, http)
        self._calls = TrytonCalls(self._rest, rpc, lambda: self._records.context)

    def post(self, request: PostingRequest) -> TargetAnswer:
        with self._one_posting():
            return self._post(request)

    def _post(self, request: PostingRequest) -> TargetAnswer:
        model = documents.model_of(request.document)
        record = self._held(model, request.posting_key)
        if record is None:
            values = documents.body(request.document, request.posting_key, self._records)
            record = self._closed(model, request, values) or self._draft(model, request.posting_key, values)
        elif record["state"] == "draft":
            self._refuse_emptied(model, record)
        return self._drive_in_open_period(model, record, request)

    def find(self, request: PostingRequest) -> TargetAnswer | None:
        """None also for a document that stands half-way: posting it again goes on where it stopped."""
        models = [documents.model_of(request.document)]
        if RECEIPT in models:
            models.append(SUPPLIER_RETURN)
        with all_within(self._timeout_seconds):
            held = [(model, self._held(model, request.posting_key)) for model in models]
        done = (_answer(model, record) for model, record in held if record is not None and record["state"] == "done")
        return next(done, None)

    def reverse(self, request: PostingRequest, reference: str) -> TargetAnswer:
        """Post the opposite document under the reversal's own key; the original stays as it was."""
        with self._one_posting():
            for model, posting_key, values in reversal_of(reference, request, self._records):
                step = PostingRequest(posting_key, request.kind, request.plant, request.document)
                record = self._held(model, posting_key) or self._draft(model, posting_key, values())
                answer = self._drive_in_open_period(model, record, step)
        return answer

    @contextmanager
    def _one_posting(self) -> Iterator[None]:
        """All calls of the block within the target's time. Where it is over once something was written, a document is
        left half-way, and the target is asked how far it came."""
        with all_within(self._timeout_seconds) as budget:
            try:
                yield
            except Transient as error:
                if not (budget.has_written and budget.is_over):
                    raise
                raise OutcomeUnknown(f"{error.reason} The posting stands half-way.", error.after_seconds) from error

    def read(self, domain: str, since: datetime | None = None) -> Iterator[Document]:
        if domain == "items":
            return items(self._rest)
        if domain == "balances":
            return balances(self._rest, self._records)
        if domain == "production_orders":
            return planned_orders(self._records, since)
        raise Refused("domain_unknown", f"Tryton is read for {', '.join(_DOMAINS)}, not for {domain!r}.")

    @staticmethod
    def why_not_read(domain: str, options: Mapping[str, Any]) -> str | None:
        return None if domain in _DOMAINS else f"Tryton is read for {', '.join(_DOMAINS)}"

    def check(self) -> None:
        self._rest.search("company.company", [], ["id"], limit=1)

    def _held(self, model: str, posting_key: str) -> dict[str, Any] | None:
        """The one document of this key: the one that was driven furthest, else the oldest draft."""
        found = self._calls.held(model, posting_key)
        driven = [record for record in found if record["state"] not in ("draft", "cancelled")]
        return next(iter(driven + found), None)

    def _closed(self, model: str, request: PostingRequest, values: Mapping[str, Any]) -> dict[str, Any] | None:
        """The production order that this document closes, taken over under its key; None where none is open."""
        for attempt in range(_TRIES):
            order = open_order(request.document, self._records)
            if order is None:
                return None
            refusal = self._refusal_to_take_over(order, request, values)
            record = self._held(model, request.posting_key)
            if record is not None:
                return record
            if refusal is not None and attempt + 1 == _TRIES:
                raise refusal
        raise Transient("Tryton took the completion of the order and does not show it yet.", alone=True)

    def _refusal_to_take_over(
        self, order: Mapping[str, Any], request: PostingRequest, values: Mapping[str, Any]
    ) -> Refused | None:
        """A refusal may mean that another completion or a person was faster: what counts is the order as it is now."""
        try:
            take_over(order, request.document, values, self._records)
        except Refused as refusal:
            if refusal.code not in (REFUSED, SERVER_FAULT):
                raise
            return refusal
        return None

    def _draft(self, model: str, posting_key: str, values: Mapping[str, Any]) -> dict[str, Any]:
        for attempt in range(_TRIES):
            try:
                self._calls.create(model, values)
            except Refused as refusal:
                # Only a fault of the server is worth a second try, and it may even have come after the commit.
                if refusal.code != SERVER_FAULT or attempt + 1 == _TRIES:
                    raise
            record = self._held(model, posting_key)
            if record is not None:
                return record
        raise Transient("Tryton took the draft and does not show it yet.", alone=True)

    def _refuse_emptied(self, model: str, record: Mapping[str, Any]) -> None:
        """A draft from an earlier attempt may have been cancelled and reopened by a person, and Tryton then drops its
        moves: driven like that it would be done without any effect."""
        lists = ["inputs", "outputs"] if model == PRODUCTION else ["moves"]
        held = self._rest.get(model, record["id"], lists)
        if not any(held[name] for name in lists):
            raise Refused("document_emptied", _EMPTIED)

    def _drive_in_open_period(self, model: str, record: dict[str, Any], request: PostingRequest) -> TargetAnswer:
        """What Tryton refuses because its day is closed gets the day that it is to have, or is PeriodClosed."""
        try:
            return self._drive(model, record, request)
        except Refused as refusal:
            held = self._held(model, request.posting_key) or record
            if refusal.code != REFUSED or not mend_dates(self._code, model, held, request.document, self._records):
                raise
        return self._drive(model, self._held(model, request.posting_key) or held, request)

    def _drive(self, model: str, record: dict[str, Any], request: PostingRequest) -> TargetAnswer:
        """Press the button of each state until the document is done."""
        faults = 0
        for _ in range(_STEPS):
            if record["state"] == "done":
                return self._settled(model, record)
            if record["state"] == "cancelled":
                raise Refused("document_cancelled", _CANCELLED.format(record["number"]))
            before = record["state"]
            try:
                record = self._press(model, record, request)
            except Refused as refusal:
                if refusal.code not in (REFUSED, SERVER_FAULT):
                    raise
                # The button may be gone because somebody else pressed it: what counts is the state now.
                record = self._held(model, request.posting_key) or record
                faults += record["state"] == before
                if faults and (refusal.code == REFUSED or faults >= _TRIES):
                    raise
                continue
            if before == record["state"] == "waiting":
                self._release(model, record, request)
        raise Transient(f"Tryton's document {record['number']} is still {record['state']}.", alone=True)

    def _press(self, model: str, record: Mapping[str, Any], request: PostingRequest) -> dict[str, Any]:
        if record["state"] == "received":
            sort_received(record["id"], request.document, self._records)
        return self._calls.press(model, record["id"], next_button(model, record))

    def _settled(self, model: str, record: Mapping[str, Any]) -> TargetAnswer:
        if model == RECEIPT:
            # The receipt has its effect already; what the order still expects must not make it look refused.
            with suppress(Refused):
                settle_expected(self._rest, record["id"], self._records.context)
        return _answer(model, record)

    def _release(self, model: str, record: Mapping[str, Any], request: PostingRequest) -> None:
        """Short of stock: give back what was reserved, or it would starve the next order, and say what is missing."""
        moves = FLOWS[model].assigned_field
        fields = [f"{moves}.{name}" for name in ("state", "product.code", "quantity", "unit.symbol")]
        short = [move for move in self._rest.get(model, record["id"], fields)[moves] if move["state"] == "draft"]
        self._calls.press(model, record["id"], "wait")
        if not short:
            raise Transient("Tryton could not reserve the stock; another document was faster.", alone=True)
        lacking = ", ".join(_amount(move) for move in short)
        raise Waiting(
            stock_reference(request.plant, short[0]["product"]["code"]),
            f"Tryton is short of {lacking} at {request.plant}; it goes on once the stock is there.",
        )


def _amount(move: Mapping[str, Any]) -> str:
    return f"{plain(Decimal(move['quantity']))} {move['unit']['symbol']} of {move['product']['code']}"


def _answer(model: str, record: Mapping[str, Any]) -> TargetAnswer:
    kept = {name: record[name] for name in ("id", "number", "state", "reference") if name in record}
    return TargetAnswer(f"{model},{record['id']}", {"model": model, **kept})
