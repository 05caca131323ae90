"""Payloads as a person reads them: laid out, never altered in a digit, bounded."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.console.documents import lay_out, show_payload
from app.console.formats import number, seconds, shortened, span
from mappings.formats import json_body


def test_json_is_laid_out_with_the_digits_it_came_with() -> None:
    shown = show_payload(b'{"a":1.50,"b":[12345678901234567890.123456789]}', 47)

    assert shown.text == '{\n  "a": 1.50,\n  "b": [\n    12345678901234567890.123456789\n  ]\n}'


values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=10,
)


@given(values)
def test_laying_out_changes_nothing_but_the_blanks(value: Any) -> None:
    assert json.loads(lay_out(value)) == value


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6))
def test_laying_out_keeps_every_decimal(value: Decimal) -> None:
    assert json_body.read(lay_out([value]).encode()) == [value]


def test_xml_on_one_line_is_laid_out() -> None:
    assert show_payload(b"<a><b>1</b></a>", 15).text == "<a>\n  <b>1</b>\n</a>"


@pytest.mark.parametrize(
    "body", [b'{"a": 1, "a": 2}', b"{oops", b"<a>", b"<!DOCTYPE a []><a/>", b"one;two\r\n", b"caf\xe9"]
)
def test_what_cannot_be_laid_out_is_shown_as_it_came(body: bytes) -> None:
    shown = show_payload(body, len(body))

    assert shown.text == body.decode("latin-1")


def test_a_large_payload_is_cut_and_says_so() -> None:
    shown = show_payload("ä".encode() * 10 + b"\xc3", 5_000_000)

    assert shown.text == "ä" * 10
    assert "5,000,000" in shown.note


def test_bytes_that_are_no_text_are_not_shown() -> None:
    shown = show_payload(b"PK\x03\x04\x00\x00", 6)

    assert shown.text == ""
    assert "Binary" in shown.note


@pytest.mark.parametrize(
    ("length", "told"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3_599, "59 min"),
        (3_660, "1 h 1 min"),
        (90_000, "1 d 1 h"),
        (-5, "0 s"),
    ],
)
def test_ages_are_told_in_the_unit_that_fits(length: float, told: str) -> None:
    assert span(timedelta(seconds=length).total_seconds()) == told


@pytest.mark.parametrize(("value", "told"), [(0.1234, "0.12 s"), (12.34, "12.3 s"), (125.0, "2 min")])
def test_latencies_have_the_digits_that_matter(value: float, told: str) -> None:
    assert seconds(value) == told


def test_thousands_are_parted_without_a_sign_that_could_be_a_decimal_point() -> None:
    assert number(1234567) == "1\u202f234\u202f567"


@given(st.text(max_size=400), st.integers(20, 200))
def test_a_long_text_is_shortened_in_its_middle(text: str, most: int) -> None:
    shown = shortened(text, most)

    head, cut, _ = shown.partition(" … ")
    assert len(shown) <= most
    assert shown == text if len(text) <= most else cut
    if len(text) > most:
        assert text.startswith(head)
        assert text.endswith(shown[len(head) + 3 :])
