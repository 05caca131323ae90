"""The contracts as they were last released, one JSON Schema a type, beside the code that keeps them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import mappings.canonical
from mappings.canonical import contract
from mappings.canonical.compatibility import breaking_changes
from mappings.canonical.registry import SCHEMAS

FOLDER = Path(str(mappings.canonical.__file__)).parent / "released"


def released(folder: Path = FOLDER) -> Mapping[str, Mapping[str, Any]]:
    """By type. Raises ValueError naming a file that is no JSON."""
    return {path.name.removesuffix(".json"): json.loads(path.read_text("utf-8")) for path in folder.glob("*.json")}


def broken_contracts(folder: Path = FOLDER) -> Iterator[tuple[str, str]]:
    """(type, what breaks) for everything that the present code would break for those who rely on the release."""
    for event_type, schema in sorted(released(folder).items()):
        if event_type not in SCHEMAS:
            yield (
                event_type,
                "the type is gone; keep it, and read it as its newest version (mappings/canonical/versions)",
            )
            continue
        for change in breaking_changes(schema, contract.json_schema(event_type)):
            yield event_type, change


def release(folder: Path) -> list[str]:
    """Write today's contracts as the released ones; returns the types that are new or changed."""
    folder.mkdir(parents=True, exist_ok=True)
    changed = []
    for event_type in sorted(SCHEMAS):
        text = json.dumps(contract.json_schema(event_type), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        path = folder / f"{event_type}.json"
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, encoding="utf-8")
            changed.append(event_type)
    return changed
