"""The reference of the topology file names every key, and its example is a topology."""

from __future__ import annotations

import codecs
import re
from encodings.aliases import aliases
from pathlib import Path

import pytest
from marshmallow import Schema

from app.adapters.file_options import FileOptions
from app.adapters.http_json_options import (
    AuthSchema,
    CsrfSchema,
    FindSchema,
    HttpJsonOptions,
    PostSchema,
    ReadCallSchema,
    ReadOrdersSchema,
    ReadSchema,
    ReverseSchema,
)
from app.adapters.known_names import known_names
from config.completeness_schema import (
    CompletenessSchema,
    FileNumberSchema,
    HeartbeatSchema,
    SequenceSchema,
    ShiftSchema,
)
from config.drop_file_schema import (
    FILE_ENCODINGS,
    CsvFileOptions,
    CsvSumSchema,
    CsvTrailerSchema,
    DropFileSchema,
    FixedWidthFileOptions,
    NoFileOptions,
)
from config.exception_schema import RULE_SCHEMAS, ChannelSchema, EscalationSchema, MailServerSchema
from config.exception_terms import RULE_TERMS
from config.reconcile_schema import BalancesSchema, ReconcileSchema
from config.topology import GaplessSequence
from config.topology_entries import BLOCKS, KEYS, LISTS
from config.topology_file import PACKAGED, load_topology
from config.topology_schema import (
    CircuitSchema,
    ClosedWhenSchema,
    GaplessSequenceSchema,
    PeriodsSchema,
    ProcessRulesSchema,
    RateSchema,
    ReadingSchema,
    RetrySchema,
    RouteTargetSchema,
)
from mappings.formats.lines import FileFault, encoding_of
from mappings.registry import INBOUND

PAGE = (Path(__file__).parents[2] / "docs" / "topology.md").read_text(encoding="utf-8")
SCHEMAS: list[type[Schema]] = [
    *LISTS.values(),
    *BLOCKS.values(),
    RetrySchema,
    RateSchema,
    CircuitSchema,
    RouteTargetSchema,
    DropFileSchema,
    CsvFileOptions,
    FixedWidthFileOptions,
    NoFileOptions,
    CsvTrailerSchema,
    CsvSumSchema,
    CompletenessSchema,
    SequenceSchema,
    HeartbeatSchema,
    FileNumberSchema,
    ShiftSchema,
    HttpJsonOptions,
    AuthSchema,
    CsrfSchema,
    PostSchema,
    FindSchema,
    ReverseSchema,
    ReadSchema,
    ReadCallSchema,
    ReadOrdersSchema,
    FileOptions,
    ReadingSchema,
    PeriodsSchema,
    ClosedWhenSchema,
    GaplessSequenceSchema,
    ReconcileSchema,
    BalancesSchema,
    ChannelSchema,
    EscalationSchema,
    MailServerSchema,
    *RULE_SCHEMAS.values(),
    ProcessRulesSchema,
]


def test_the_example_is_a_topology_without_fault(tmp_path: Path) -> None:
    example = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert example is not None
    path = tmp_path / "topology.yaml"
    path.write_text(example[1], encoding="utf-8")

    topology = load_topology(path, known_names())

    assert list(topology.targets) == ["erp", "old-erp"]
    assert topology.sources["mes-p100"].gapless_sequence == GaplessSequence(1, 3_600, "dead")


def test_the_example_of_tables_is_a_topology_without_fault(tmp_path: Path) -> None:
    (example,) = [block for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if "aw-p100" in block]
    path = tmp_path / "topology.yaml"
    path.write_text(example, encoding="utf-8")

    source = load_topology(path, known_names()).sources["aw-p100"]

    assert {(source.mapping, kind.type) for kind in source.files} <= INBOUND.keys()


def test_the_example_of_sap_is_a_topology_without_fault(tmp_path: Path) -> None:
    (example,) = [block for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if "sap-stock" in block]
    path = tmp_path / "topology.yaml"
    path.write_text(example, encoding="utf-8")

    topology = load_topology(path, known_names())

    assert list(topology.targets) == ["sap-stock", "sap-orders"]


def test_the_target_of_an_epcis_repository_is_a_target_without_fault(tmp_path: Path) -> None:
    """It takes the place of the packaged target for planning."""
    section = PAGE.partition("### `epcis`: a repository")[2]
    example = re.search(r"```yaml\n(.*?)```", section, re.DOTALL)
    assert example is not None
    packaged = PACKAGED.read_text(encoding="utf-8")
    before, _, rest = packaged.partition("  - code: planning\n")
    _, _, after = rest.partition("\n  - code: ")
    repository = (
        "  - code: planning\n    kind: EPCIS repository\n    url: https://epcis.example.com\n    secret: epcis\n"
    )
    options = '    mapping_options: {items: {BIKE-100: "04012345222227"}, gln: "4012345000016"}'
    path = tmp_path / "topology.yaml"
    path.write_text(f"{before}{repository}{example[1]}{options}\n  - code: {after}", encoding="utf-8")

    target = load_topology(path, known_names()).targets["planning"]

    assert (target.mapping, target.options["reverse"]["part"]) == ("epcis", "error_declaration")


def test_the_example_of_exceptions_is_without_fault(tmp_path: Path) -> None:
    (example,) = [block for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if "shift-lead" in block]
    path = tmp_path / "topology.yaml"
    path.write_text(
        PACKAGED.read_text(encoding="utf-8").partition("\nexceptions:")[0] + "\n" + example, encoding="utf-8"
    )

    policy = load_topology(path, known_names()).exceptions

    assert policy.of("delayed_confirmation", "P100").threshold == 30


def test_every_rule_is_explained_with_its_threshold() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    for word, terms in RULE_TERMS.items():
        (row,) = [line for line in rows if f"`{word}`" in line.split("|")[1]]
        assert terms.key is None or (f"`{terms.key}`" in row and f": {terms.threshold:g} |" in row)
        assert row.endswith(f"| {terms.severity} |")


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.__name__)
def test_every_key_of_a_block_is_explained(schema: type[Schema]) -> None:
    explained = {part for code in re.findall(r"`([^`\n]+)`", PAGE) for part in re.split(r"[^a-z0-9_]+", code)}

    keys = {field.data_key or name for name, field in schema().fields.items()}

    assert not keys - explained


def test_the_checker_and_the_reader_of_dropped_files_know_the_same_encodings() -> None:
    encodings = {*aliases.values(), *FILE_ENCODINGS, "utf-8-sig"}

    readable = {name for name in encodings if _is_read(name)}

    assert {codecs.lookup(name).name for name in readable} == FILE_ENCODINGS


def _is_read(encoding: str) -> bool:
    try:
        return bool(encoding_of({"encoding": encoding}))
    except FileFault:
        return False


def test_every_key_at_the_top_is_explained() -> None:
    assert not [key for key in KEYS if f"`{key}`" not in PAGE]
