"""B2MML documents are known by their noun, refused by their verb, and noted where they depart from their schema."""

from __future__ import annotations

from decimal import Decimal

import pytest

from mappings.context import Deviations, MappingError
from mappings.formats import b2mml
from mappings.formats.b2mml.elements import MAX_DEPTH, MAX_ELEMENTS, plain_decimal

V0600 = 'xmlns="http://www.mesa.org/xml/B2MML-V0600"'
AREA = "<ApplicationArea><CreationDateTime>2026-02-01T06:00:00Z</CreationDateTime></ApplicationArea>"
RESPONSE = "<ProductionResponse><ID>1</ID></ProductionResponse>"


def bod(
    verb: str, inner: str = RESPONSE, action: str = "", release: str = 'releaseID=""', namespace: str = V0600
) -> bytes:
    criteria = f'<ActionCriteria><ActionExpression actionCode="{action}"/></ActionCriteria>' if action else ""
    noun = f"<ProductionPerformance>{inner}</ProductionPerformance>"
    data = f"<DataArea><{verb}>{criteria}</{verb}>{noun}</DataArea>"
    name = f"{verb}ProductionPerformance"
    return f"<{name} {namespace} {release}>{AREA}{data}</{name}>".encode()


def noted(body: bytes) -> list[tuple[str, str | None]]:
    deviations = Deviations()
    b2mml.read_performance(body, deviations)
    return [(one.code, one.place) for one in deviations.noted]


def refusal(body: bytes) -> tuple[str, str | None]:
    with pytest.raises(MappingError) as caught:
        b2mml.read_performance(body, Deviations())
    return caught.value.code, caught.value.field


@pytest.mark.parametrize("verb", ["Sync", "Process", "Show"])
def test_a_verb_that_tells_something_is_read(verb: str) -> None:
    assert b2mml.read_performance(bod(verb))["created"] == "2026-02-01T06:00:00Z"
    assert noted(bod(verb)) == []


@pytest.mark.parametrize("verb", ["Get", "Change", "Cancel", "Delete", "Acknowledge", "Respond", "Confirm"])
def test_a_verb_that_tells_nothing_that_can_be_posted_is_refused_with_its_line(verb: str) -> None:
    assert refusal(bod(verb)) == ("verb_unsupported", "line 1")


def test_a_verb_that_hides_behind_another_is_refused() -> None:
    body = bod("Sync").replace(b"<Sync></Sync>", b"<Cancel/>")

    assert refusal(body) == ("verb_unsupported", "line 1")


@pytest.mark.parametrize("action", ["Delete", "Change", "delete", "Modified", "Whatever"])
def test_an_action_that_does_not_set_the_whole_is_refused(action: str) -> None:
    assert refusal(bod("Sync", action=action)) == ("action_unsupported", "line 1")


@pytest.mark.parametrize("action", ["Add", "Replaced", "Replace", ""])
def test_an_action_that_sets_the_whole_is_read(action: str) -> None:
    assert len(b2mml.read_performance(bod("Sync", action=action))["responses"]) == 1


def test_a_document_in_somebody_elses_envelope_is_read_and_noted() -> None:
    body = b'<s:Envelope xmlns:s="urn:soap"><s:Body>' + bod("Sync") + b"</s:Body></s:Envelope>"

    assert noted(body) == [("b2mml_wrapped", "line 1")]


def test_two_documents_in_one_body_are_refused() -> None:
    body = b"<two>" + bod("Sync") + b"\n" + bod("Sync") + b"</two>"

    assert refusal(body) == ("document_ambiguous", "line 2")


