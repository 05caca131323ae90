"""Options that no adapter or mapping reads, or that cannot be right, are faults with their place and their mend."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from app.adapters.known_names import known_names
from config.topology_file import PACKAGED, TopologyError, TopologyFault, load_topology
from mappings.context import OutboundContext, PlantFacts
from mappings.options import (
    INBOUND_CROSSWALKS,
    INBOUND_OPTIONS,
    MOVEMENT_TYPES,
    OUTBOUND_CROSSWALKS,
    OUTBOUND_OPTIONS,
    PLANT_OPTIONS,
    REASONS,
    STORAGES,
    UNITS,
    ByPlant,
    Keys,
    Shape,
    Table,
)
from mappings.outbound.wms.tasks import task
from mappings.registry import INBOUND, OUTBOUND

ROOT = Path(__file__).parents[2]
TEXT = PACKAGED.read_text(encoding="utf-8")
LOCATIONS = "locations: {P100: P100, P200: P200, P300: P300}"
B2MML = "mapping: mes_b2mml"
IDOC = "options: {}\n    mapping: sap_idoc"
EPCIS = "options: {}\n    mapping: epcis"
AW = "options: {}\n    mapping: adventureworks"


def faults(tmp_path: Path, text: str) -> list[TopologyFault]:
    assert text != TEXT, "the slip was not made"
    path = tmp_path / "topology.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TopologyError) as raised:
        load_topology(path, known_names())
    return raised.value.faults


@pytest.mark.parametrize(
    ("right", "wrong", "place", "mend"),
    [
        (LOCATIONS, "locations: {P10: X}", "targets.erp.mapping_options.locations.P10", "did you mean P100?"),
        (LOCATIONS, "locations: P100", "targets.erp.mapping_options.locations", "write {P100: ...}"),
        (LOCATIONS, "locations: {P100: 7}", "targets.erp.mapping_options.locations.P100", "put it in quotes"),
        (LOCATIONS, "location: {P100: A}", "targets.erp.mapping_options.location", "did you mean locations?"),
        (LOCATIONS, "storages: {P100: {stok: A}}", "targets.erp.mapping_options.storages.P100.stok", "stock?"),
        (LOCATIONS, "consume: boms", "targets.erp.mapping_options.consume", "did you mean bom?"),
        (LOCATIONS, "consume: {P100: non}", "targets.erp.mapping_options.consume.P100", "did you mean none?"),
        ("{storage: P100-ST,", "{storage: 5,", "plants.P100.options.storage", "put it in quotes"),
        ("ST, site: P100}", "ST, sit: P100}", "plants.P100.options.sit", "did you mean site?"),
        ("ST, site: P100}", 'ST, site: ""}', "plants.P100.options.site", "give a text, or remove the key"),
        ("mapping: mes_json", "options: {a: 1}\n    mapping: mes_json", "sources.mes-p100.options.a", "remove it"),
        (
            "mapping: mes_b2mml",
            "options: {ignored_uses: Other}\n    mapping: mes_b2mml",
            "sources.mes-p200.options.ignored_uses",
            "write [a, b]",
        ),
        (B2MML, IDOC.format("{plants: P100}"), "sources.mes-p200.options.plants", "`key: value`"),
        (B2MML, IDOC.format("{plants: {a: 7}}"), "sources.mes-p200.options.plants.a", "put it in quotes"),
        (B2MML, IDOC.format("{segments: {A: [[B, 0]]}}"), "sources.mes-p200.options.segments.A", "[[name, width]"),
        (
            "mapping: mes_b2mml",
            "options: {lot_statuses: {S1: blokced}}\n    mapping: mes_b2mml",
            "sources.mes-p200.options.lot_statuses.S1",
            "did you mean blocked?",
        ),
        (B2MML, EPCIS.format("{places: {a: {stor: B}}}"), "sources.mes-p200.options.places.a.stor", "storage"),
        (B2MML, EPCIS.format("{steps: {a: storin}}"), "sources.mes-p200.options.steps.a", "storing?"),
        (
            B2MML,
            AW.format("{needs_released_order: 0}"),
            "sources.mes-p200.options.needs_released_order",
            "true or false",
        ),
    ],
)
def test_an_option_that_cannot_be_right_is_named_with_its_mend(
    tmp_path: Path, right: str, wrong: str, place: str, mend: str
) -> None:
    (fault,) = faults(tmp_path, TEXT.replace(right, wrong, 1))

    assert fault.path == place
    assert mend in fault.mend
    written = (tmp_path / "topology.yaml").read_text(encoding="utf-8").splitlines()[fault.line - 1]
    assert place.rsplit(".", 1)[-1] in written


def test_a_word_of_a_list_that_no_mapping_knows_is_named_with_those_that_it_knows(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, TEXT.replace(B2MML, AW.format("{transactions: [S, Q]}"), 1))

    assert (fault.path, fault.mend) == ("sources.mes-p200.options.transactions.1", "give one of P, S, W")


def test_options_that_a_family_reads_are_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "topology.yaml"
    path.write_text(TEXT.replace(B2MML, AW.format("{transactions: [S], needs_released_order: false}"), 1), "utf-8")

    source = load_topology(path, known_names()).sources["mes-p200"]

    assert source.options == {"transactions": ["S"], "needs_released_order": False}


@pytest.mark.parametrize(
    ("right", "wrong", "place", "mend"),
    [
        ("    mapping: mes_json", "    crosswalks: [reason]\n    mapping: mes_json", "sources.mes-p100", "reasons?"),
        ("    mapping: tryton", "    crosswalks: [units]\n    mapping: tryton", "targets.erp", "the mapping asks none"),
    ],
)
def test_a_crosswalk_that_no_mapping_asks_is_named_with_its_mend(
    tmp_path: Path, right: str, wrong: str, place: str, mend: str
) -> None:
    (fault,) = faults(tmp_path, TEXT.replace(right, wrong, 1))

    assert fault.path == f"{place}.crosswalks.0"
    assert mend in fault.mend


@pytest.mark.parametrize("family", sorted(INBOUND_CROSSWALKS | OUTBOUND_CROSSWALKS))
def test_every_crosswalk_that_a_family_declares_is_asked_by_a_mapping_of_it(family: str) -> None:
    """By the function that asks it, or by its name."""
    asking = {REASONS: "reason_code|REASONS", STORAGES: "storage_code|STORAGES", MOVEMENT_TYPES: "MOVEMENT_TYPES"}
    side = "inbound" if family in INBOUND_CROSSWALKS else "outbound"
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "mappings" / side / family).glob("*.py"))
    shared = {"stock_storage": "lines.py", "goods_movements": "sap/goods_movements.py"}
    asked = [name for word, name in shared.items() if word in text]
    text += "".join((ROOT / "mappings" / "outbound" / name).read_text(encoding="utf-8") for name in asked)
    declared = set(INBOUND_CROSSWALKS.get(family, ())) | set(OUTBOUND_CROSSWALKS.get(family, ()))

    assert {name for name in declared - {UNITS} if not re.search(asking[name], text)} == set()


def test_every_slip_of_a_plants_options_is_told_at_once(tmp_path: Path) -> None:
    found = faults(tmp_path, TEXT.replace("{storage: P100-ST, site: P100}", "{storage: 5, sit: P100}"))

    assert {fault.path for fault in found} == {"plants.P100.options.storage", "plants.P100.options.sit"}


def test_options_are_checked_whatever_else_is_wrong_with_their_block(tmp_path: Path) -> None:
    text = TEXT.replace("timeout_seconds: 40 ", "timeout_seconds: 0 ").replace("login: lineside", "logn: lineside")
    text = text.replace(LOCATIONS, "locations: {P900: P100}")
    text = text.replace("id: [record_no]", "id: [recrd_no]").replace('delimiter: ";"', 'delimiter: ";;"')
    text = text.replace("- [movement, 11, 3]", "- [movement, 0, 3]")

    found = faults(tmp_path, text)

    assert {fault.path for fault in found} >= {
        "targets.erp.options.logn",
        "targets.erp.mapping_options.locations.P900",
        "sources.legacy-p300.files.0.options.id.0",
        "sources.legacy-p300.files.1.options.id.0",
    }
    assert all("did you mean record_no?" in fault.mend for fault in found if fault.path.endswith("id.0"))


def test_a_secret_in_options_is_told_once_and_never_repeated(tmp_path: Path) -> None:
    found = faults(tmp_path, TEXT.replace("{login: lineside}", "{login: lineside, password: hunter2-hunter2}"))

    assert len(found) == 1
    assert "hunter2" not in str(found[0])


def test_every_option_that_a_mapping_reads_is_declared() -> None:
    declared = {
        name for keys in (*INBOUND_OPTIONS.values(), *OUTBOUND_OPTIONS.values(), PLANT_OPTIONS) for name in _names(keys)
    }
    read = {
        name
        for path in (ROOT / "mappings").glob("*bound/**/*.py")
        for name in re.findall(r"""options(?:\.get\(|\[)["'](\w+)["']""", path.read_text(encoding="utf-8"))
    }

    assert {"storage", "site", "locations", "consume", "ignored_uses"} <= read <= declared


def test_only_families_that_there_are_have_options() -> None:
    assert INBOUND_OPTIONS.keys() <= {family for family, _ in INBOUND}
    assert OUTBOUND_OPTIONS.keys() <= {family for family, _ in OUTBOUND}


def test_every_option_of_a_mapping_is_explained() -> None:
    page = (ROOT / "docs" / "topology.md").read_text(encoding="utf-8")
    options: list[Mapping[str, Keys]] = [INBOUND_OPTIONS, OUTBOUND_OPTIONS, {"": PLANT_OPTIONS}]

    names = {name for families in options for keys in families.values() for name in _names(keys)}

    assert not [name for name in names if f"`{name}`" not in page]


@pytest.mark.parametrize(("options", "told"), [({"site": "0100"}, "0100"), ({}, "P100")])
def test_targets_are_told_the_plants_site_where_it_has_one(options: dict[str, str], told: str) -> None:
    plant = PlantFacts("P100", "Assembly", "Europe/Berlin", options)

    assert task("put_away", {"event_time": ""}, OutboundContext(plant, "wms", "key"), [])["site"] == told


def _names(shape: Shape) -> set[str]:
    if isinstance(shape, ByPlant | Table):
        return _names(shape.inner)
    if isinstance(shape, Keys):
        return set(shape.shapes) | {name for below in shape.shapes.values() for name in _names(below)}
    return set()
