"""How numbers, times and states are written on a page."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import Flask, url_for
from markupsafe import Markup, escape

from app.inbox.states import State
from app.web.measures import duration_in_words
from app.web.services import services

NOTHING = Markup('<span class="none">&ndash;</span>')
_NAMED_MESSAGE = re.compile(r"\b[Mm]essage ([0-9]{1,18})\b")
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))

TONES = {
    State.POSTED: "good",
    State.DEAD: "bad",
    State.WAITING: "wait",
    State.DISCARDED: "off",
    State.COMPENSATED: "off",
}


def add_filters(app: Flask) -> None:
    named = (number, amount, money, local_time, age, span, seconds, tone, linked, listed, shortened, duration)
    for filter_of in named:
        app.add_template_filter(filter_of)


def number(value: int) -> str:
    """Thousands parted by a narrow space, which no locale reads as a decimal sign."""
    return f"{value:,}".replace(",", "\u202f")


def amount(value: str) -> str:
    """A decimal number as a person reads it: thousands parted, a true minus sign, no digit lost."""
    whole, point, part = value.removeprefix("-").partition(".")
    return ("\u2212" if value.startswith("-") else "") + number(int(whole)) + point + part


def money(value: Decimal) -> str:
    return amount(format(value, ".2f"))


def local_time(moment: datetime | None, plant: str = "") -> Markup:
    """In the plant's zone, with UTC for the pointer and for machines."""
    if moment is None:
        return NOTHING
    utc = moment.astimezone(UTC)
    local = utc.astimezone(_zone(plant))
    zone = local.strftime("%Z")
    return Markup('<time datetime="{}" title="{} UTC">{} <span class="zone">{}</span></time>').format(
        utc.isoformat(timespec="milliseconds"),
        utc.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3],
        local.strftime("%Y-%m-%d %H:%M:%S"),
        zone,
    )


def _zone(plant: str) -> ZoneInfo:
    known = services().topology.plants.get(plant)
    try:
        return ZoneInfo(known.timezone if known is not None else "UTC")
    except ZoneInfoNotFoundError:
        return ZoneInfo("UTC")


def age(moment: datetime | None) -> Markup | str:
    """How long ago, in the largest unit that fits and the one below it."""
    if moment is None:
        return NOTHING
    return span((services().clock() - moment).total_seconds())


def span(length: float) -> str:
    left = max(0, int(length))
    for index, (size, unit) in enumerate(_UNITS):
        if left >= size:
            whole, rest = divmod(left, size)
            below = _UNITS[index + 1 :][:1]
            return f"{whole} {unit}" + (f" {rest // below[0][0]} {below[0][1]}" if below else "")
    return f"{left} s"


def seconds(value: float | None) -> Markup | str:
    """A latency: enough digits to compare, no more."""
    if value is None:
        return NOTHING
    if value < 10:
        return f"{value:.2f} s"
    return f"{value:.1f} s" if value < 100 else span(value)


def duration(value: float | None) -> Markup | str:
    """How long something took, with enough digits to compare; ``span`` tells how long ago."""
    return NOTHING if value is None else duration_in_words(value)


def listed(value: object) -> str:
    """A value of the trail's detail in words; no names in a list means that there was no choice among them."""
    return (", ".join(map(str, value)) or "all") if isinstance(value, list) else str(value)


def linked(text: str) -> Markup:
    """Text in which every message that it names is a link."""
    written, end = Markup(""), 0
    for found in _NAMED_MESSAGE.finditer(text):
        there = url_for("console.show_message", message_id=int(found[1]))
        written += escape(text[end : found.start(1)]) + Markup('<a href="{}">{}</a>').format(there, found[1])
        end = found.end(1)
    return written + escape(text[end:])


def shortened(text: str, most: int) -> str:
    """Both ends of a long reason: it begins with what is wrong and ends with the mend."""
    if len(text) <= most:
        return text
    half = (most - 3) // 2
    head, tail = text[:half], text[-half:]
    whole_words = head.rpartition(" ")[0] or head, tail.partition(" ")[2] or tail
    return " … ".join(whole_words)


def tone(state: str) -> str:
    """The colour class of a state, which is always written out beside it."""
    return TONES.get(State(state), "live") if state in set(State) else POSTING_TONES.get(state, "live")


POSTING_TONES = {"refused": "bad", "unknown": "wait", "compensating": "wait"}
