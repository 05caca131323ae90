"""The topology file: what is read, and what each slip is answered with."""

from __future__ import annotations

import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from config.topology import (
    ClosedWhen,
    DropFile,
    Periods,
    Plant,
    Reading,
    RetryPolicy,
    RouteTarget,
    SystemOfRecord,
    Topology,
)
from config.topology_file import KnownNames, TopologyError, TopologyFault, load_topology
from config.topology_options import OptionChecks, OptionFault

GOOD = """\
version: 1
plants:
  - code: P100
    name: Assembly
    timezone: Europe/Berlin
  - code: P200
    name: Machining
    timezone: Europe/Paris
    lanes: 4
sources:
  - code: mes
    kind: MES
    plants: [P100, P200]
    mapping: mes_json
  - code: old
    kind: ERP
    plants: [P200]
    mapping: legacy_files
    intake: drop
    files:
      - pattern: "A*.csv"
        type: legacy.a
        format: csv
        options: {columns: [no, item], id: [no]}
      - pattern: "B*.txt"
        type: legacy.b
        format: fixed_width
        options:
          id: [no]
          layout:
            - [no, 1, 10]
            - [item, 11, 8]
targets:
  - code: erp
    kind: ERP
    adapter: http_json
    mapping: erp
    url: https://erp.example.com/api/
    secret: erp
    retry: {cap_seconds: 60}
    options: {auth: {scheme: bearer}}
routes:
  - type: production.completed.v1
    targets: [{target: erp}]
  - type: inventory.moved.v1
    plants: [P100]
    targets: [{target: erp, required: false}]
systems_of_record:
  items: {system: erp, writers: [erp, mes]}
service_levels:
  accept_to_posted_seconds: 60
"""
KNOWN = KnownNames(
    types={"production.completed.v1", "inventory.moved.v1"},
    inbound={("mes_json", "done"), ("legacy_files", "legacy.a"), ("legacy_files", "legacy.b")},
    outbound={("erp", "production.completed.v1"), ("erp", "inventory.moved.v1")},
    adapters={"http_json", "file"},
    adapters_with_url={"http_json"},
    options=OptionChecks(
        lambda adapter, options: [] if "auth" in options else [OptionFault(("auth",), "it is missing", "add auth")]
    ),
    why_not_read=lambda adapter, options, domain: None if "read" in options else f"add {domain} to `read`",
)
READS = "reads: [{target: erp, domain: production_orders}]"
READABLE = GOOD.replace("{auth: {scheme: bearer}}", "{auth: {scheme: bearer}, read: {}}")


def read(tmp_path: Path, text: str, known: KnownNames | None = None) -> Topology:
    path = tmp_path / "topology.yaml"
    path.write_text(text, encoding="utf-8")
    return load_topology(path, known)


def faults(tmp_path: Path, text: str, known: KnownNames | None = None) -> list[TopologyFault]:
    with pytest.raises(TopologyError) as raised:
        read(tmp_path, text, known)
    return raised.value.faults


def test_the_packaged_demonstration_is_without_fault() -> None:
    topology = load_topology(None)

    assert list(topology.plants) == ["P100", "P200", "P300"]
    assert [step.target for step in topology.route("production.completed.v1", "P100")] == ["erp", "wms", "planning"]


def test_every_block_becomes_its_value(tmp_path: Path) -> None:
    topology = read(tmp_path, GOOD, KNOWN)

    assert topology.plants["P200"] == Plant("P200", "Machining", "Europe/Paris", 4)
    assert topology.sources["mes"].intake == "http"
    assert topology.sources["old"].files[0] == DropFile(
        "A*.csv", "legacy.a", "csv", {"columns": ["no", "item"], "id": ["no"]}
    )
    assert topology.targets["erp"].url == "https://erp.example.com/api"
    assert topology.targets["erp"].retry == RetryPolicy(cap_seconds=60)
    assert topology.route("inventory.moved.v1", "P100") == (RouteTarget("erp", required=False),)
    assert topology.route("inventory.moved.v1", "P200") == ()
    assert topology.systems_of_record == {"items": SystemOfRecord("items", "erp", ("erp", "mes"))}
    assert topology.service_levels == {"accept_to_posted_seconds": 60.0}


