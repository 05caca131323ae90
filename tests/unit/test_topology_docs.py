"""The reference of the topology file names every key, and its example is a topology."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from marshmallow import Schema

from app.adapters.file_options import FileOptions
from app.adapters.http_json_options import (
    AuthSchema,
    FindSchema,
    HttpJsonOptions,
    PostSchema,
    ReadCallSchema,
    ReadSchema,
    ReverseSchema,
)
from app.adapters.known_names import known_names
from config.drop_file_schema import CsvFileOptions, DropFileSchema, FixedWidthFileOptions
from config.topology_entries import BLOCKS, KEYS, LISTS
from config.topology_file import load_topology
from config.topology_schema import RetrySchema, RouteTargetSchema

PAGE = (Path(__file__).parents[2] / "docs" / "topology.md").read_text(encoding="utf-8")
SCHEMAS: list[type[Schema]] = [
    *LISTS.values(),
    *BLOCKS.values(),
    RetrySchema,
    RouteTargetSchema,
    DropFileSchema,
    CsvFileOptions,
    FixedWidthFileOptions,
    HttpJsonOptions,
    AuthSchema,
    PostSchema,
    FindSchema,
    ReverseSchema,
    ReadSchema,
    ReadCallSchema,
    FileOptions,
]


def test_the_example_is_a_topology_without_fault(tmp_path: Path) -> None:
    example = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert example is not None
    path = tmp_path / "topology.yaml"
    path.write_text(example[1], encoding="utf-8")

    topology = load_topology(path, known_names())

    assert list(topology.targets) == ["erp", "old-erp"]


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.__name__)
def test_every_key_of_a_block_is_explained(schema: type[Schema]) -> None:
    explained = {part for code in re.findall(r"`([^`\n]+)`", PAGE) for part in re.split(r"[^a-z0-9_]+", code)}

    keys = {field.data_key or name for name, field in schema().fields.items()}

    assert not keys - explained


def test_every_key_at_the_top_is_explained() -> None:
    assert not [key for key in KEYS if f"`{key}`" not in PAGE]
