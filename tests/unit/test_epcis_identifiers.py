"""GS1 identifiers and CBV words are read in every form in which EPCIS carries them, and refused if broken."""

from __future__ import annotations

import pytest

from mappings.context import Deviations, MappingError
from mappings.formats.cbv import DISPOSITIONS, STEPS
from mappings.formats.gs1_identifiers import (
    Gln,
    Identifier,
    IdentifierFault,
    LogisticUnit,
    TradeItem,
    gtin_of,
    identifier_of,
    trade_item_link,
)

# The pairs of EPC and GS1 key are those of the EPC Tag Data Standard's own examples.
KNOWN: list[tuple[str, Identifier]] = [
    ("urn:epc:id:sgtin:0614141.112345.400", TradeItem("10614141123459", serial="400")),
    ("urn:epc:id:sgtin:0614141.112345.32a%2Fb", TradeItem("10614141123459", serial="32a/b")),
    ("urn:epc:class:lgtin:4012345.012345.998877", TradeItem("04012345123456", lot="998877")),
    ("urn:epc:idpat:sgtin:0614141.112345.*", TradeItem("10614141123459")),
    ("urn:epc:id:sscc:0614141.1234567890", LogisticUnit("106141412345678908")),
    ("urn:epc:id:sgln:0614141.12345.400", Gln("0614141123452", "400")),
    ("urn:epc:id:sgln:0614141.12345.0", Gln("0614141123452")),
    ("urn:epc:id:pgln:0614141.12345", Gln("0614141123452")),
    ("https://id.gs1.org/01/09521234543213", TradeItem("09521234543213")),
    ("https://id.gs1.org/01/09521234543213/22/2A/10/AB%2F1/21/12", TradeItem("09521234543213", "AB/1", "12")),
    ("https://example.com/some/01/09521234543213/21/12?17=261231", TradeItem("09521234543213", serial="12")),
    ("HTTPS://ID.GS1.ORG/01/09521234543213/", TradeItem("09521234543213")),
    ("https://id.gs1.org/00/106141412345678908", LogisticUnit("106141412345678908")),
    ("https://id.gs1.org/414/0614141123452/254/D4", Gln("0614141123452", "D4")),
]
ODD = [
    ("https://id.gs1.org/01/9521234543213", "not filled up to 14 digits"),
    ("https://id.gs1.org/01/09521234543214", "the wrong check digit; 3 would be right"),
    ("https://id.gs1.org/gtin/09521234543213/lot/A", "words of Digital Link 1.0"),
    ("urn:epc:tag:sgtin-96:3.0614141.112345.400", "a tag's URI"),
]
BROKEN = [
    ("urn:epc:id:sgtin:0614141.12345.400", "has 12 digits where the GTIN has 13"),
    ("urn:epc:id:sgtin:0614141.112345", "ends before its last part"),
    ("urn:epc:id:sgtin:acme.112345.1", "no EPC of its scheme"),
    ("urn:epc:idpat:sgtin:0614141.112345.[1-9]", "a pattern for something else"),
    ("urn:epc:id:sscc:0614141.123456789", "has 16 digits where the SSCC has 17"),
    ("https://id.gs1.org/00/106141412345678909", "wrong check digit; 8 would be right"),
    ("https://id.gs1.org/01/0952123454/21/1", "has 10 digits where 14 belong"),
    ("https://id.gs1.org/01/09521234543213/21", "ends with '21', which has no value"),
    ("https://id.gs1.org/01/09521234543213/99/x", "'99' behind its key"),
    ("https://id.gs1.org/01/09521234543213/10/A/10/B", "more than one lot"),
    ("http://[1", "is no web address"),
]


@pytest.mark.parametrize(("uri", "identifier"), KNOWN)
def test_an_identifier_is_the_same_in_every_form(uri: str, identifier: Identifier) -> None:
    assert identifier_of(uri) == identifier


@pytest.mark.parametrize(("uri", "told"), ODD)
def test_an_identifier_that_is_written_oddly_says_so(uri: str, told: str) -> None:
    identifier = identifier_of(uri)

    assert identifier is not None
    assert told in (identifier.odd or "")


@pytest.mark.parametrize(("uri", "told"), BROKEN)
def test_an_identifier_that_is_broken_is_refused_with_what_is_wrong(uri: str, told: str) -> None:
    with pytest.raises(IdentifierFault, match=told.replace("[", r"\[")):
        identifier_of(uri)


@pytest.mark.parametrize(
    "uri", ["urn:epc:id:giai:0614141.12345400", "urn:acme:item:7", "https://example.com/class/7", "7", ""]
)
def test_what_is_of_no_known_kind_is_left_to_the_topology(uri: str) -> None:
    assert identifier_of(uri) is None


@pytest.mark.parametrize(
    ("text", "gtin"),
    [("4012345111118", "04012345111118"), ("96385074", "00000096385074"), ("4012345111117", None), ("BIKE-100", None)],
)
def test_a_gtin_is_known_by_its_length_and_check_digit(text: str, gtin: str | None) -> None:
    assert gtin_of(text) == gtin


def test_a_link_that_is_written_is_read_back() -> None:
    link = trade_item_link("09521234543213", "A/1", "x y%")

    assert identifier_of(link) == TradeItem("09521234543213", "A/1", "x y%")


@pytest.mark.parametrize(
    ("text", "notes"),
    [
        ("shipping", 0),
        ("https://ref.gs1.org/cbv/BizStep-shipping", 0),
        ("cbv:BizStep-shipping", 0),
        ("urn:epcglobal:cbv:bizstep:shipping", 1),
        ("https://ns.gs1.org/cbv/BizStep-shipping", 0),
        ("Shipping", 1),
    ],
)
def test_a_word_is_the_same_in_every_form(text: str, notes: int) -> None:
    deviations = Deviations()

    assert STEPS.read(text, deviations, "bizStep") == "shipping"
    assert deviations.count == notes


def test_a_word_of_ones_own_is_left_as_it_is_and_one_that_nobody_knows_is_noted() -> None:
    deviations = Deviations()

    own = DISPOSITIONS.read("https://example.com/disp/soaked", deviations, "disposition")
    unknown = DISPOSITIONS.read("soaked", deviations, "disposition")

    assert (own, unknown) == ("https://example.com/disp/soaked", "soaked")
    assert [note.code for note in deviations.noted] == ["word_unknown"]


def test_a_word_that_nobody_knows_is_refused_where_the_source_is_read_strictly() -> None:
    with pytest.raises(MappingError) as caught:
        DISPOSITIONS.read("soaked", Deviations(strict=True), "epcisBody.eventList[1].disposition")

    assert caught.value.field == "epcisBody.eventList[1].disposition"