def test_every_place_in_the_file_can_be_found_again(tmp_path: Path) -> None:
    topology = read(tmp_path, GOOD)

    lines = {path: place.removeprefix(f"{tmp_path}/topology.yaml:") for path, place in topology.positions.items()}
    assert lines["plants.P200"] == "6"
    assert lines["plants.P200.lanes"] == "9"
    assert lines["sources.old.files.1.options.layout.1"] == "32"
    assert lines["targets.erp.options.auth.scheme"] == "41"
    assert lines["routes.1.targets.0.required"] == "47"
    assert lines["systems_of_record.items.system"] == "49"
    assert lines["service_levels.accept_to_posted_seconds"] == "51"


# What stands in the file, what is written instead, then the line, the path and a part of the mend.
SLIPS = [
    ("version: 1\n", "version: 2\n", 1, "version", "version: 1"),
    ("version: 1\n", "# none\n", 1, "version", "version: 1"),
    ("plants:\n  - code: P100", "plant:\n  - code: P100", 2, "plant", "did you mean plants?"),
    ("code: P100", "code: p100", 3, "plants.p100.code", "A-Z, 0-9"),
    ("code: P100", "code: P100-BUT-MUCH-TOO-LONG", 3, "plants.P100-BUT-MUCH-TOO-LONG.code", "up to 16"),
    ("code: P100", "code: 100", 3, "plants.0.code", "quotes"),
    ("code: P200\n    name", "code: P100\n    name", 6, "plants.P100.code", "rename"),
    ("    name: Assembly\n", "", 3, "plants.P100.name", "name"),
    ("name: Assembly", "name:", 4, "plants.P100.name", "name"),
    ("Europe/Berlin", "Europe/Berlinn", 5, "plants.P100.timezone", "did you mean Europe/Berlin?"),
    ("Europe/Berlin", "../etc/passwd", 5, "plants.P100.timezone", "IANA"),
    ("lanes: 4", "lanes: 0", 9, "plants.P200.lanes", "from 1 to 256"),
    ("lanes: 4", "lanes: true", 9, "plants.P200.lanes", "whole number"),
    ("lanes: 4", "lanes: 4.5", 9, "plants.P200.lanes", "whole number"),
    ("lanes: 4", "lane: 4", 9, "plants.P200.lane", "did you mean lanes?"),
    ("lanes: 4", "options: [1]", 9, "plants.P200.options", "key: value"),
    ("plants: [P100, P200]", "plants: [P100, P20]", 13, "sources.mes.plants.1", "did you mean P200?"),
    ("plants: [P100, P200]", "plants: [P100, P100]", 13, "sources.mes.plants.1", "remove one"),
    ("plants: [P100, P200]", "plants: []", 13, "sources.mes.plants", "[P100]"),
    ("plants: [P100, P200]", "plants: P100", 13, "sources.mes.plants", "[a, b]"),
    ("    mapping: mes_json\n", "", 11, "sources.mes.mapping", "canonical"),
    ("mapping: mes_json", "mapping: mes_jsn", 14, "sources.mes.mapping", "did you mean mes_json?"),
    ("mapping: mes_json", "mapping: mes_json\n    units: {STK: 1}", 15, "sources.mes.units.STK", "quotes"),
    ("mapping: mes_json", "mapping: mes_json\n    intake: htpt", 15, "sources.mes.intake", "did you mean http?"),
    ("mapping: mes_json", "mapping: mes_json\n    intake: drop", 11, "sources.mes.files", "describe the files"),
    ("    intake: drop\n", "", 19, "sources.old.files", "intake: drop"),
    ("code: old", "code: MES", 15, "sources.MES.code", "rename"),
    ("code: old", "code: ../old", 15, "sources.../old.code", "letters, digits"),
    ("intake: drop", "intake: drop\n    wait_seconds: -1", 20, "sources.old.wait_seconds", "from 0"),
    ('pattern: "A*.csv"', 'pattern: "in/A*.csv"', 21, "sources.old.files.0.pattern", "without folders"),
    ('pattern: "B*.txt"', 'pattern: "A*.csv"', 25, "sources.old.files.1.pattern", "remove one"),
    ("type: legacy.a", "type: legacy.aa", 22, "sources.old.files.0.type", "did you mean legacy.a?"),
    ("format: csv", "format: cvs", 23, "sources.old.files.0.format", "did you mean csv?"),
    ("columns: [no, item], ", "", 24, "sources.old.files.0.options.columns", "name the columns"),
    ("columns: [no, item]", "columns: [no, no]", 24, "sources.old.files.0.options.columns.1", "remove one"),
    ("id: [no]}", "id: [nr]}", 24, "sources.old.files.0.options.id.0", "item, no"),
    ("id: [no]}", "encoding: latin-l}", 24, "sources.old.files.0.options.encoding", "did you mean latin-1?"),
    ("id: [no]}", "encoding: utf-16}", 24, "sources.old.files.0.options.encoding", "utf-8"),
    ("id: [no]}", "trailer: {marker: T, count: 0}}", 24, "sources.old.files.0.options.trailer.count", "from 1"),
    ("id: [no]\n", "trailer: {marker: T, count: 2}\n", 29, "sources.old.files.1.options.trailer.count", "[4, 10]"),
    ("id: [no]\n", "trimed: true\n", 29, "sources.old.files.1.options.trimed", "did you mean trimmed?"),
    ("id: [no]}", "encoding: rot13}", 24, "sources.old.files.0.options.encoding", "utf-8"),
    ("id: [no]}", 'delimiter: ";;"}', 24, "sources.old.files.0.options.delimiter", "single character"),
    ("id: [no]}", "delimitr: x}", 24, "sources.old.files.0.options.delimitr", "did you mean delimiter?"),
    ("[item, 11, 8]", "[item, 10, 8]", 32, "sources.old.files.1.options.layout.1", "begin at 11"),
    ("[item, 11, 8]", "[item, 0, 8]", 32, "sources.old.files.1.options.layout.1", "count from 1"),
    ("[item, 11, 8]", "[item, 11]", 32, "sources.old.files.1.options.layout.1", "[item_no, 14, 18]"),
    ("[item, 11, 8]", "[no, 11, 8]", 32, "sources.old.files.1.options.layout.1", "rename"),
    ("adapter: http_json", "adapter: http_jsn", 36, "targets.erp.adapter", "did you mean http_json?"),
    ("mapping: erp", "mapping: eerp", 37, "targets.erp.mapping", "did you mean erp?"),
    ("https://erp", "ftp://erp", 38, "targets.erp.url", "http:// or https://"),
    ("https://erp", "https://ls:pw@erp", 38, "targets.erp.url", "secret:"),
    (".com/api/", ".com:99999/api/", 38, "targets.erp.url", "https://"),
    (".com/api/", ".com/api?key=1", 38, "targets.erp.url", "path"),
    ("    url: https://erp.example.com/api/\n", "", 34, "targets.erp.url", "add for example"),
    ("secret: erp", "secret: c2VjcmV0LXZhbHVl1234=", 39, "targets.erp.secret", "LINESIDE_SECRET_<NAME>"),
    ("secret: erp", "secret: Zk93ksA8d7f6g5h4j3k2", 39, "targets.erp.secret", "LINESIDE_SECRET_<NAME>"),
    ("cap_seconds: 60", "cap_second: 60", 40, "targets.erp.retry.cap_second", "did you mean cap_seconds?"),
    ("cap_seconds: 60", "cap_seconds: .inf", 40, "", "finite number"),
    ("{scheme: bearer}", "{password: hunter2}", 41, "targets.erp.options.auth.password", "{secret: NAME}"),
    ("{scheme: bearer}", "[{api_key: hunter2}]", 41, "targets.erp.options.auth.0.api_key", "{secret: NAME}"),
    ("{auth: {scheme: bearer}}", "{}", 41, "targets.erp.options.auth", "add auth"),
    ("production.completed.v1", "production.completed", 43, "routes.0.type", "with its version"),
    ("production.completed.v1", "production.complete.v1", 43, "routes.0.type", "did you mean production.completed.v1?"),
    ("targets: [{target: erp}]", "targets: [{target: epr}]", 44, "routes.0.targets.0.target", "did you mean erp?"),
    ("[{target: erp}]", "[{target: erp}, {target: erp}]", 44, "routes.0.targets.1.target", "remove one"),
    ("[{target: erp}]", "[]", 44, "routes.0.targets", "list targets"),
    ("inventory.moved.v1", "production.completed.v1", 47, "routes.1.targets.0.target", "remove one"),
    ("plants: [P100]", "plants: [P10]", 46, "routes.1.plants.0", "did you mean P100?"),
    ("required: false", "required: 0", 47, "routes.1.targets.0.required", "true or false"),
    ("items: {system: erp", "itms: {system: erp", 49, "systems_of_record.itms", "did you mean items?"),
    ("items: {system: erp", "items: {system: epr", 49, "systems_of_record.items.system", "did you mean erp?"),
    ("[erp, mes]", "[erp, mees]", 49, "systems_of_record.items.writers.1", "did you mean mes?"),
    ("posted_seconds: 60", "posted_second: 60", 51, "service_levels.accept_to_posted_second", "did you mean"),
    ("posted_seconds: 60", "posted_seconds: 0", 51, "service_levels.accept_to_posted_seconds", "from 0.1"),
]


