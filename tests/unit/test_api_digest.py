"""Equal content, equal digest; and every event of a batch exactly as it was sent."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api.digest import content_digest
from app.web.cloud_events import split_batch
from mappings.formats import json_body

pytestmark = pytest.mark.slow

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
numbers = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20).map(
    lambda value: format(value, "f")
)
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | text | st.integers(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=12,
)


def digest(value: Any) -> str:
    return content_digest("t", "P100", value, b"")


@given(st.dictionaries(text, values, min_size=2))
def test_neither_key_order_nor_blanks_make_another_message(value: dict[str, Any]) -> None:
    turned = dict(reversed(value.items()))

    compact, laid_out = json.dumps(value).encode(), json.dumps(turned, indent=3, ensure_ascii=False).encode()

    assert digest(json_body.read(compact)) == digest(json_body.read(laid_out))


@given(numbers, st.integers(0, 5))
def test_zeros_behind_a_number_make_no_other_message(number: str, zeros: int) -> None:
    padded = number + ("" if "." in number else ".") + "0" * (zeros + 1)

    assert digest(json_body.read(number.encode())) == digest(json_body.read(padded.encode()))


@given(st.tuples(numbers, numbers).filter(lambda pair: Decimal(pair[0]) != Decimal(pair[1])))
def test_numbers_that_differ_in_any_digit_make_different_messages(pair: tuple[str, str]) -> None:
    first, second = (json_body.read(f"[{number}]".encode()) for number in pair)

    assert digest(first) != digest(second)


@given(numbers)
def test_a_number_is_not_its_text(number: str) -> None:
    assert digest(json_body.read(f"[{number}]".encode())) != digest([number])


def test_type_and_plant_are_part_of_the_content() -> None:
    digests = {content_digest(kind, plant, {}, b"") for kind in ("a", "b") for plant in ("P100", "P200")}

    assert len(digests) == 4


@given(st.lists(values | numbers.map(json.loads), min_size=1, max_size=6), st.sampled_from(["", " ", "\n\t ", "\r\n"]))
def test_a_batch_is_split_into_exactly_what_was_sent(events: list[Any], blank: str) -> None:
    slices = [json.dumps(event, ensure_ascii=False).encode() for event in events]
    body = blank.encode() + b"[" + (blank + "," + blank).encode().join(slices) + blank.encode() + b"]" + blank.encode()

    assert split_batch(body) == slices
