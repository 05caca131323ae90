"""The text of the topology: what is YAML enough, what a file may include, and where the bounds are."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.topology import Topology
from config.topology_file import TopologyError, TopologyFault, load_topology
from config.yaml_tree import YamlFault, read_yaml

PLANT = "plants:\n  - {code: P100, name: A, timezone: UTC}\n"
MAIN = "version: 1\n" + PLANT


def write(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder / "main.yaml"


def load(folder: Path, **texts: str) -> Topology:
    return load_topology(write(folder, **texts))


def faults(folder: Path, **texts: str) -> list[TopologyFault]:
    with pytest.raises(TopologyError) as raised:
        load(folder, **texts)
    return raised.value.faults


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 1, "empty"),
        ("# only a comment\n", 1, "empty"),
        ("- a\n", 1, "block of keys"),
        ("a: [1, 2\nb: 3\n", 2, "not YAML"),
        ("a: 1\n\tb: 2\n", 2, "not YAML"),
        ("a: 'x\n", 2, "not YAML"),
        ("a: 1\nb: 2\na: 3\n", 3, "second time (first on line 1)"),
        ("a: !!python/object:os.system x\n", 1, "tag"),
        ("a: !secret x\n", 1, "tag"),
        ("a: *b\n", 1, "names no anchor"),
        ("a: &b [*b]\n", 1, "inside its own anchor"),
        ("a: 1\n---\nb: 2\n", 2, "second YAML document"),
        ("1: a\n", 1, "not text"),
        ("[a]: b\n", 1, "not text"),
        ("a: .nan\n", 1, "usable number"),
        ("a: 1e999\n", 1, "usable number"),
        ("a: " + "9" * 5000 + "\n", 1, "usable number"),
        ("a: 1\nb: \x07\n", 2, "character"),
        ("a: " + "[" * 200 + "]" * 200 + "\n", 1, "nested"),
        ("a: {<<: 5}\n", 1, "<<"),
    ],
)
def test_what_is_not_plain_yaml_is_named_with_its_line(text: str, line: int, reason: str, tmp_path: Path) -> None:
    found = faults(tmp_path, main=text)

    assert (found[0].line, reason in found[0].reason) == (line, True), found


def test_aliases_that_unfold_without_end_are_refused_at_once(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]

    begin = time.monotonic()
    found = faults(tmp_path, main="\n".join(lines))

    assert "unfolds to more than" in found[0].reason
    assert time.monotonic() - begin < 2


def test_a_file_over_a_megabyte_is_refused_unread(tmp_path: Path) -> None:
    found = faults(tmp_path, main=MAIN + "#" * 1_000_000)

    assert "larger than" in found[0].reason


def test_bytes_that_are_not_utf8_are_named_with_their_line(tmp_path: Path) -> None:
    path = write(tmp_path, main="")
    path.write_bytes(b"version: 1\n# M\xfcnchen\n")

    with pytest.raises(TopologyError) as raised:
        load_topology(path)

    assert (raised.value.faults[0].line, raised.value.faults[0].mend) == (2, "save it as UTF-8")


def test_a_file_that_is_not_there_is_a_fault_and_not_a_crash(tmp_path: Path) -> None:
    with pytest.raises(TopologyError, match="cannot be read"):
        load_topology(tmp_path / "none.yaml")


def test_a_byte_order_mark_and_windows_line_ends_do_not_matter(tmp_path: Path) -> None:
    path = write(tmp_path, main="")
    path.write_bytes(b"\xef\xbb\xbf" + MAIN.replace("\n", "\r\n").encode())

    assert list(load_topology(path).plants) == ["P100"]


def test_words_that_old_yaml_took_for_truth_stay_words() -> None:
    assert read_yaml("a: no\nb: on\nc: 010\nd: true\ne: 1_000").plain() == {
        "a": "no",
        "b": "on",
        "c": 10,
        "d": True,
        "e": 1000,
    }


def test_a_merged_block_gives_way_to_the_blocks_own_keys() -> None:
    tree = read_yaml("base: &b {x: 1, y: 2}\none: {y: 3, <<: *b}\ntwo: {<<: *b, y: 4}\nthree: {<<: [*b, {z: 5}]}")

    assert tree.plain()["one"] == {"y": 3, "x": 1}
    assert tree.plain()["two"] == {"x": 1, "y": 4}
    assert tree.plain()["three"] == {"x": 1, "y": 2, "z": 5}


def test_a_plant_may_stand_in_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "plants").mkdir()
    (tmp_path / "plants" / "p200.yaml").write_text("plants:\n  - {code: P200, name: B, timezone: UTC}\n")

    topology = load(tmp_path, main=MAIN + "include: [plants/p200.yaml]\n")

    assert list(topology.plants) == ["P100", "P200"]
    assert topology.positions["plants.P200.name"] == f"{tmp_path}/plants/p200.yaml:2"


def test_a_pattern_includes_every_file_it_matches_by_name(tmp_path: Path) -> None:
    topology = load(
        tmp_path,
        main="version: 1\ninclude: ['p*.yaml']\n",
        p2="plants:\n  - {code: P2, name: B, timezone: UTC}\n",
        p1="plants:\n  - {code: P1, name: B, timezone: UTC}\n",
    )

    assert list(topology.plants) == ["P1", "P2"]


def test_a_code_in_two_files_is_a_fault_that_names_both_places(tmp_path: Path) -> None:
    found = faults(tmp_path, main=MAIN + "include: [more.yaml]\n", more=PLANT)

    assert (Path(found[0].file).name, found[0].line) == ("more.yaml", 2)
    assert f"first at {tmp_path}/main.yaml:3" in found[0].reason


def test_a_system_of_record_in_two_files_is_a_fault_that_names_both_places(tmp_path: Path) -> None:
    source = "sources:\n  - {code: a, kind: MES, plants: [P100], mapping: canonical}\n"
    record = "systems_of_record:\n  items: {system: a}\n"

    found = faults(tmp_path, main=MAIN + source + record + "include: [more.yaml]\n", more=record)

    assert (Path(found[0].file).name, found[0].line) == ("more.yaml", 2)
    assert f"first at {tmp_path}/main.yaml:7" in found[0].reason


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing.yaml", "no file"),
        ("main.yaml", "includes itself"),
        ("back.yaml", "includes itself"),
        ("../outside.yaml", "outside the topology's folder"),
        ("/etc/hostname", "outside the topology's folder"),
        ("link.yaml", "outside the topology's folder"),
        ("missing-*.yaml", "no file"),
        ("../**/*.yaml", "outside the topology's folder"),
        ('"a\\0*"', "no file can have this name"),
        ("a" * 5000, "no file can have this name"),
        ("circle.yaml", "no file can have this name"),
    ],
)
def test_an_include_that_cannot_be_is_named_with_its_line(name: str, reason: str, tmp_path: Path) -> None:
    folder = tmp_path / "topology"
    folder.mkdir()
    (tmp_path / "outside.yaml").write_text(PLANT)
    (folder / "link.yaml").symlink_to(tmp_path / "outside.yaml")
    (folder / "circle.yaml").symlink_to(folder / "circle.yaml")

    found = faults(folder, main=MAIN + f"include:\n  - {name}\n", back="include: [main.yaml]\n")

    assert len(found) == 1
    assert reason in found[0].reason


def test_a_file_included_twice_is_a_fault(tmp_path: Path) -> None:
    found = faults(tmp_path, main="version: 1\ninclude: [p.yaml, p.yaml]\n", p=PLANT)

    assert [(fault.line, fault.path) for fault in found] == [(2, "include.1")]


def test_includes_are_bounded_in_depth(tmp_path: Path) -> None:
    chain = {f"f{n}": f"include: [f{n + 1}.yaml]\n" for n in range(8)} | {"f8": "version: 1\n"}

    found = faults(tmp_path, main=MAIN + "include: [f0.yaml]\n", **chain)

    assert "deep" in found[0].reason


def test_a_file_that_cannot_be_read_does_not_make_its_names_unknown(tmp_path: Path) -> None:
    main = "version: 1\ninclude: [p.yaml]\nsources:\n  - {code: s, kind: MES, plants: [P9], mapping: canonical}\n"

    found = faults(tmp_path, main=main, p="plants: [\n")

    assert [Path(fault.file).name for fault in found] == ["p.yaml"]


@given(st.text(max_size=200))
def test_any_text_is_a_tree_or_one_fault(text: str) -> None:
    try:
        line = read_yaml(text).line
    except YamlFault as fault:
        line = fault.line if fault.mend else 0

    assert 1 <= line <= len(re.split("\r\n|[\r\n\x85\u2028\u2029]", text)) + 1


def test_a_hundred_plants_are_read_within_seconds(tmp_path: Path) -> None:
    plants = "".join(f"  - {{code: P{n}, name: Plant, timezone: Europe/Berlin}}\n" for n in range(100))
    sources = "".join(f"  - {{code: s{n}, kind: MES, plants: [P{n}], mapping: canonical}}\n" for n in range(100))

    begin = time.monotonic()
    topology = load(tmp_path, main=f"version: 1\nplants:\n{plants}sources:\n{sources}")

    assert len(topology.plants) == 100
    assert time.monotonic() - begin < 5
