"""What Lineside calls a deviation in a B2MML document is one by the schemas that MESA International publishes."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from mappings.context import Deviations, MappingError
from mappings.registry import INBOUND
from tests.interop.b2mml_schemas import faults_of
from tests.interop.samples import sample

GOLDEN = Path(__file__).parent.parent / "golden" / "mes_b2mml"
INPUTS = sorted(GOLDEN.glob("*/*/input.xml"))
# One for each version and noun: together they hold every type of the schema that is looked into.
MUTATED = [path for path in INPUTS if "v0401_without" not in str(path) and "OperationsEvent" not in str(path)]


def refusal(kind: str, body: bytes) -> str | None:
    """Why a source that is read strictly is refused this body as a document; None where it is taken."""
    try:
        INBOUND["mes_b2mml", kind].read(body, Deviations(strict=True))
    except MappingError as error:
        return f"{error.code}: {error.reason}"
    return None


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: path.parent.name)
def test_a_document_is_taken_strictly_where_its_schema_takes_it(path: Path) -> None:
    body = path.read_bytes()

    assert (refusal(path.parent.parent.name, body) is None) == (faults_of(body) == [])


@pytest.mark.parametrize(
    ("name", "kind", "code"),
    [
        ("PRO-20121210181416-27942.xml", "b2mml.ProductionSchedule", None),
        ("MAT-20121210170256-CRBN0001.xml", "b2mml.MaterialDefinition", None),
        ("PES-20121229115825-53107.xml", "b2mml.ProductionPerformance", "b2mml_release"),
    ],
)
def test_a_published_example_is_noted_for_what_breaks_its_schema_and_for_nothing_else(
    name: str, kind: str, code: str | None
) -> None:
    body = sample(f"b2mml/v0401/examples/{name}").read_bytes()
    deviations = Deviations()

    INBOUND["mes_b2mml", kind].read(body, deviations)

    assert [one.code for one in deviations.noted] == ([code] if code else [])
    assert len(faults_of(body)) == len(deviations.noted)


def mutations(root: etree._Element) -> Iterator[etree._Element]:
    """The document with one element dropped, sent twice, behind its neighbour, or misspelt."""
    for number in range(1, len(list(root.iter()))):
        for mutate in (drop, repeat, swap, misspell):
            changed = copy.deepcopy(root)
            mutate(list(changed.iter())[number])
            yield changed


def drop(element: etree._Element) -> None:
    parent = element.getparent()
    assert parent is not None
    parent.remove(element)


def repeat(element: etree._Element) -> None:
    element.addnext(copy.deepcopy(element))


def swap(element: etree._Element) -> None:
    if (behind := element.getnext()) is not None:
        behind.addnext(element)


def misspell(element: etree._Element) -> None:
    element.tag = f"{element.tag}x"


@pytest.mark.parametrize("path", MUTATED, ids=lambda path: path.parent.name)
def test_a_strict_source_takes_nothing_that_the_schema_refuses_and_refuses_nothing_that_it_takes(path: Path) -> None:
    kind = path.parent.parent.name
    root = etree.fromstring(path.read_bytes(), etree.XMLParser(remove_blank_text=True))
    differs = []

    for changed in mutations(root):
        refused, faults = refusal(kind, etree.tostring(changed)), faults_of(changed)
        if (refused is None) != (faults == []):
            differs.append((refused, faults, etree.tostring(changed)[-800:]))

    assert differs == []
