"""Takes one dropped file in a process of its own and prints its peak memory: ``python -m ... HOME ROWS LAST``,
where LAST is what each row ends with: nothing makes them good, a further column bad."""

from __future__ import annotations

import json
import os
import re
import resource
import sys
from pathlib import Path

from app.inbox.lanes import ensure_lanes
from app.intake.context import Intake
from app.intake.watcher import watcher_for
from app.store.migrate import upgrade
from app.store.session import Store
from config.settings import load_settings
from config.topology_file import load_topology

HEADER = "record_no;order_no;operation;item_no;good_qty;scrap_qty;unit;reason;lot_no;posted_on;posted_time;last\n"


def main(home: Path, rows: int, last: str) -> None:
    settings, topology = load_settings({"LINESIDE_HOME": str(home)}), load_topology(None)
    home.mkdir(parents=True, exist_ok=True)
    store = Store(settings.database_url)
    upgrade(store)
    with store.writing() as session:
        ensure_lanes(session, [(plant.code, plant.lanes) for plant in topology.plants.values()])
    taken: list[int] = []
    watcher = watcher_for(settings, topology, Intake(store, lambda _plant, count: taken.append(count)))
    path = settings.drop_dir / "legacy-p300" / "in" / "CONF1.csv"
    with path.open("w") as stream:
        stream.write(HEADER)
        for number in range(rows):
            stream.write(f"{number};7001;10;FRAME-200;5;0;PC;;L{number};02.03.2026;080000;{last}\n")
        stream.write(f"TRL;{rows};{0 if last else 5 * rows};0\n")  # of rows that can be read
    os.utime(path, (0, 0))
    before = peak_bytes()
    watcher.look()
    print(json.dumps({"accepted": sum(taken), "before_bytes": before, "peak_bytes": peak_bytes()}))


def peak_bytes() -> int:
    """The most that this process ever held. Linux hands ``ru_maxrss`` down from the parent, so it is asked for its own
    figure; macOS counts ``ru_maxrss`` in bytes."""
    status = Path("/proc/self/status")
    if status.exists():
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        assert found is not None
        return int(found.group(1)) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
