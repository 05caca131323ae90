"""The feed of canonical events: for analytics, page after page behind a cursor, or as a Parquet file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from typing import IO

from flask import Response, request
from flask_smorest import Blueprint

from app.access.policy import at_least
from app.access.roles import Role
from app.api.openapi_parts import problems, query
from app.api.routing import route
from app.api.webhook_schemas import FeedEventSchema
from app.projections.feed_parquet import ParquetMissing, write_parquet
from app.projections.feed_reading import PAGE_MOST, first_position_since, newest_position, read_feed
from app.web import parameters
from app.web.feed import Span, filter_of_query, following, line_of, start_of_query
from app.web.problems import Problem
from app.web.services import services

blueprint = Blueprint("events", __name__, description="Every event that took effect, once, in one order.")

NDJSON = "application/x-ndjson"
PARQUET = "application/vnd.apache.parquet"
FILE_EVENTS_MOST = 100_000
CHUNK_BYTES = 262_144

_FILTER = [
    query("type", "One or more canonical types, parted by commas"),
    query("plant", "One or more plants, parted by commas"),
    query("item", "One or more items, parted by commas: events that name one of them"),
]
_SINCE = query("since", "Told at or after this instant, instead of `after`", type="string", format="date-time")
_HEADERS = {
    "Lineside-Next": {"description": "The cursor behind this page", "schema": {"type": "integer"}},
    "Lineside-More": {"description": "Whether there is more already", "schema": {"type": "boolean"}},
    "Link": {"description": "The next page, `rel=next`", "schema": {"type": "string"}},
}


@route(
    blueprint,
    "GET",
    "/v1/events",
    at_least(Role.VIEWER),
    summary="Events behind a cursor, as JSON lines",
    parameters=[
        query("after", "The cursor: `Lineside-Next` of the page before; 0 for the beginning, `latest` for the end"),
        _SINCE,
        *_FILTER,
        query("limit", "Events a page at the most", type="integer", minimum=1, maximum=PAGE_MOST, default=500),
    ],
    responses={
        "200": {
            "description": "One CloudEvent a line",
            "headers": _HEADERS,
            "content": {NDJSON: {"schema": FeedEventSchema}},
        },
        **problems("401", "403", "422"),
    },
)
def read_events() -> Response:
    """Keep `Lineside-Next` and ask with it again: nothing is passed over and nothing is given twice. A page may hold
    fewer events than asked for, or none, and still go on. What is reversed later is told by an event of its own,
    `lineside.event.compensated.v1`, whose data name the event that counts no more."""
    asked, chosen = request.args, filter_of_query(request.args)
    limit = parameters.whole_number(asked, "limit", PAGE_MOST) or 500
    with services().store.reading() as session:
        page = read_feed(session, start_of_query(session, asked), limit, chosen)
    response = Response((line_of(told) for told in page.events), mimetype=NDJSON)
    response.headers["Lineside-Next"] = str(page.position)
    response.headers["Lineside-More"] = "true" if page.is_more else "false"
    response.headers["Link"] = f'<{following(page.position)}>; rel="next"'
    return response


@route(
    blueprint,
    "GET",
    "/v1/events.parquet",
    at_least(Role.VIEWER),
    summary="Events of a span as a Parquet file",
    parameters=[
        query("after", "Behind this cursor"),
        _SINCE,
        query("until", "Told before this instant", type="string", format="date-time"),
        *_FILTER,
    ],
    responses={
        "200": {"description": "The file", "content": {PARQUET: {}}},
        **problems("401", "403", "422", "501"),
    },
)
def read_events_as_parquet() -> Response:
    """At most 100,000 events; `Lineside-Next` says behind which position the next file begins, and `Lineside-More`
    whether there is more of the span."""
    here, asked, chosen = services(), request.args, filter_of_query(request.args)
    until = parameters.moment(asked, "until")
    with here.store.reading() as session:
        after = start_of_query(session, asked)
        up_to = newest_position(session) if until is None else first_position_since(session, until)
    span = Span(after, up_to)
    with ExitStack() as opened:
        # Not in memory: several may be asked for at once.
        file = opened.enter_context(tempfile.TemporaryFile(prefix="lineside-events-"))
        try:
            write_parquet(file, span.pages(here.store, chosen, FILE_EVENTS_MOST))
        except ParquetMissing as error:
            raise Problem(501, "not_installed", f"{error}.") from None
        response = Response(_parts(file), mimetype=PARQUET)
        response.content_length = file.tell()
        response.call_on_close(opened.pop_all().close)
    response.headers["Content-Disposition"] = "attachment; filename=events.parquet"
    response.headers["Lineside-Next"] = str(span.position)
    response.headers["Lineside-More"] = "true" if span.position < up_to else "false"
    return response


def _parts(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while part := file.read(CHUNK_BYTES):
            yield part
