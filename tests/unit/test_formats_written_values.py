"""Values that are written as text, and XML whose elements are fields: read beyond doubt, or refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from marshmallow import ValidationError
from marshmallow.fields import Integer

from mappings.context import MappingError
from mappings.formats import xml_record
from mappings.inbound.written import DecimalMark, Filled, Repeated, Written, number


@pytest.mark.parametrize(
    ("text", "mark", "read"),
    [
        ("12,5", ",", "12.5"),
        ("1.250,500", ",", "1250.500"),
        (" 3 ", ",", "3"),
        ("12.5", ".", "12.5"),
        ("1,250.5", ".", "1250.5"),
        (7, ".", 7),
        (Decimal("1.5"), ",", Decimal("1.5")),
    ],
)
def test_a_number_is_read_by_its_decimal_mark(text: Any, mark: DecimalMark, read: Any) -> None:
    assert number(text, "qty", mark) == read


@pytest.mark.parametrize(
    ("text", "mark"),
    [("1.250", ","), ("1,250", "."), ("-5", "."), ("5-", ","), ("", "."), ("1e3", "."), ("9" * 41, ".")],
)
def test_a_number_that_could_mean_two_things_is_refused_with_its_place(text: str, mark: DecimalMark) -> None:
    with pytest.raises(MappingError) as caught:
        number(text, "qty", mark)

    assert (caught.value.code, caught.value.field) == ("quantity_invalid", "qty")


def test_text_is_taken_without_its_blanks_and_a_whole_number_as_its_digits() -> None:
    assert [Written().deserialize(value) for value in (" A 1 ", "", 1000123)] == ["A 1", "", "1000123"]


@pytest.mark.parametrize("value", [True, 1.5, Decimal("1.5"), ["A"], {}, 10**50])
def test_what_is_no_text_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError, match="must be text"):
        Written().deserialize(value)


def test_what_has_to_be_there_is_not_empty() -> None:
    with pytest.raises(ValidationError, match="is empty"):
        Filled().deserialize("  ")


def test_one_thing_is_a_list_of_one() -> None:
    assert Repeated(Integer()).deserialize(4) == Repeated(Integer()).deserialize([4]) == [4]


def test_elements_are_fields_by_their_local_names() -> None:
    body = b'<m:R xmlns:m="urn:a"><m:Head id="7"><m:At> now </m:At></m:Head><m:L>1</m:L><m:L>2</m:L><m:E/></m:R>'

    assert xml_record.read(body) == {"Head": {"id": "7", "At": "now"}, "L": ["1", "2"], "E": ""}


def test_an_attribute_stands_beside_the_text_of_its_element() -> None:
    assert xml_record.read(b'<R><Qty unit="KGM">4.5</Qty></R>') == {"Qty": {"unit": "KGM", "text": "4.5"}}


def test_a_document_without_elements_has_no_fields() -> None:
    assert xml_record.read(b"<R>only text</R>") == {}


def test_more_elements_than_a_message_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_record, "MAX_ELEMENTS", 3)

    with pytest.raises(MappingError, match="xml_too_large"):
        xml_record.read(b"<R><a/><a/><a/></R>")