# What a source's line of readings says instead of READS.
READING_SLIPS = [
    ("reads: [{target: epr, domain: production_orders}]", "reads.0.target", "did you mean erp?"),
    ("reads: [{target: erp, domain: production_order}]", "reads.0.domain", "did you mean production_orders?"),
    ("reads: [{target: erp, domain: items}]", "reads.0.domain", "production_orders"),
    ("reads: [{target: erp}]", "reads.0.domain", "production_orders"),
    ("reads: [{domain: production_orders}]", "reads.0.target", "letters, digits"),
    (f"{READS[:-2]}, every_seconds: 0}}]", "reads.0.every_seconds", "from 1 to 86400"),
    (f"{READS[:-2]}, every_seconds: 86401}}]", "reads.0.every_seconds", "from 1 to 86400"),
    (f"{READS[:-2]}, every_second: 2}}]", "reads.0.every_second", "did you mean every_seconds?"),
    (f"{READS[:-1]}, {READS[8:]}", "reads.1.domain", "remove one"),
]


@pytest.mark.parametrize(("line", "path", "mend"), READING_SLIPS)
def test_a_slip_in_what_is_read_is_named_with_its_mend(line: str, path: str, mend: str, tmp_path: Path) -> None:
    text = READABLE.replace("mapping: mes_json", f"mapping: mes_json\n    {line}")

    (fault,) = faults(tmp_path, text, KNOWN)

    assert (fault.path, fault.line, mend in fault.mend) == (f"sources.mes.{path}", 15, True), fault


