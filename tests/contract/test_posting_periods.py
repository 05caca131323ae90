"""How a closed posting period is told from a refusal: by the topology for a REST system, by asking Tryton itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from app.adapters.base import PostingRequest, TargetSettings
from app.adapters.http_json import HttpJsonAdapter
from app.adapters.registry import ADAPTERS, period_faults
from app.demo.doubles import PracticeDouble
from app.errors import PeriodClosed, Refused
from config.topology import ClosedWhen, Periods
from config.topology_file import load_topology
from tests.contract.test_adapters import request

pytestmark = pytest.mark.enable_socket

PERIODS = Periods("hold", closed_when=ClosedWhen("code", ("PERIOD_CLOSED",)))


@pytest.fixture
def double(tmp_path: Path) -> Iterator[PracticeDouble]:
    double = PracticeDouble("wms", tmp_path, "a-key").start()
    yield double
    double.stop()


def adapter(double: PracticeDouble, periods: Periods | None = PERIODS) -> HttpJsonAdapter:
    options = load_topology(None).targets["wms"].options
    return HttpJsonAdapter(TargetSettings("wms", double.url, 2.0, options, "a-key", periods=periods))


def dated(day: str, **changes: Any) -> PostingRequest:
    return request(document={"order_id": "1000123", "posting_date": day}, **changes)


def test_a_closed_period_is_told_with_its_day(double: PracticeDouble) -> None:
    double.close_periods("2026-02-28")

    with pytest.raises(PeriodClosed) as closed:
        adapter(double).post(dated("2026-02-28"))

    assert closed.value.for_what == "period:wms:2026-02-28"
    assert "closed to 2026-02-28" in closed.value.reason
    assert closed.value.open_on is None
    assert double.books.counts()["documents"] == {}


def test_the_first_open_day_is_read_where_the_topology_says_that_it_stands(double: PracticeDouble) -> None:
    double.close_periods("2026-02-28")

    with pytest.raises(PeriodClosed) as closed:
        adapter(double, replace(PERIODS, open_from="open_from")).post(dated("2026-01-15"))

    assert closed.value.open_on == date(2026, 3, 1)


def test_an_open_day_is_posted_and_stays_so_when_its_period_is_closed(double: PracticeDouble) -> None:
    posting = dated("2026-02-28")
    first = adapter(double).post(posting)
    double.close_periods("2026-02-28")

    assert adapter(double).post(posting).reference == first.reference


@pytest.mark.parametrize(
    "periods", [None, replace(PERIODS, closed_when=ClosedWhen("code", ("OTHER",))), Periods("hold")], ids=str
)
def test_what_the_topology_does_not_name_is_a_refusal(double: PracticeDouble, periods: Periods | None) -> None:
    double.close_periods("2026-02-28")

    with pytest.raises(Refused):
        adapter(double, periods).post(dated("2026-02-28"))


@pytest.mark.parametrize("name", ADAPTERS)
def test_each_adapter_says_what_the_topology_has_to_tell_it(name: str) -> None:
    bare = {"policy": "hold"}
    told = {**bare, "closed_when": {"path": "code", "values": ["X"]}}

    faults = {"bare": period_faults(name, bare), "told": period_faults(name, told)}

    expected = {
        "http_json": {"bare": ["closed_when"], "told": []},
        "tryton": {"bare": [], "told": ["closed_when"]},
        "file": {"bare": [""], "told": [""]},
    }[name]
    assert {case: [fault.dotted for fault in found] for case, found in faults.items()} == expected
