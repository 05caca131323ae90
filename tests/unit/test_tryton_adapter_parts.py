"""The parts of the Tryton adapter that need no Tryton: exact numbers, consumption, look-ups that are kept."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters import tryton_documents as documents
from app.adapters import tryton_records as records
from app.adapters.registry import option_faults
from app.adapters.tryton_records import Bill, Component, Item, Kept, Unit, exact_number
from app.errors import Refused

EACH, BOX, KILO = Unit(1, "EA", Decimal(1), 0), Unit(2, "BOX", Decimal(10), 0), Unit(3, "KG", Decimal(1), 3)
FRAME = Item(7, "FRAME-200", {"EA": EACH, "BOX": BOX}, 1)


@given(st.decimals(min_value=0, max_value=10**9, places=3))
def test_a_number_on_the_wire_is_exactly_the_quantity(quantity: Decimal) -> None:
    number = exact_number(quantity, KILO, "PAINT-1")

    assert Decimal(repr(number)) == quantity


@pytest.mark.parametrize("quantity", ["0.0001", "123456789012345678.123", "NaN", "1E+400"])
def test_a_quantity_that_would_change_on_the_wire_is_refused(quantity: str) -> None:
    with pytest.raises(Refused) as caught:
        exact_number(Decimal(quantity), KILO, "PAINT-1")

    assert caught.value.code == "quantity_precision"
    assert caught.value.field == "quantity"


def needed(quantity: object, unit: Unit, per_batch: str, batch: object, of: Unit = KILO) -> Decimal:
    component = Component(9, Decimal(per_batch), of)
    bill = Bill(1, (component,), (Component(FRAME.id, Decimal(str(batch)), EACH),))
    return documents._needed(component, bill, FRAME, Decimal(str(quantity)), unit)


def test_consumption_follows_the_quantity_the_unit_and_the_batch() -> None:
    assert needed(10, EACH, "0.35", 1) == Decimal("3.5")
    assert needed(2, BOX, "0.35", 1) == 7
    assert needed(10, EACH, "1.4", 4) == Decimal("3.5")


def test_consumption_is_rounded_up_to_the_component_s_unit_as_tryton_does() -> None:
    assert needed(1, EACH, "1", 3) == Decimal("0.334")
    assert needed(1, EACH, "1", 3, of=EACH) == 1


@given(st.integers(1, 10**6), st.integers(1, 997))
def test_a_whole_number_of_batches_needs_no_rounding(batches: int, batch: int) -> None:
    assert needed(batches * batch, EACH, "0.35", batch) == Decimal("0.35") * batches


def test_a_bill_that_does_not_yield_the_item_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        needed(1, EACH, "1", 0)

    assert caught.value.code == "bom_invalid"


def test_a_look_up_is_asked_for_again_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now, asked = [0.0], []
    monkeypatch.setattr(records.time, "monotonic", lambda: now[0])
    kept = Kept(lambda key: asked.append(key) or len(asked))

    first, second = kept("A"), kept("A")
    now[0] = records.KEEP_SECONDS
    third = kept("A")

    assert (first, second, third) == (1, 1, 2)


def test_what_is_kept_is_bounded_and_the_oldest_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "KEEP_ENTRIES", 2)
    asked: list[str] = []
    kept = Kept(lambda key: asked.append(key))

    for key in ("A", "B", "C", "B", "C", "A"):
        kept(key)

    assert asked == ["A", "B", "C", "A"]


def test_a_look_up_that_failed_is_not_kept() -> None:
    answers: list[Any] = [Refused("item_unknown", "not yet"), 5]

    def fetch(_: str) -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Refused):
            raise answer
        return answer

    kept = Kept(fetch)
    with pytest.raises(Refused):
        kept("A")

    assert kept("A") == 5


def test_a_document_of_another_family_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        documents.model_of({"form": "invoice"})

    assert caught.value.code == "form_unknown"


def test_an_unknown_option_is_named_before_anything_is_posted() -> None:
    faults = option_faults("tryton", {"compani": 1})

    assert [fault.dotted for fault in faults] == ["compani"]
    assert "company" in faults[0].mend


def test_a_company_that_is_no_id_is_named() -> None:
    assert [fault.dotted for fault in option_faults("tryton", {"company": "Lineside"})] == ["company"]
