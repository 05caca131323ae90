"""Log lines: one form, no secret, no payload."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from app.telemetry.logs import MASK, SecretMask, configure_logging
from config.settings import load_settings

SETTINGS = load_settings({"LINESIDE_SECRET_ERP": "key-of-the-erp", "LINESIDE_SECRET_KEY": "session-key"})


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Where this process's log lines go during the test."""
    root = logging.getLogger()
    before = root.handlers[:], root.level, structlog.get_config()
    out = io.StringIO()
    configure_logging(SETTINGS, out)
    yield out
    root.handlers[:], level, config = before[0], before[1], before[2]
    root.setLevel(level)
    structlog.configure(**config)


def read(lines: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def test_a_line_is_one_json_object_with_its_event_and_what_is_bound(lines: io.StringIO) -> None:
    with structlog.contextvars.bound_contextvars(plant="P100", step="post", message_id=7):
        structlog.get_logger().warning("lane_lost", lane=3)

    (line,) = read(lines)
    assert line.pop("at").endswith("Z")
    assert line == {
        "event": "lane_lost",
        "lane": 3,
        "plant": "P100",
        "step": "post",
        "message_id": 7,
        "level": "warning",
        "logger": __name__,
    }


def test_a_library_speaks_in_the_same_form(lines: io.StringIO) -> None:
    logging.getLogger("celery.worker").error("Connected to %s", "amqp://guest:guest@127.0.0.1//")

    (line,) = read(lines)
    assert line["event"] == f"Connected to amqp://guest:{MASK}@127.0.0.1//"
    assert line["level"] == "error"


def test_no_secret_reaches_a_line_not_even_through_an_exception(lines: io.StringIO) -> None:
    try:
        raise RuntimeError("key-of-the-erp was wrong")
    except RuntimeError:
        structlog.get_logger().exception(
            "call_failed", header="Bearer abc.def", url="http://u:p@h/", nested=["session-key"]
        )

    text = lines.getvalue()
    assert "key-of-the-erp" not in text
    assert "session-key" not in text
    assert "abc.def" not in text
    assert "u:p@" not in text


def test_a_payload_is_never_logged(lines: io.StringIO) -> None:
    structlog.get_logger().warning("refused", payload=b"secret recipe", document={"price": "12"})

    assert "recipe" not in lines.getvalue()
    assert "price" not in lines.getvalue()


def test_configuring_again_doubles_no_line(lines: io.StringIO) -> None:
    configure_logging(SETTINGS, lines)

    structlog.get_logger().warning("once")

    assert len(read(lines)) == 1


@given(st.text(min_size=6), st.text(), st.text())
def test_a_known_secret_is_masked_wherever_it_stands(secret: str, before: str, after: str) -> None:
    mask = SecretMask([secret])

    masked = mask.text(f"{before}\x00{secret}\x00{after}")

    assert f"\x00{secret}\x00" not in masked or secret in MASK
