"""Rules that a reader relies on: one place catches everything, one reads the environment, files stay small."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("app", "tasks", "mappings", "config")
CATCHES_EVERYTHING = {"app/pipeline/outcome.py", "app/intake/take.py"}
READS_THE_ENVIRONMENT = {"config/settings.py"}
FORBIDDEN_NAMES = {"utils", "helpers", "manager", "common", "misc", "util", "helper"}
FILE_LINES, TEST_LINES, FUNCTION_LINES = 300, 400, 50


def _sources(*folders: str) -> Iterator[tuple[str, str]]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), path.read_text()


def _is_wide(handler: ast.ExceptHandler) -> bool:
    """Catches everything and keeps it: one that raises again only tidies up."""
    names = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    wide = any(name is None or ast.unparse(name) in ("Exception", "BaseException") for name in names)
    return wide and not isinstance(handler.body[-1], ast.Raise)


def test_only_one_place_catches_everything() -> None:
    found = {
        name
        for name, text in _sources(*PACKAGES)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ExceptHandler) and _is_wide(node)
    }

    assert found == CATCHES_EVERYTHING


def test_only_the_settings_read_the_environment() -> None:
    found = {
        name
        for name, text in _sources(*PACKAGES)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Attribute)
        and node.attr in ("environ", "getenv")
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
    }

    assert found <= READS_THE_ENVIRONMENT


def test_a_body_is_read_where_its_limit_is_kept() -> None:
    """Werkzeug cuts off a body without a length at the limit, and says nothing."""
    reads = {"get_data", "data", "get_json", "json", "stream"}
    found = {
        name
        for name, text in _sources("app")
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Attribute)
        and node.attr in reads
        and isinstance(node.value, ast.Name)
        and node.value.id == "request"
        and not name.startswith("app/bench/")  # its servers are what the product is measured beside
    }

    assert found == {"app/web/body.py"}


def test_modules_are_named_after_what_they_hold() -> None:
    names = {Path(name).stem for name, _ in _sources(*PACKAGES, "tests")}

    assert not names & FORBIDDEN_NAMES


@pytest.mark.parametrize(("folders", "limit"), [(PACKAGES, FILE_LINES), (("tests",), TEST_LINES)])
def test_files_stay_short_enough_to_read(folders: tuple[str, ...], limit: int) -> None:
    long = {
        name: text.count("\n")
        for name, text in _sources(*folders)
        if text.count("\n") > limit and "migrations/versions" not in name
    }

    assert not long


def test_functions_stay_short_enough_to_read() -> None:
    long = {
        f"{name}:{node.lineno} {node.name}"
        for name, text in _sources(*PACKAGES)
        if "migrations/versions" not in name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and (node.end_lineno or node.lineno) - node.lineno + 1 > FUNCTION_LINES
    }

    assert not long


def test_the_code_has_no_notes_to_itself() -> None:
    words = ("TO" + "DO", "FIX" + "ME", "XX" + "X")
    found = {name for name, text in _sources(*PACKAGES, "tests") if any(word in text for word in words)}

    assert not found
