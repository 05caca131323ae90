"""What the topology says of shifts, counts and totals, and what each slip is answered with."""

from __future__ import annotations

from datetime import time
from pathlib import Path

import pytest

from config.completeness import Completeness, Counting, Heartbeat, SequenceWatch, Shift
from config.topology_faults import TopologyError, TopologyFault
from config.topology_file import load_topology

GOOD = """\
version: 1
plants:
  - code: P100
    name: Assembly
    timezone: Europe/Berlin
sources:
  - code: mes
    kind: MES
    plants: [P100]
    mapping: mes_json
  - code: old
    kind: ERP
    plants: [P100]
    mapping: legacy_files
    intake: drop
    files:
      - pattern: "A*.csv"
        type: legacy.a
        format: csv
        options: {columns: [no, item], id: [no]}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "topology.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def faults(folder: Path, text: str) -> list[TopologyFault]:
    with pytest.raises(TopologyError) as raised:
        load_topology(write(folder, text))
    return raised.value.faults


# What stands behind a line of GOOD, and what is said of it.
OWED = [
    ("mapping: mes_json", "completeness: {sequence: {per: line}}", "sources.mes.completeness.sequence.per", "plant"),
    ("mapping: mes_json", "completeness: {sequence: {start: -1}}", "sources.mes.completeness.sequence.start", "from 0"),
    (
        "mapping: mes_json",
        "completeness: {sequence: {wrap_at: 999}}",
        "sources.mes.completeness.sequence.wrap_at",
        "499",
    ),
    (
        "mapping: mes_json",
        "completeness: {heartbeat: {}}",
        "sources.mes.completeness.heartbeat.every_minutes",
        "from 1",
    ),
    (
        "mapping: mes_json",
        "completeness: {heartbeats: {}}",
        "sources.mes.completeness.heartbeats",
        "did you mean heartbeat?",
    ),
    ("intake: drop", "completeness: {sequence: {start: 1}}", "sources.old.completeness.sequence", "name the column"),
    ("name: Assembly", 'shifts: [{from: "6", to: "14:00"}]', "plants.P100.shifts.0.from", '"06:00"'),
    ("name: Assembly", 'shifts: [{from: "06:00", to: "06:00"}]', "plants.P100.shifts.0.to", "00:00 twice"),
    (
        "name: Assembly",
        'shifts: [{days: [mo], from: "06:00", to: "14:00"}]',
        "plants.P100.shifts.0.days.0",
        "did you mean mon?",
    ),
]


@pytest.mark.parametrize(("behind", "line", "path", "mend"), OWED)
def test_a_slip_in_what_a_source_owes_is_named_with_its_mend(
    behind: str, line: str, path: str, mend: str, tmp_path: Path
) -> None:
    (fault,) = faults(tmp_path, GOOD.replace(behind, f"{behind}\n    {line}"))

    assert (fault.path, mend in fault.mend) == (path, True), fault


@pytest.mark.parametrize(
    ("line", "path", "mend"),
    [
        ("file_number: {name: 'A([0-9]+)'}", "file_number.name", "(?P<number>[0-9]+)"),
        ("file_number: {name: 'A('}", "file_number.name", "regular expression such as"),
        ("file_number: {start: 1}", "file_number", "one of name, header, trailer"),
        ("file_number: {trailer: 4}", "file_number.trailer", "options.trailer"),
        ("file_number: {header: [1, 4]}", "file_number.header", "header: true"),
        (
            "options: {columns: [no], trailer: {marker: T, when_wrong: take}}",
            "options.trailer.when_wrong",
            "options.id",
        ),
        (
            "options: {columns: [no], trailer: {marker: T, sums: [{column: nr, at: 2}]}}",
            "options.trailer.sums.0.column",
            "give one of no",
        ),
    ],
)
def test_a_slip_in_what_a_file_says_of_itself_is_named_with_its_mend(
    line: str, path: str, mend: str, tmp_path: Path
) -> None:
    options = "options: {columns: [no, item], id: [no]}"
    instead = line if line.startswith("options") else f"{options}\n        {line}"

    (fault,) = faults(tmp_path, GOOD.replace(options, instead))

    assert (fault.path, mend in fault.mend) == (f"sources.old.files.0.{path}", True), fault


def test_what_a_source_owes_becomes_its_value(tmp_path: Path) -> None:
    owed = "completeness: {grace_seconds: 60, sequence: {field: a.b, wrap_at: 9999}, heartbeat: {every_minutes: 5}}"
    text = GOOD.replace("mapping: mes_json", f"mapping: mes_json\n    {owed}")
    text = text.replace("name: Assembly", 'name: Assembly\n    shifts: [{days: [sun], from: "22:00", to: "06:00"}]')

    topology = load_topology(write(tmp_path, text))

    counting = Counting(wrap_at=9_999)
    expected = Completeness(60.0, SequenceWatch(counting, "a.b"), Heartbeat(5.0))
    assert topology.sources["mes"].completeness == expected
    assert topology.plants["P100"].shifts == (Shift(time(22), time(6), ("sun",)),)
