"""Bodies and files that are made to hurt: each is refused in little time and memory."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from mappings.context import MappingError
from mappings.formats import b2mml, delimited, json_body, xml_body
from mappings.formats.lines import MAX_LINE_BYTES, BadRow

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
ENTITY_BOMB = f'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY l0 "ha">{LAUGHS}]><l>&l9;</l>'
QUADRATIC_BOMB = f'<!DOCTYPE l [<!ENTITY a "{"x" * 50_000}">]><l>{"&a;" * 50_000}</l>'


@pytest.mark.parametrize("read", [xml_body.read, b2mml.read_performance])
@pytest.mark.parametrize(
    "body",
    [
        ENTITY_BOMB.encode(),
        ENTITY_BOMB.replace('"1.0"', '"1.0" encoding="utf-16"').encode("utf-16"),
        QUADRATIC_BOMB.encode(),
        b'<!DOCTYPE a [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x.dtd"> %p;]><a/>',
        b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd"><a/>',
        b"<!DOCTYPE a><a/>",
    ],
    ids=["entities", "entities in UTF-16", "quadratic", "parameter entity", "external subset", "bare"],
)
def test_a_document_type_is_refused_before_it_is_parsed(read: Callable[[bytes], object], body: bytes) -> None:
    with pytest.raises(MappingError) as caught:
        read(body)

    assert caught.value.code == "xml_forbidden"


def test_an_external_entity_reads_no_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret")
    body = f'<!DOCTYPE a [<!ENTITY e SYSTEM "{secret.as_uri()}">]><a>&e;</a>'

    with pytest.raises(MappingError, match="xml_forbidden") as caught:
        xml_body.read(body.encode())

    assert "the secret" not in str(caught.value)


def test_an_inclusion_is_left_as_it_is(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret")
    include = f'<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="{secret.as_uri()}" parse="text"/>'

    root = xml_body.read(f"<a>{include}</a>".encode())

    assert "".join(root.itertext()) == ""


def test_xml_that_nests_without_end_is_refused() -> None:
    with pytest.raises(MappingError, match="xml_invalid"):
        xml_body.read(b"<a>" * 100_000 + b"</a>" * 100_000)


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":['])
@pytest.mark.parametrize("depth", [80, 900, 100_000])
@pytest.mark.parametrize("closed", [True, False])
def test_json_that_nests_too_deeply_is_refused(opening: bytes, depth: int, closed: bool) -> None:
    closing = opening.translate(bytes.maketrans(b"[{", b"]}"), b'":a')[::-1]

    with pytest.raises(MappingError) as caught:
        json_body.read(opening * depth + b"1" + (closing * depth if closed else b""))

    assert caught.value.code in ("json_too_deep", "json_invalid")
    assert not closed or caught.value.code == "json_too_deep"


def test_json_of_64_levels_is_still_read() -> None:
    assert json_body.read(b"[" * 64 + b"]" * 64)


def peak_bytes(content: bytes) -> int:
    stream = io.BytesIO(content)
    tracemalloc.start()
    try:
        for _ in delimited.open_rows(stream, {"delimiter": ";", "columns": ["a", "b"]}):
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.slow
@pytest.mark.parametrize(
    "content",
    [b"a;b\n" + b"x" * 5_000_000, b"a;b\n" + b'"' + b"x;\n" * 100_000, b"a;b\n" + b'"\n' * 20_000, b"\n" * 200_000],
    ids=["one endless line", "a quote that never closes", "only open quotes", "only line ends"],
)
def test_a_file_made_to_fill_memory_does_not(content: bytes) -> None:
    if content.strip():
        assert peak_bytes(content) < 2_000_000
    else:
        with pytest.raises(MappingError, match="header_missing"):
            peak_bytes(content)


def test_an_endless_line_costs_one_row_and_not_the_file() -> None:
    content = b"a;b\n1;2\n" + b"x" * (MAX_LINE_BYTES * 5) + b"\r\n3;4\n"

    found = list(delimited.open_rows(io.BytesIO(content), {"delimiter": ";"}))

    assert [row.number for row in found] == [2, 3, 4]
    assert isinstance(found[1], BadRow)
    assert len(found[1].raw) <= 2_000
