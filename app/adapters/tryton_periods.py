"""Closed stock periods: why Tryton refuses a document of a day, and which day is the first that it takes.

Tryton says no with a text, which differs between languages; so after a refusal its periods are looked at instead. It
compares the planned day of each move that is no draft any more, and takes none up to the newest closed period's date.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import date, timedelta
from typing import Any

from app.adapters.tryton_models import PRODUCTION, TRANSFER
from app.adapters.tryton_records import TrytonRecords
from app.adapters.tryton_rest import tryton_date
from app.errors import PeriodClosed, Refused

PERIOD = "stock.period"


def posting_day(document: Mapping[str, Any]) -> str:
    """The day that the document is posted for; its event's own day unless that was closed."""
    return str(document.get("posting_date") or document["day"])


def planned_dates(model: str, document: Mapping[str, Any]) -> dict[str, Any]:
    day = tryton_date(posting_day(document))
    return {"planned_date": day} | ({"planned_start_date": day} if model in (PRODUCTION, TRANSFER) else {})


def mend_dates(
    target: str, model: str, record: Mapping[str, Any], document: Mapping[str, Any], records: TrytonRecords
) -> bool:
    """Whether the refused document was planned for a closed day and is now planned for the day that it is to have.

    It was made for another day by an earlier attempt, or by a planner. Raises PeriodClosed where the day that it is
    to have is closed itself.
    """
    closed = _newest_closed(records)
    if closed is None:
        return False
    day = date.fromisoformat(posting_day(document))
    if day <= closed:
        raise PeriodClosed(
            target, day, f"Tryton's stock period to {closed.isoformat()} is closed.", closed + timedelta(days=1)
        )
    planned = records.rest.get(model, record["id"], ["planned_date"])["planned_date"]
    if planned is None or _day(planned) > closed:
        return False
    if record["state"] != "draft":  # Tryton lets nobody change the dates of what is waiting
        records.rest.act(model, record["id"], "draft", ["state"], records.context)
    records.rest.update(model, record["id"], planned_dates(model, document), ["state"], records.context)
    return True


def _newest_closed(records: TrytonRecords) -> date | None:
    domain = [["state", "=", "closed"], ["company", "=", records.company_id]]
    with suppress(Refused):  # a user who may not see periods is told what Tryton said at first
        return max((_day(found["date"]) for found in records.rest.every(PERIOD, domain, ["date"])), default=None)
    return None


def _day(value: Mapping[str, Any]) -> date:
    return date(value["year"], value["month"], value["day"])
