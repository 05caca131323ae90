"""What the topology says of the types of the messages in a dropped file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.test_topology_file import GOOD, KNOWN, faults, read

PARTNER = GOOD.replace("mapping: legacy_files", "mapping: edi").replace("format: csv", "format: edifact")
PARTNER = PARTNER.replace("        options: {columns: [no, item], id: [no]}\n", "")
SEVERAL = PARTNER.replace("type: legacy.a", "types: [edi.ORDERS, edi.DESADV]")


def test_a_file_may_hold_messages_of_several_types(tmp_path: Path) -> None:
    several, single = read(tmp_path, SEVERAL).sources["old"].files

    assert (several.type, several.known_types) == ("", ("edi.ORDERS", "edi.DESADV"))
    assert single.known_types == ("legacy.b",)


@pytest.mark.parametrize(
    ("text", "path", "told"),
    [
        (PARTNER.replace("        type: legacy.a\n", ""), "type", "it is missing"),
        (SEVERAL.replace("types: [", "type: edi.ORDERS\n        types: ["), "types", "there is a `type` as well"),
        (SEVERAL.replace("format: edifact", "format: document"), "types", "do not say of which type"),
        (SEVERAL.replace("DESADV]", "DESADW]"), "types.1", "knows no type 'edi.DESADW'"),
    ],
)
def test_what_is_said_of_the_types_of_a_file_is_checked(tmp_path: Path, text: str, path: str, told: str) -> None:
    known = replace(KNOWN, inbound={*KNOWN.inbound, ("edi", "edi.ORDERS"), ("edi", "edi.DESADV"), ("edi", "legacy.b")})

    found = {fault.path: fault.reason for fault in faults(tmp_path, text, known)}

    assert told in found[f"sources.old.files.0.{path}"]