def test_what_is_a_part_of_another_document_is_not_taken_out_of_it() -> None:
    lot = "<InformationObject><MaterialLot xmlns=''><ID>1</ID></MaterialLot></InformationObject>"
    body = f'<OperationsEvent xmlns="http://www.mesa.org/xml/B2MML">{lot}</OperationsEvent>'.encode()

    with pytest.raises(MappingError, match="the document is a OperationsEvent"):
        b2mml.read_material(body)


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        (bod("Sync", release=""), ["b2mml_release"]),
        (bod("Sync", namespace='xmlns="http://www.wbf.org/xml/B2MML-V0500"'), ["b2mml_version"]),
        (bod("Sync", namespace=""), ["b2mml_version"]),
        (bod("Sync").replace(AREA.encode(), b""), ["b2mml_bod"]),
        (bod("Sync").replace(b"<Sync></Sync>", b""), ["b2mml_bod"]),
        (bod("Sync", RESPONSE.replace("ID>", "Id>")), ["b2mml_element_unknown"]),
        (bod("Sync", f"{RESPONSE}<ID>2</ID>"), ["b2mml_element_order"]),
        (bod("Sync", f"<ID>1</ID><ID>2</ID>{RESPONSE}"), ["b2mml_element_repeated"]),
        (bod("Sync", RESPONSE.replace("<ID>", "<ID xmlns=''>")), ["b2mml_namespace_mixed"]),
        (bod("Sync", f"<StartTime>01.02.2026</StartTime>{RESPONSE}"), ["b2mml_time_format"]),
        (bod("Sync", f"{RESPONSE}<PerformanceState>Fertig</PerformanceState>"), ["b2mml_word_unknown"]),
        (bod("Sync", f"see below{RESPONSE}"), ["b2mml_text"]),
    ],
)
def test_a_departure_from_the_schema_is_noted(body: bytes, codes: list[str]) -> None:
    assert [code for code, _ in noted(body)] == codes


def test_a_departure_is_told_with_line_and_path() -> None:
    inner = "<ProductionResponse><ID>1</ID></ProductionResponse>\n<ProductionResponse>\n<Id>2</Id></ProductionResponse>"

    assert noted(bod("Sync", inner)) == [
        ("b2mml_element_unknown", "line 3, ProductionPerformance/ProductionResponse[2]/Id")
    ]


def test_a_part_of_somebodys_extension_is_passed_over() -> None:
    extension = '<x:ID xmlns:x="http://www.mesa.org/xml/B2MML-V0600-AllExtensions">X</x:ID>'
    body = bod("Sync", f"<ProductionResponse>{extension}</ProductionResponse>")

    assert noted(body) == []
    assert "id" not in b2mml.read_performance(body)["responses"][0]


def test_a_noun_that_its_version_does_not_have_is_noted() -> None:
    body = b'<OperationsPerformance xmlns="http://www.wbf.org/xml/B2MML-V0401"><OperationsResponse/></OperationsPerformance>'

    assert noted(body) == [("b2mml_noun", "line 1")]


def test_segments_beyond_the_depth_are_refused_with_their_place() -> None:
    inner = "<SegmentResponse>" * (MAX_DEPTH + 1) + "</SegmentResponse>" * (MAX_DEPTH + 1)
    code, place = refusal(bod("Sync", f"<ProductionResponse>{inner}</ProductionResponse>"))

    assert code == "document_too_deep"
    assert place is not None
    assert place.startswith("line 1, ...")
    assert len(place) < 300


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_document_of_too_many_elements_is_refused_before_it_is_parsed(encoding: str) -> None:
    body = ("<a>" + "<b></b>" * MAX_ELEMENTS + "</a>").encode(encoding)

    assert refusal(body) == ("document_too_large", None)


@pytest.mark.parametrize(
    ("text", "plain"),
    [("+5", "5"), (".5", "0.5"), ("5.", "5"), ("-.25", "-0.25"), ("1.000", "1.000"), ("1,5", "1,5"), ("+-5", "+-5")],
)
def test_every_decimal_of_xml_schema_is_a_number_and_nothing_else_becomes_one(text: str, plain: str) -> None:
    assert plain_decimal(text) == plain
    assert plain == text or Decimal(text) == Decimal(plain)
