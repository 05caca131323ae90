"""EDIFACT and X12 are read whatever characters part them, as dropped files too."""

from __future__ import annotations

import io

import pytest

from mappings.context import Deviations, MappingError
from mappings.formats import edifact, x12
from mappings.formats.documents import Document

PLAIN_X12 = (
    "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *260203*0915*U*00401*000000001*0*P*>~"
    "GS*PO*S*R*20260203*0915*1*X*004010~ST*850*0001~BEG*00*SA*4500017**20260203~PO1*1*4*EA***VP*A~CTT*1~SE*5*0001~"
    "GE*1*1~IEA*1*000000001~"
)
PLAIN_EDIFACT = (
    "UNB+UNOB:1+4000001000005:14+4000002000004:14+260203:0915+1'UNH+1+ORDERS:D:96A:UN:EAN008'BGM+220+4500017+9'"
    "DTM+137:202602030915:203'LIN+1++4000001111115:EN'QTY+21:4:PCE'UNS+S'UNT+7+1'UNZ+1+1'"
)


def x12_by(element: str, component: str, terminator: str) -> bytes:
    return PLAIN_X12.translate(str.maketrans({"*": element, ">": component, "~": terminator})).encode()


def edifact_by(element: str, component: str, terminator: str) -> bytes:
    return PLAIN_EDIFACT.translate(str.maketrans({"+": element, ":": component, "'": terminator})).encode()


@pytest.mark.parametrize(
    "by",
    [("\x1d", "\x1f", "\x1c"), ("\x1d", "\x1f", "\x1e"), ("\x1f", "\x1e", "\n"), ("|", ":", "'"), ("^", "<", "\x15")],
    ids=ascii,
)
def test_x12_is_read_whatever_parts_it(by: tuple[str, str, str]) -> None:
    noted = Deviations()

    found = x12.read(x12_by(*by), noted)

    assert _elements(found) == _elements(x12.read(PLAIN_X12.encode()))
    assert noted.told() is None
    (document,) = x12.open_messages(io.BytesIO(x12_by(*by)), {})
    assert isinstance(document, Document)
    assert _elements(x12.read(document.body)) == _elements(found)


@pytest.mark.parametrize("advised", ["", "UNA\x1f\x1d,  \x1c", "UNA\x1f\x1d.?\x20\x1c"], ids=ascii)
def test_edifact_of_level_b_is_read_with_and_without_una(advised: str) -> None:
    body = advised.encode() + edifact_by("\x1d", "\x1f", "\x1c")

    found = edifact.read(body)

    assert _elements(found) == _elements(edifact.read(PLAIN_EDIFACT.encode()))
    (document,) = edifact.open_messages(io.BytesIO(body), {})
    assert isinstance(document, Document)
    assert _elements(edifact.read(document.body)) == _elements(found)


def test_a_control_character_that_parts_nothing_is_still_refused() -> None:
    with pytest.raises(MappingError, match="control character 0x1e"):
        x12.read(x12_by("\x1d", "\x1f", "\x1c").replace(b"4500017", b"45\x1e0017"))


def _elements(found: dict[str, list[dict[str, list[dict[str, object]]]]]) -> list[object]:
    return [(segment["tag"], segment["elements"]) for message in found["messages"] for segment in message["segments"]]
