"""`lineside new source` makes of a sample a mapping that the checks of this house pass."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from app.cli import main
from config.topology_file import PACKAGED, load_topology

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
New = Callable[..., Result]

CSV = """Meldung;Datum;Uhrzeit;Auftrag;Artikelnummer;Menge;ME;Charge;Werker
R-1001;03.02.2026;10:15;30000101;FRAME-200;12,5;PC;L-77;Erika Muster
R-1002;03.02.2026;10:20;30000101;FRAME-200;3;PC;L-78;Max Muster
"""
FIXED = """record order        item         quantity unit posted_at
0001   000030000101 FRAME-200      12.500 PC   20260203101500
0002   000030000102 FRAME-200       3.250 PC   20260203102000
"""
JSON = {
    "header": {"workOrder": 1000123, "operator": "Erika Muster", "finishedAt": "2026-02-03T10:15:00+01:00"},
    "positions": [{"sku": "FRAME-200", "qty": 4, "uom": "pcs", "batch-id": "L-77"}],
}
XML = """<?xml version="1.0"?>
<Move xmlns="urn:example:moves"><Head id="77"><Timestamp>2026-02-03 10:15:00</Timestamp></Head>
<Line><Material>X-99</Material><Quantity unit="KGM">4.5</Quantity><From>ST1</From><To>WIP</To></Line></Move>
"""
SCRAP = "order;op;sku;qty;uom;reason;ts\n1000;10;A;1,250.5;KGM;R1;2026-02-03T10:15:00\n"
SAMPLES = {"csv": CSV, "fixed_width": FIXED, "json": json.dumps(JSON), "xml": XML}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What of this house a new source is written into, and what checks it."""
    root = tmp_path / "checkout"
    for folder in ("mappings", "tests/contract", "tests/golden"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", root)
    return root


@pytest.fixture
def new(checkout: Path, tmp_path: Path) -> New:
    def call(name: str, form: str, sample: str, *arguments: str) -> Result:
        file = tmp_path / f"sample.{form}"
        file.write_text(sample)
        options = ["--format", form, "--sample", str(file), "--plant", "P300", "--into", str(checkout), *arguments]
        environment = {"LINESIDE_HOME": str(tmp_path), "LINESIDE_CONFIG": ""}
        return CliRunner().invoke(main, ["new", "source", name, *options], env=environment)

    return call


def answer(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def golden(checkout: Path, family: str, kind: str, name: str = "expected.json") -> str:
    return (checkout / "tests/golden" / family / kind / "from_the_sample" / name).read_text()


@pytest.mark.slow
def test_a_new_source_of_each_format_passes_the_linter_and_the_contract_suite(new: New, checkout: Path) -> None:
    for form, sample in SAMPLES.items():
        assert new(f"new-{form}", form, sample).exit_code == 0
    assert new("new-issue", "csv", CSV, "--event", "material.issued.v1").exit_code == 0
    assert new("new-scrap", "csv", SCRAP).exit_code == 0

    for arguments in (["check"], ["format", "--check"]):
        ruff = [sys.executable, "-m", "ruff", *arguments, "mappings"]
        done = subprocess.run(ruff, cwd=checkout, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
    suite = [sys.executable, "-m", "pytest", "tests/contract/test_mappings.py", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run([*suite, "-k", "new_"], cwd=checkout, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert int(done.stdout.rpartition(" passed")[0].split()[-1]) == 6 * 6


def test_the_fields_of_a_plants_csv_are_found_by_their_names_and_values(new: New, checkout: Path) -> None:
    told = answer(new("paint-line", "csv", CSV, "--json"))

    assert told["event"] == "production.completed.v1"
    assert {role: each["field"] for role, each in told["fields"].items()} == {
        "order": "Auftrag",
        "item": "Artikelnummer",
        "quantity": "Menge",
        "unit": "ME",
        "lot": "Charge",
        "time": "Datum",
        "clock": "Uhrzeit",
        "id": "Meldung",
    }
    assert told["not_used"] == ["Werker"]
    (event,) = json.loads(golden(checkout, "paint_line", "paint_line.report"))
    assert event["data"]["event_time"] == "2026-02-03T15:15:00Z"
    assert event["data"]["outputs"][0]["quantity"] == {"value": "12.5", "uom": "EA"}


def test_the_golden_pair_shows_no_order_lot_or_person_of_the_sample(new: New, checkout: Path) -> None:
    new("paint-line", "csv", CSV)

    shown = golden(checkout, "paint_line", "paint_line.report", "input.json")
    payload = json.loads(shown)
    assert not [text for text in ("30000101", "L-77", "R-1001", "Muster", "Erika") if text in shown]
    assert (payload["Artikelnummer"], payload["ME"], payload["Menge"]) == ("FRAME-200", "PC", "12,5")
    assert payload["Auftrag"] in golden(checkout, "paint_line", "paint_line.report")


def test_what_was_guessed_is_marked_in_the_mapping_and_told(new: New, checkout: Path) -> None:
    sample = "job;sku;qty;when\n1;A;1.250;03/02/2026 10:15\n"

    told = answer(new("shop", "csv", sample, "--field", "time=when", "--json"))

    text = (checkout / "mappings/inbound/shop/report.py").read_text()
    assert [doubt.partition(":")[0] for doubt in told["guessed"]] == ["unit", "time (when)", "quantity (qty)"]
    for doubt in told["guessed"]:
        assert f"# guessed: {doubt}"[:100] in text


def test_a_sample_without_what_an_event_needs_is_told_how_to_name_it(new: New, checkout: Path) -> None:
    sample = "alpha;sku;qty;ts\n1000;A;1;2026-02-03T10:15:00\n"

    without = new("shop", "csv", sample)
    named = new("shop", "csv", sample, "--field", "order=alpha")

    assert (without.exit_code, named.exit_code) == (1, 0)
    assert "--field order=NAME" in without.stderr
    assert "alpha, sku, qty, ts" in without.stderr


def test_nothing_is_overwritten_and_nothing_half_written(new: New, checkout: Path) -> None:
    (checkout / "mappings/inbound/paint_line").mkdir()
    (checkout / "mappings/inbound/paint_line/report.py").write_text("mine")
    before = {path: path.read_bytes() for path in checkout.rglob("*") if path.is_file()}

    result = new("paint-line", "csv", CSV)

    assert result.exit_code == 1
    assert "paint_line/report.py is there already" in result.stderr
    assert {path: path.read_bytes() for path in checkout.rglob("*") if path.is_file()} == before


def test_the_topology_gets_the_block_and_keeps_every_other_character(new: New, tmp_path: Path) -> None:
    file = tmp_path / "topology.yaml"
    before = PACKAGED.read_text()
    file.write_text(before)

    told = answer(new("paint-line", "csv", CSV, "--topology", str(file), "--json"))

    after = file.read_text().splitlines()
    added = [f"  {line}" for line in told["topology_block"].splitlines()]
    at = after.index(added[0])
    assert after[at : at + len(added)] == added
    assert after[:at] + after[at + len(added) :] == before.splitlines()
    source = load_topology(file).sources["paint-line"]
    assert (source.mapping, source.units, source.files[0].options["id"]) == ("paint_line", {"PC": "EA"}, ["Meldung"])


def test_a_topology_that_the_block_would_break_stays_as_it_was(new: New, checkout: Path, tmp_path: Path) -> None:
    file = tmp_path / "topology.yaml"
    text = PACKAGED.read_text()
    sources = text[text.index("sources:\n") : text.index("targets:\n")]
    flow = text.replace(sources, "sources: [{code: erp, kind: ERP, plants: [P100], mapping: canonical}]\n\n")
    file.write_text(flow)

    result = new("paint-line", "csv", CSV, "--topology", str(file))

    assert result.exit_code == 2
    assert "paste the block" in result.stderr
    assert file.read_text() == flow
    assert not (checkout / "mappings/inbound/paint_line").exists()


@pytest.mark.parametrize(
    ("name", "form", "sample", "code", "told"),
    [
        ("Paint Line", "csv", CSV, 2, "cannot be used"),
        ("mes-p100", "csv", CSV, 2, "has a source 'mes-p100' already"),
        ("shop", "csv", "", 1, "The sample is empty"),
        ("shop", "csv", "1;2;3\n4;5;6\n", 1, "names no columns"),
        ("shop", "csv", "a;b\n1;2;3\n", 1, "Line 2 of the sample"),
        ("shop", "json", "[1]", 1, "is a list"),
        ("shop", "json", '{"a": ', 1, "is not JSON"),
        ("shop", "xml", "<!DOCTYPE a><a/>", 1, "document type"),
        ("shop", "csv", "order;sku;qty;ts\n1;A;0;2026-02-03T10:15:00\n", 1, "take no message of the sample"),
    ],
)
def test_a_sample_that_cannot_be_used_is_told_why(
    new: New, name: str, form: str, sample: str, code: int, told: str
) -> None:
    result = new(name, form, sample)

    assert result.exit_code == code
    assert told in result.stderr
