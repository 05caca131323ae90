"""What a query wants of the feed, for the API and the commands."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from flask import request
from sqlalchemy.orm import Session

from app.projections.feed_reading import PAGE_MOST, FeedFilter, Told, first_position_since, newest_position, read_feed
from app.store.session import Store
from app.web import parameters
from app.web.problems import FieldError, Problem
from mappings.canonical import contract

LATEST = "latest"


def filter_of_query(query: Mapping[str, str]) -> FeedFilter:
    types = parameters.words(query, "type")
    for kind in types:
        if not contract.is_canonical(kind):
            reason = "names a type that is not canonical; see /v1/schemas"
            raise Problem(422, "refused", f"Query parameter type {reason}.", [FieldError(reason, place="query type")])
    return FeedFilter(types, parameters.words(query, "plant"), parameters.words(query, "item"))


def start_of_query(session: Session, query: Mapping[str, str]) -> int:
    """The position behind which the reader goes on: as a number, the end (``latest``), or by an instant (``since``)."""
    if query.get("after", "").strip() == LATEST:
        return newest_position(session)
    since = parameters.moment(query, "since")
    if since is not None:
        return first_position_since(session, since)
    return 0 if query.get("after", "").strip() == "0" else parameters.whole_number(query, "after") or 0


def following(position: int) -> str:
    """The address of the page behind this position."""
    kept = [(name, value) for name, value in request.args.items(multi=True) if name not in ("after", "since")]
    return f"{request.path}?{urlencode([*kept, ('after', str(position))])}"


def line_of(told: Told) -> str:
    return json.dumps(told.cloud_event, ensure_ascii=False, separators=(",", ":")) + "\n"


@dataclass
class Span:
    """Events behind a position, and not behind ``up_to``, read page after page. ``position`` is up to where they were
    read: behind it the next file begins."""

    position: int
    up_to: int

    def pages(self, store: Store, chosen: FeedFilter, most: int) -> Iterator[Sequence[Told]]:
        """At most ``most`` events. Each page in a transaction of its own, so that an export holds none open."""
        left = most
        while left > 0 and self.position < self.up_to:
            with store.reading() as session:
                page = read_feed(session, self.position, min(left, PAGE_MOST), chosen, self.up_to)
            yield page.events
            left -= len(page.events)
            self.position = page.position if page.is_more else max(self.position, self.up_to)
