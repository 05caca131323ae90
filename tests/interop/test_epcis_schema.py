"""Every EPCIS document that Lineside writes is valid by GS1's own JSON schema, which is read where it lies.

The schema refers to nothing outside itself, so nothing is fetched.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, FormatChecker

from mappings.formats.cbv import DISPOSITIONS, ERRORS, SOURCES, STEPS, TRANSACTIONS, Vocabulary
from mappings.registry import OUTBOUND
from tests.contract.test_mappings import cases
from tests.interop.samples import sample, samples

WRITTEN = [path for family, kind in OUTBOUND if family == "epcis" for path in cases(family, kind)]


@cache
def validator() -> Draft7Validator:
    schema = json.loads(sample("epcis/schema/EPCIS-JSON-Schema.json").read_text("utf-8"))
    return Draft7Validator(schema, format_checker=FormatChecker())


def faults(document: Any) -> list[str]:
    return [f"{error.json_path}: {error.message[:200]}" for error in validator().iter_errors(document)]


@pytest.mark.parametrize("part", ["capture", "error_declaration"])
@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: f"{path.parts[-3]}-{path.parent.name}")
def test_a_written_document_is_valid(path: Path, part: str) -> None:
    document = json.loads((path.parent / "expected.json").read_text("utf-8"))

    assert document is None or faults(document[part]) == []


def test_the_schema_tells_a_valid_document_from_one_that_is_not() -> None:
    valid = [json.loads(path.read_text("utf-8")) for path in samples("epcis/openepcis/Documents", "*.json")]
    invalid = json.loads(sample("epcis/openepcis/Invalid/ObjectEvent_with_invalid_action.json").read_text("utf-8"))

    assert [faults(document) for document in valid] == [[]] * len(valid)
    assert faults(invalid)


@pytest.mark.parametrize(
    ("vocabulary", "name"),
    [
        (STEPS, "bizStep"),
        (DISPOSITIONS, "disposition"),
        (TRANSACTIONS, "bizTransaction-type"),
        (SOURCES, "source-dest-type"),
        (ERRORS, "error-reason"),
    ],
)
def test_the_words_that_are_known_are_those_of_the_schema(vocabulary: Vocabulary, name: str) -> None:
    schema = json.loads(sample("epcis/schema/EPCIS-JSON-Schema.json").read_text("utf-8"))

    (words,) = (kind["enum"] for kind in schema["definitions"][name]["anyOf"] if "enum" in kind)

    assert vocabulary.words == set(words)