def test_what_a_source_reads_becomes_its_value(tmp_path: Path) -> None:
    text = READABLE.replace("mapping: mes_json", f"mapping: mes_json\n    {READS}")

    topology = read(tmp_path, text, KNOWN)

    assert topology.sources["mes"].reads == (Reading("erp", "production_orders", 30.0),)
    assert topology.sources["old"].reads == ()


def test_a_target_that_does_not_give_the_domain_is_a_fault(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, GOOD.replace("mapping: mes_json", f"mapping: mes_json\n    {READS}"), KNOWN)

    assert (fault.path, fault.mend) == ("sources.mes.reads.0.target", "add production_orders to `read`")


def test_orders_of_a_plant_are_read_by_one_source(tmp_path: Path) -> None:
    text = READABLE.replace("mapping: mes_json", f"mapping: mes_json\n    {READS}")
    text = text.replace("    intake: drop", f"    {READS}\n    intake: drop")

    (fault,) = faults(tmp_path, text, KNOWN)

    assert fault.path == "sources.old.reads.0.target"
    assert "of P200 are read from 'erp' already" in fault.reason


def test_a_code_that_means_two_plants_cannot_be_read(tmp_path: Path) -> None:
    text = READABLE.replace("mapping: mes_json", f"mapping: mes_json\n    {READS}")
    text = text.replace("    secret: erp", "    secret: erp\n    mapping_options: {locations: {P200: P100}}")

    (fault,) = faults(tmp_path, text, KNOWN)

    assert "P100 and P200 by one code, 'P100'" in fault.reason
    assert "`locations`" in fault.mend


@pytest.mark.parametrize(("old", "new", "line", "path", "mend"), SLIPS)
def test_a_slip_is_named_with_its_line_and_its_mend(
    old: str, new: str, line: int, path: str, mend: str, tmp_path: Path
) -> None:
    assert old in GOOD
    text = GOOD.replace(old, new, 1)

    found = faults(tmp_path, text, KNOWN)

    fault = next((fault for fault in found if fault.path == path), None)
    assert fault is not None, found
    assert (fault.file, fault.line) == (str(tmp_path / "topology.yaml"), line)
    assert mend in fault.mend
    assert str(fault).startswith(f"{tmp_path}/topology.yaml:{line}: ")


def test_all_faults_are_told_at_once_and_in_order(tmp_path: Path) -> None:
    text = GOOD.replace("Europe/Berlin", "Berlin").replace("lanes: 4", "lanes: 0").replace("target: erp}", "target: x}")

    found = faults(tmp_path, text)

    assert [fault.line for fault in found] == [5, 9, 44]


