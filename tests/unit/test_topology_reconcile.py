"""What the topology says of comparing balances, and what each slip is answered with."""

from __future__ import annotations

from datetime import time
from pathlib import Path

import pytest

from app.adapters.known_names import known_names
from config.reconciling import BalancesFile, Reconciling
from config.topology_faults import TopologyError
from config.topology_file import load_topology
from tests.unit.test_topology_completeness import faults, write

GOOD = """\
version: 1
plants:
  - {code: P100, name: Assembly, timezone: Europe/Berlin}
sources:
  - code: old
    kind: ERP
    plants: [P100]
    mapping: legacy_files
    intake: drop
    files:
      - pattern: "STOCK*.csv"
        type: balances
        format: csv
        options: {columns: [item, quantity, uom]}
        balances: {of: erp, level: lot, taken_at: 'STOCK(?P<at>[0-9]+)\\.csv', format: "%Y%m%d"}
targets:
  - code: erp
    kind: ERP
    adapter: tryton
    mapping: tryton
    url: http://127.0.0.1:1/x
    secret: erp
    options: {login: lineside}
    reconcile: {at: ["05:30", "21:00"], plant: P100, level: storage, against: wms, keep: 7}
  - code: wms
    kind: WMS
    adapter: http_json
    mapping: wms
    url: http://127.0.0.1:2
    options:
      auth: {scheme: none}
      check: {path: /x}
      post: {path: /x}
      find: {path: /x}
      read: {balances: {path: /stock}}
"""

RECONCILE = next(line.strip() for line in GOOD.splitlines() if "reconcile:" in line)
BALANCES = next(line.strip() for line in GOOD.splitlines() if " balances: {of" in line)
SLIPS = [
    (RECONCILE, "reconcile: {level: lot}", "erp.reconcile", "give `every_minutes: 60`"),
    (RECONCILE, 'reconcile: {every_minutes: 60, at: ["05:30"], plant: P100}', "erp.reconcile", "give `every_minutes"),
    (RECONCILE, 'reconcile: {at: ["05:30"]}', "erp.reconcile", "name the plant by whose clock"),
    (RECONCILE, "reconcile: {every_minutes: 1}", "erp.reconcile.every_minutes", "from 5"),
    (RECONCILE, 'reconcile: {at: ["5:30"], plant: P100}', "erp.reconcile.at.0", "midnight is"),
    (RECONCILE, 'reconcile: {at: ["05:30"], plant: P10}', "erp.reconcile.plant", "did you mean P100"),
    (RECONCILE, "reconcile: {every_minutes: 60, against: wm}", "erp.reconcile.against", "did you mean wms"),
    (RECONCILE, "reconcile: {every_minutes: 60, against: erp}", "erp.reconcile.against", "name another one"),
    (BALANCES, "balances: {of: er}", "old.files.0.balances.of", "did you mean erp"),
    (BALANCES, "balances: {taken_at: 'S.*'}", "old.files.0.balances.taken_at", "(?P<at>"),
    ("[item, quantity, uom]", "[item, quantity]", "old.files.0.options", "name the columns item, quantity and uom"),
    ("type: balances", "type: legacy.movement", "old.files.0.type", "write type: balances"),
]


def test_what_is_compared_and_when_becomes_its_value(tmp_path: Path) -> None:
    topology = load_topology(write(tmp_path, GOOD), known_names())

    assert topology.targets["erp"].reconcile == Reconciling(
        at=(time(5, 30), time(21)), plant="P100", level="storage", against="wms", keep=7
    )
    (file,) = topology.sources["old"].files
    assert file.balances == BalancesFile("erp", "lot", ".", r"STOCK(?P<at>[0-9]+)\.csv", "%Y%m%d")
    assert topology.targets["wms"].reconcile is None


@pytest.mark.parametrize(("line", "slip", "place", "mend"), SLIPS)
def test_a_slip_is_named_with_its_mend(tmp_path: Path, line: str, slip: str, place: str, mend: str) -> None:
    assert line in GOOD
    told = [(one.path, f"{one.reason} {one.mend}") for one in faults(tmp_path, GOOD.replace(line, slip))]

    assert [path for path, _ in told] == [f"{'sources' if 'old' in place else 'targets'}.{place}"], told
    assert mend in told[0][1]


def test_a_system_that_tells_no_balances_is_not_compared_by_itself(tmp_path: Path) -> None:
    deaf = GOOD.replace("      read: {balances: {path: /stock}}\n", "")

    with pytest.raises(TopologyError) as raised:
        load_topology(write(tmp_path, deaf), known_names())

    (fault,) = raised.value.faults
    assert (fault.path, "'wms' (adapter http_json) is not read for balances" in fault.reason) == (
        "targets.erp.reconcile.against",
        True,
    )
