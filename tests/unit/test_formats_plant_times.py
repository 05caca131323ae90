"""Local times of plants become the same instants each time, at the turn of the clocks too."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.context import MappingError, PlantFacts
from mappings.inbound.plant_time import from_iso, from_pattern

BERLIN = PlantFacts("P100", "Assembly", "Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-01-15T12:00:00", "2026-01-15T11:00:00Z"),
        ("2026-07-15T12:00:00", "2026-07-15T10:00:00Z"),
        ("2026-07-15 12:00:00.5", "2026-07-15T10:00:00.500000Z"),
        ("2026-07-15T12:00:00Z", "2026-07-15T12:00:00Z"),
        ("2026-07-15T12:00:00-05:00", "2026-07-15T17:00:00Z"),
        # Clocks go back at 03:00 summer time: of the two hours from 02:00 the earlier is taken.
        ("2026-10-25T02:30:00", "2026-10-25T00:30:00Z"),
        ("2026-10-25T03:00:00", "2026-10-25T02:00:00Z"),
        # Clocks go forward at 02:00: the hour that is left out is read with the offset from before.
        ("2026-03-29T02:30:00", "2026-03-29T01:30:00Z"),
        ("2026-03-29T03:30:00", "2026-03-29T01:30:00Z"),
    ],
)
def test_a_local_time_is_in_the_plants_zone(text: str, instant: str) -> None:
    assert from_iso(text, BERLIN, "ts") == instant


@pytest.mark.parametrize(
    "text", ["", "2026-07-15", "15.07.2026 12:00:00", "2026-02-30T00:00:00", "0001-01-01T00:00:00", "00:00.0", "NULL"]
)
def test_what_is_no_time_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(MappingError) as caught:
        from_iso(text, BERLIN, "ts")

    assert (caught.value.code, caught.value.field) == ("time_invalid", "ts")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026013114050",
        "20260231140500",
        "20260131241500",
        " 2026013114050",
        "+2026013114050",
        "2026013114050x",
        "99991231235959999",
        "\uff120260131140500",
    ],
)
def test_digits_that_are_no_time_are_refused(text: str) -> None:
    with pytest.raises(MappingError, match="time_invalid"):
        from_pattern(text, "%Y%m%d%H%M%S", "20260131140500", BERLIN, "posted_at")


def test_a_plant_in_an_unknown_zone_is_told_by_its_name() -> None:
    with pytest.raises(MappingError, match="zone_unknown"):
        from_iso("2026-07-15T12:00:00", PlantFacts("P9", "Nowhere", "Mars/Olympus"), "ts")


@given(
    st.datetimes(datetime(1970, 1, 2), datetime(2068, 12, 31)),
    st.sampled_from(["%d.%m.%Y %H%M%S", "%Y%m%d%H%M%S", "%Y%m%d", "%y%m%d%H%M", "%y%m%d"]),
)
def test_a_time_of_digits_is_read_as_strptime_reads_it(moment: datetime, pattern: str) -> None:
    text = moment.strftime(pattern)

    read = datetime.fromisoformat(from_pattern(text, pattern, text, PlantFacts("P", "P", "UTC"), "at"))

    assert read == datetime.strptime(text, pattern).replace(tzinfo=UTC)
