"""Amounts are converted exactly or not at all."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.context import ItemFacts, MappingError
from mappings.physical_units import _NAMES, ratio
from mappings.units import Quantity, convert, knows_unit, plain, to_base

WHEEL = ItemFacts("WHEEL-10", "Wheel", "EA", {"BOX": Decimal(10), "TRIPLE": Decimal(3), "BROKEN": Decimal(0)})


def test_an_amount_is_converted_by_the_items_own_units() -> None:
    assert to_base(Quantity(Decimal("2.5"), "BOX"), WHEEL) == Quantity(Decimal(25), "EA")
    assert convert(Quantity(Decimal(25), "EA"), "BOX", WHEEL) == Quantity(Decimal("2.5"), "BOX")


@pytest.mark.parametrize("unit", ["KG", "box", "", "BROKEN"])
def test_a_unit_that_the_item_lacks_is_refused_by_name(unit: str) -> None:
    with pytest.raises(MappingError, match="WHEEL-10") as caught:
        to_base(Quantity(Decimal(1), unit), WHEEL)

    assert caught.value.code == "unit_unknown"
    assert "BOX" in caught.value.reason


def test_an_unknown_unit_is_refused_even_where_nothing_is_to_convert() -> None:
    with pytest.raises(MappingError, match="unit_unknown"):
        convert(Quantity(Decimal(1), "KG"), "KG", WHEEL)
    assert not knows_unit(WHEEL, "KG")


def test_an_amount_without_a_finite_result_is_refused_rather_than_rounded() -> None:
    with pytest.raises(MappingError, match="quantity_inexact"):
        convert(Quantity(Decimal(1), "EA"), "TRIPLE", WHEEL)


@given(
    value=st.decimals(0, 10**18, places=9),
    factor=st.decimals("0.000000001", 10**9, places=9),
)
def test_base_and_back_is_the_same_amount(value: Decimal, factor: Decimal) -> None:
    item = ItemFacts("A", "a", "EA", {"BOX": factor})

    base = to_base(Quantity(value, "BOX"), item)

    assert convert(base, "BOX", item).value == value


@given(st.decimals(-(10**18), 10**18, places=9))
def test_plain_text_has_the_same_value_and_one_spelling(value: Decimal) -> None:
    assert Decimal(plain(value)) == value
    assert plain(Decimal(plain(value))) == plain(value)
    assert "E" not in plain(value)


PAINT = ItemFacts("PAINT-1", "Paint", "KG", {"CAN": Decimal("2.5")})


@pytest.mark.parametrize(
    ("value", "uom", "kilograms"),
    [
        ("1500", "G", "1.5"),
        ("0.25", "T", "250"),
        ("1", "LB", "0.45359237"),
        ("250", "GRM", "0.25"),
        ("16", "OZ", "0.45359237"),
        ("2", "CAN", "5"),
    ],
)
def test_a_physical_unit_that_the_item_does_not_list_is_converted_exactly(value: str, uom: str, kilograms: str) -> None:
    assert to_base(Quantity(Decimal(value), uom), PAINT) == Quantity(Decimal(kilograms), "KG")


def test_physical_units_are_converted_through_the_items_own() -> None:
    assert convert(Quantity(Decimal(5000), "G"), "CAN", PAINT) == Quantity(Decimal(2), "CAN")


@pytest.mark.parametrize("uom", ["L", "M", "EA", "kg"])
def test_what_is_measured_in_another_dimension_is_refused(uom: str) -> None:
    assert not knows_unit(PAINT, uom)
    with pytest.raises(MappingError, match="unit_unknown"):
        to_base(Quantity(Decimal(1), uom), PAINT)


def test_a_physical_amount_without_a_finite_result_is_refused_rather_than_rounded() -> None:
    steel = ItemFacts("STEEL", "Steel", "LB", {})

    with pytest.raises(MappingError, match="quantity_inexact"):
        to_base(Quantity(Decimal(1), "KG"), steel)


def test_an_items_own_factor_goes_before_physics() -> None:
    """A house may sell a "pound" of 500 grams."""
    sold = ItemFacts("COFFEE", "Coffee", "G", {"LB": Decimal(500)})

    assert to_base(Quantity(Decimal(1), "LB"), sold) == Quantity(Decimal(500), "G")


@pytest.mark.parametrize("uom", sorted(_NAMES))
def test_every_physical_unit_has_an_exact_factor(uom: str) -> None:
    """Factors are defined with few digits; one that fills the precision was rounded somewhere."""
    found = ratio(uom, uom)

    assert found is not None
    assert len(found[0].as_tuple().digits) <= 12