def test_a_file_with_one_slip_has_one_fault(tmp_path: Path) -> None:
    assert len(faults(tmp_path, GOOD.replace("timezone: Europe/Berlin", "timezone: 5"))) == 1


def test_a_secret_in_the_file_is_never_repeated(tmp_path: Path) -> None:
    text = GOOD.replace("secret: erp", "secret: hunter2/hunter2").replace("scheme: bearer", "token: hunter2")
    text = text.replace("https://", "https://me:hunter2@")

    found = faults(tmp_path, text)

    assert len(found) == 3
    assert not [fault for fault in found if "hunter2" in str(fault)]


def test_a_secret_in_options_may_be_named(tmp_path: Path) -> None:
    topology = read(tmp_path, GOOD.replace("scheme: bearer", "password: {secret: erp-password}"))

    assert topology.targets["erp"].options == {"auth": {"password": {"secret": "erp-password"}}}


def test_a_parameter_called_key_may_hold_a_placeholder(tmp_path: Path) -> None:
    topology = read(tmp_path, GOOD.replace("scheme: bearer", "key: '{posting_key}'"))

    assert topology.targets["erp"].options == {"auth": {"key": "{posting_key}"}}


def test_a_type_that_a_targets_mapping_cannot_write_is_a_fault(tmp_path: Path) -> None:
    known = KnownNames(KNOWN.types, KNOWN.inbound, {("erp", "inventory.moved.v1")}, KNOWN.adapters)

    found = faults(tmp_path, GOOD, known)

    assert [(fault.line, fault.path) for fault in found] == [(44, "routes.0.targets.0.target")]


def test_a_source_of_canonical_events_needs_no_mapping_of_ours(tmp_path: Path) -> None:
    topology = read(tmp_path, GOOD.replace("mapping: mes_json", "mapping: canonical"), KNOWN)

    assert topology.sources["mes"].mapping == "canonical"


def test_a_topology_without_plants_is_a_fault(tmp_path: Path) -> None:
    found = faults(tmp_path, "version: 1\n")

    assert [(fault.line, fault.path) for fault in found] == [(1, "plants")]


@pytest.mark.parametrize("section", ["plants", "systems_of_record"])
def test_a_section_of_another_kind_is_named(section: str, tmp_path: Path) -> None:
    found = faults(tmp_path, textwrap.dedent(f"version: 1\n{section}: nonsense\n"))

    assert (2, section) in [(fault.line, fault.path) for fault in found]


PERIODS = "periods: {policy: hold, closed_when: {path: code, values: [CLOSED]}, open_from: first}"


@pytest.mark.parametrize(
    ("slip", "path", "mend"),
    [
        ("periods: {}", "policy", "hold or next_open"),
        (PERIODS.replace("hold", "holds"), "policy", "did you mean hold?"),
        (PERIODS.replace("[CLOSED]", "[]"), "closed_when.values", "PERIOD_CLOSED"),
        (PERIODS.replace("path: code", "path: a..b"), "closed_when.path", "parted by dots"),
        ("periods: {policy: hold}", "closed_when", "add it"),
    ],
)
def test_a_slip_in_posting_periods_is_named_with_its_mend(slip: str, path: str, mend: str, tmp_path: Path) -> None:
    missing = [OptionFault(("closed_when",), "it is missing", "add it")]
    checks = KNOWN.options._replace(periods=lambda _, block: [] if "open_from" in block else missing)
    known = replace(KNOWN, options=checks)

    (fault,) = faults(tmp_path, GOOD.replace("secret: erp", f"secret: erp\n    {slip}"), known)

    assert (fault.path, mend in fault.mend) == (f"targets.erp.periods.{path}", True), fault


def test_posting_periods_become_their_value(tmp_path: Path) -> None:
    topology = read(tmp_path, GOOD.replace("secret: erp", f"secret: erp\n    {PERIODS}"))

    closed = ClosedWhen("code", ("CLOSED",), (422,))
    assert topology.targets["erp"].periods == Periods("hold", closed_when=closed, open_from="first")


def test_what_a_refusal_brings_about_is_the_routes_own_choice(tmp_path: Path) -> None:
    text = GOOD.replace("targets: [{target: erp}]", "targets: [{target: erp}]\n    compensate: by_person")

    topology = read(tmp_path, text)

    assert not topology.compensates("production.completed.v1", "P100", "erp")
    assert topology.compensates("inventory.moved.v1", "P100", "erp")
    assert not topology.compensates("inventory.moved.v1", "P200", "erp")
    assert not topology.compensates("inventory.moved.v1", "P100", "wms")
