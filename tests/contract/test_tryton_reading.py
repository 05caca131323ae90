"""What Lineside reads from a real Tryton, and what the demonstration's table counts there."""

from __future__ import annotations

import pytest

from app.demo import catalogue
from app.demo.erp import erp_counts
from app.errors import Refused
from tests.tryton_server import TrytonServer, completion, movement, scrap, tryton_server

__all__ = ["tryton_server"]

pytestmark = [pytest.mark.services, pytest.mark.enable_socket, pytest.mark.timeout(300)]


def test_every_item_of_the_catalogue_is_read_with_its_units(tryton_server: TrytonServer) -> None:
    read = {item["code"]: item for item in tryton_server.adapter().read("items")}

    for item in catalogue.ITEMS:
        units = {symbol: str(factor) for symbol, factor in item.units.items()}
        if item.base_uom == "KG":
            units["G"] = "0.001"
        expected = {"code": item.code, "description": item.description, "base_uom": item.base_uom, "units": units}
        assert read[item.code] == expected


def test_balances_are_those_of_tryton_s_own_moves(tryton_server: TrytonServer) -> None:
    tryton_server.adapter().post(completion(lot="B-READ"))

    read = list(tryton_server.adapter().read("balances"))

    held = {(b["storage"], b["item"], b["lot"]): b["quantity"]["value"] for b in read}
    assert held == {key: format(total.normalize(), "f") for key, total in tryton_server.stock().items()}
    assert {b["plant"] for b in read} == set(catalogue.PLANTS)
    assert ("P100-ST", "BIKE-100", "B-READ") in held


def test_a_domain_that_tryton_is_not_read_for_is_refused(tryton_server: TrytonServer) -> None:
    with pytest.raises(Refused):
        tryton_server.adapter().read("weather")


def test_the_documents_that_tryton_holds_are_counted_per_plant(tryton_server: TrytonServer) -> None:
    before = erp_counts(tryton_server.url, tryton_server.key)

    for request in (completion(), scrap(), movement(to={"site": "P200"})):
        tryton_server.adapter().post(request)

    after = erp_counts(tryton_server.url, tryton_server.key)
    assert {plant: after[plant] - before[plant] for plant in after} == {"P100": 3, "P200": 0, "P300": 0}
