"""Requests as a broken, careless or hostile sender makes them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.interop.house import BATCH, CLOUD_EVENT, ROWS_OVER_HTTP

AT = "2026-03-02T08:00:00Z"
QUANTITY = {"value": "2", "uom": "EA"}
MOVED = {"event_time": AT, "item": "WHEEL-10", "quantity": QUANTITY, "from": {"storage": "A"}, "to": {"storage": "B"}}
COMPLETED = {"event_time": AT, "order_id": "1000", "outputs": [{"item": "BIKE-100", "quantity": QUANTITY}]}
GOOD = {"material": "BIKE-100", "menge": 2, "einheit": "STK", "charge": "L1"}
MES = {"ts": "2026-03-02T09:00:00", "auftrag": {"nummer": "1000"}, "gutmengen": [GOOD]}
PERFORMANCE = """<?xml version="1.0" encoding="utf-8"?><ProductionPerformance><ProductionResponse><ID>1000</ID>
<EndTime>2026-03-02T09:00:00</EndTime><SegmentResponse><ID>10</ID><MaterialActual>
<MaterialDefinitionID>FRAME-RAW</MaterialDefinitionID><MaterialUse>Produced</MaterialUse><Quantity>
<QuantityString>2</QuantityString><UnitOfMeasure>each</UnitOfMeasure></Quantity></MaterialActual></SegmentResponse>
</ProductionResponse></ProductionPerformance>"""

# (source, type, body, content type) that would be taken, if nothing were done to them
SOUND: list[tuple[str, str, Any, str]] = [
    ("erp", "inventory.moved.v1", MOVED, "application/json"),
    ("erp", "production.completed.v1", COMPLETED, "application/json"),
    ("erp", "item.changed.v1", {"event_time": AT, "item": "X", "description": "x", "base_uom": "EA"}, "text/json+json"),
    ("mes-p100", "mes.completion", MES, "application/json"),
    ("mes-p100", "mes.completion", MES, "text/plain"),
    ("mes-p100", "nobody.knows", MES, "application/octet-stream"),
    ("mes-p200", "b2mml.ProductionPerformance", PERFORMANCE, "application/xml"),
    ("mes-p200", "b2mml.ProductionPerformance", PERFORMANCE, "text/plain"),
    (ROWS_OVER_HTTP, "legacy.movement", {"movement": "311", "quantity": "1,5"}, "text/plain"),
]

# JSON as it must not be, as no database can hold it, or as two readers would read it differently
TOKENS = [
    *[
        "1e999999",
        "-1e-999999",
        "1E400",
        "NaN",
        "-Infinity",
        "1" * 400,
        "1" * 5_000,
        "0." + "1" * 300,
        "-0",
        "-1",
        "1.0",
    ],
    *[
        '"\\ud800"',
        '"\\udc00\\ud800"',
        '"a\\u0000b"',
        '"\\u202e"',
        '"e\\u0301"',
        '"\u00e9"',
        '"\\ud83d\\udeb2"',
        '"\x7f"',
    ],
    *['"' + "x" * size + '"' for size in (0, 80, 81, 200, 201, 3_000)],
    *['" "', '"NaN"', '"1e999"', '"1,5"', '"\u0661"', '"2026-13-45T99:99:99Z"', '"9999-12-31T23:59:59-23:59"'],
    *["null", "true", "[]", "{}", "[" * 70 + "]" * 70, "[" * 3_000, '{"a":1,"a":2}', '{"a\\u0000":1,"a\\u0000":2}'],
]
WORDS = [
    *[
        "",
        " ",
        "x" * 201,
        "a%00b",
        "%ED%A0%80",
        "%F0%9F%9A%B2",
        "%",
        "%zz",
        "caf\u00e9",
        "\u00a0",
        "a\tb",
        "\x7f",
        "0",
        "-1",
    ],
    *["1.0", "production.completed.v1", "mes.completion", "P100", "erp", "00-" + "0" * 32 + "-" + "0" * 16 + "-01"],
]
CONTENT_TYPES = [
    *[CLOUD_EVENT, BATCH, "application/json", "application/xml", "text/plain", "application/octet-stream", "", ";;;"],
    *["application/json; charset=utf-16", "APPLICATION/JSON", "application/vnd.x+json", "image/png", "a" * 300, "*/*"],
    *["application/cloudevents+json2+json", "text/xml; charset*=utf-8''%e2", 'application/json; a="\u00e9', "text/csv"],
]
_VALUES = re.compile(r'"[^"]*"(?!\s*:)|(?<=[:\[,])\s*[0-9][0-9.]*')


@dataclass(frozen=True)
class Attack:
    source: str
    body: bytes
    headers: list[tuple[str, str]]
    query: dict[str, str]


@st.composite
def attacks(draw: st.DrawFn) -> Attack:
    """A request that was sound, until up to three things were done to it."""
    source, kind, body, content_type = draw(st.sampled_from(SOUND))
    text = body if isinstance(body, str) else json.dumps(body)
    message_id = draw(st.uuids()).hex
    headers, query = [("Content-Type", content_type), ("Idempotency-Key", message_id)], {"type": kind}
    mode = draw(st.sampled_from(["vendor", "structured", "binary", "batch", "base64"]))
    plant = {"erp": "P100", "mes-p100": "P100", "mes-p200": "P200", ROWS_OVER_HTTP: "P300"}[source]
    event = {"specversion": "1.0", "id": message_id, "source": source, "type": kind, "plant": plant}
    if mode == "vendor":
        query["plant"] = plant
    elif mode == "binary":
        headers = [("Content-Type", content_type)] + [(f"ce-{name}", value) for name, value in event.items()]
    else:
        headers = [("Content-Type", BATCH if mode == "batch" else CLOUD_EVENT)]
        text = json.dumps(event | _data(draw, mode, body, content_type))
    for _ in range(draw(st.integers(0, 3))):
        text = draw(_hurt(text))
    if mode == "batch":
        text = (
            "[" + ",".join([text] * draw(st.sampled_from([1, 1, 2, 3]))) + draw(st.sampled_from(["]", "]", ",]", ""]))
        )
    return Attack(source, draw(_encoded(text)), draw(_odd_headers(headers)), draw(_odd_query(query)))


def _data(draw: st.DrawFn, mode: str, body: Any, content_type: str) -> dict[str, Any]:
    if mode == "base64":
        return {"data_base64": draw(st.sampled_from(["e30=", "AAEC/w==", "%%%", ""])), "datacontenttype": content_type}
    return {"data": body, "datacontenttype": content_type} if isinstance(body, str) else {"data": body}


@st.composite
def _hurt(draw: st.DrawFn, text: str) -> str:
    spans = [found.span() for found in _VALUES.finditer(text)]
    way = draw(st.sampled_from(["value", "value", "value", "cut", "insert", "double"]))
    if way == "value" and spans:
        start, end = draw(st.sampled_from(spans))
        return text[:start] + draw(st.sampled_from(TOKENS)) + text[end:]
    place = draw(st.integers(0, len(text)))
    if way == "cut":
        return text[:place]
    if way == "insert":
        return text[:place] + draw(st.text(max_size=3)).encode("utf-8", "ignore").decode() + text[place:]
    return text + text


@st.composite
def _encoded(draw: st.DrawFn, text: str) -> bytes:
    encoding = draw(st.sampled_from(["utf-8"] * 12 + ["utf-8-sig", "utf-16", "latin-1"]))
    body = text.encode(encoding, "replace")
    if draw(st.integers(0, 15)) == 0 and body:
        place = draw(st.integers(0, len(body) - 1))
        return body[:place] + draw(st.binary(max_size=3)) + body[place + 1 :]
    return body


@st.composite
def _odd_headers(draw: st.DrawFn, headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    way = draw(st.sampled_from(["sound"] * 6 + ["value", "type", "twice", "more"]))
    if way == "value":
        place = draw(st.integers(0, len(headers) - 1))
        headers[place] = (headers[place][0], draw(st.sampled_from(WORDS)))
    elif way == "type":
        headers[0] = ("Content-Type", draw(st.sampled_from(CONTENT_TYPES)))
    elif way == "twice":
        headers.append(draw(st.sampled_from(headers)))
    elif way == "more":
        name = draw(st.sampled_from(["ce-id", "ce-time", "ce-sequence", "ce-partitionkey", "ce-odd", "traceparent"]))
        headers.append((name, draw(st.sampled_from(WORDS))))
    return headers


@st.composite
def _odd_query(draw: st.DrawFn, query: dict[str, str]) -> dict[str, str]:
    if draw(st.integers(0, 5)):
        return query
    name = draw(st.sampled_from(["source", "type", "plant", "partitionkey", "sequence"]))
    return query | {name: draw(st.sampled_from([*WORDS, "a\0b", "\U0001f6b2"]))}
