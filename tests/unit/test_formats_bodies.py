"""JSON, XML and row bodies: what is read, what is refused, and where the fault is said to be."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.context import MappingError
from mappings.formats import b2mml, json_body, rows, xml_body


def test_a_number_with_a_point_keeps_its_digits() -> None:
    assert json_body.read(b'{"qty": 12.50, "count": 3}') == {"qty": Decimal("12.50"), "count": 3}


def test_a_byte_order_mark_is_passed_over() -> None:
    assert json_body.read(b'\xef\xbb\xbf{"a": "\xc3\xbc"}') == {"a": "ü"}


@pytest.mark.parametrize(
    ("body", "code", "place"),
    [
        (b"", "json_invalid", "line 1 column 1"),
        (b'{"a": 1,\n "b": }', "json_invalid", "line 2 column 7"),
        (b'{"a": "caf\xe9"}', "encoding_invalid", "byte 10"),
        ('{"a": 1}'.encode("utf-16"), "encoding_invalid", "byte 0"),
        (b'{"a": 1, "b": {"c": 1, "c": 2}}', "json_duplicate_key", "c"),
        (b'{"a": NaN}', "json_number", "line 1 column 7"),
        (b'{"a": -Infinity}', "json_number", "line 1 column 7"),
        (b'{"NaN": "\\" NaN",\n "b": [Infinity, NaN]}', "json_number", "line 2 column 8"),
        (b'{"a": 1e9999999999999999999}', "json_number", None),
        (b'{"a": ' + b"1" * 5000 + b"}", "json_number", None),
        (b'{"a": "\\ud800"}', "encoding_invalid", None),
    ],
)
def test_what_is_no_sound_json_is_refused_with_its_place(body: bytes, code: str, place: str | None) -> None:
    with pytest.raises(MappingError) as caught:
        json_body.read(body)

    assert (caught.value.code, caught.value.field) == (code, place)


def test_xml_is_read_in_the_encoding_that_it_declares() -> None:
    root = xml_body.read("<?xml version='1.0' encoding='ISO-8859-1'?><a>Lätzchen</a>".encode("latin-1"))

    assert root.text == "Lätzchen"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_xml_is_read_by_its_byte_order_mark(encoding: str) -> None:
    assert xml_body.read("<?xml version='1.0'?><a>ü</a>".encode(encoding)).text == "ü"


@pytest.mark.parametrize(
    ("body", "code", "place"),
    [
        (b"", "xml_invalid", "line 1 column 1"),
        (b"<a>\n<b></a>", "xml_invalid", "line 2 column 8"),
        (b"<a>&nbsp;</a>", "xml_invalid", "line 1 column 10"),
        (b"<a>\xff</a>", "encoding_invalid", "byte 3"),
        (b"<?xml version='1.0' encoding='rot13'?><a/>", "encoding_unknown", "line 1"),
        (b"<?xml version='1.0' encoding='utf-7'?><a/>", "encoding_unknown", "line 1"),
    ],
)
def test_what_is_no_sound_xml_is_refused_with_its_place(body: bytes, code: str, place: str) -> None:
    with pytest.raises(MappingError) as caught:
        xml_body.read(body)

    assert (caught.value.code, caught.value.field) == (code, place)


def test_a_b2mml_document_of_another_kind_is_refused_by_its_name() -> None:
    with pytest.raises(MappingError, match="SyncMaterialDefinition") as caught:
        b2mml.read_performance(b"<SyncMaterialDefinition xmlns='http://www.wbf.org/xml/B2MML-V0401'/>")

    assert caught.value.code == "document_unknown"


def test_a_row_is_an_object_of_texts() -> None:
    assert rows.read(b'{"item_no": "A", "qty": "1,5"}') == {"item_no": "A", "qty": "1,5"}


@pytest.mark.parametrize("body", [b"[]", b'"a"', b'{"qty": 1}', b'{"qty": null}', b'{"qty": {}}'])
def test_a_row_of_anything_but_texts_is_refused(body: bytes) -> None:
    with pytest.raises(MappingError, match="row_invalid"):
        rows.read(body)


BODIES = st.binary(max_size=200) | st.text(alphabet='{}[]":,<>/!&;ab1.e-\\ \n', max_size=200).map(str.encode)


@pytest.mark.parametrize("read", [json_body.read, xml_body.read, rows.read, b2mml.read_performance])
@given(body=BODIES)
def test_any_bytes_are_read_or_refused_by_a_mapping_error(read: Callable[[bytes], object], body: bytes) -> None:
    try:
        read(body)
    except MappingError as error:
        refusal = error.reason
    else:
        refusal = "none"

    assert refusal
