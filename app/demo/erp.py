"""The demonstration's ERP: a real Tryton on SQLite, built once, copied to the installation's home, served on loopback.

Tryton is an optional extra. Everything of it runs in processes of its own; Lineside speaks to it over REST only.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import closing
from importlib import metadata
from pathlib import Path
from typing import Any

from app.adapters.bounded_http import BoundedHttp
from app.adapters.tryton_documents import ANY_KEY
from app.adapters.tryton_rest import TrytonRest
from app.demo.catalogue import SERVICE_LOGIN
from app.demo.erp_processes import (
    ErpDatabase,
    ErpUnavailable,
    Progress,
    build_fingerprint,
    fill,
    new_key,
    require_tryton,
    server,
)

DATABASE = "lineside"
COUNT_TIMEOUT_SECONDS = 30.0


def build_erp(cache_dir: Path, progress: Progress) -> Path:
    """The seeded database of this fingerprint, built at most once (15 to 40 s) and renamed into place when whole.

    The lock lets a second build wait for the first and then use its result; whatever a killed build left behind is
    removed by the next one, which can be sure that nobody works in it.
    """
    require_tryton()
    finished = cache_dir / f"erp-{build_fingerprint()}.sqlite"
    cache_dir.mkdir(parents=True, exist_ok=True)
    with (cache_dir / "erp-build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not finished.is_file():
            for leftover in cache_dir.glob("erp-build-*"):
                shutil.rmtree(leftover)
            _build(finished, progress)
    progress(1.0, "ready")
    return finished


def _build(finished: Path, progress: Progress) -> None:
    with tempfile.TemporaryDirectory(prefix="erp-build-", dir=finished.parent) as work:
        database = Path(work) / f"{DATABASE}.sqlite"
        database.touch(mode=0o600)
        fill(on_sqlite(database), Path(work), progress)
        _close_whole(database)
        for earlier in finished.parent.glob("erp-*.sqlite"):
            earlier.unlink()
        os.replace(database, finished)


def place_erp(home: Path, progress: Progress = lambda share, doing: None, cache_dir: Path | None = None) -> Path:
    """The installation's own ERP database; one that is already there keeps all that was posted to it."""
    require_tryton()
    placed = home / "erp" / f"{DATABASE}.sqlite"
    if placed.is_file():
        _check_series(placed)
        return placed
    built = build_erp(cache_dir or home / "cache", progress)
    placed.parent.mkdir(parents=True, exist_ok=True)
    copy = placed.with_suffix(".copying")
    shutil.copyfile(built, copy)
    copy.chmod(0o600)
    os.replace(copy, placed)
    return placed


def on_sqlite(database_path: Path) -> ErpDatabase:
    return ErpDatabase(database_path.stem, folder=database_path.parent)


def issue_key(database_path: Path) -> str:
    """A fresh REST key for the service user; earlier ones stop working at once."""
    return new_key(on_sqlite(database_path))


def serve_command(database_path: Path, port: int) -> tuple[list[str], dict[str, str]]:
    """Arguments and environment of the process that serves this database on the loopback interface.

    One thread: on SQLite Tryton's table locks do nothing, so two writers at once were seen to give two productions one
    number, and could reserve the same stock. A second one would gain nothing either, since every call is bound by the
    processor.
    """
    return server(on_sqlite(database_path), port, threads=1)


def _close_whole(database: Path) -> None:
    """Fold the write-ahead log into the one file that will be renamed; without this the last commits stay behind."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode = DELETE")
        (found,) = connection.execute("SELECT count(*) FROM res_user WHERE login = ?", [SERVICE_LOGIN]).fetchone()
    if not found:
        raise ErpUnavailable("Tryton's database was built but not filled; try again.")


def _check_series(database: Path) -> None:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        (series,) = connection.execute("SELECT series FROM ir_configuration").fetchone()
    installed = ".".join(metadata.version("trytond").split(".")[:2])
    if series != installed:
        raise ErpUnavailable(
            f"{database} belongs to Tryton {series}, and {installed} is installed; move the file away to begin anew."
        )


def erp_counts(url: str, key: str) -> Mapping[str, int]:
    """How many documents with a posting key of Lineside's Tryton itself holds as done, per plant."""
    rest = TrytonRest(url, key, BoundedHttp(COUNT_TIMEOUT_SECONDS, 1))
    counts = {}
    for house in rest.every("stock.location", [["type", "=", "warehouse"]], ["code"]):
        counts[house["code"]] = sum(
            rest.count(model, [_POSTED, ["state", "=", "done"], domain]) for model, domain in _of_warehouse(house["id"])
        )
    return counts


# What has more behind the key than a space is a helper document of one posting.
_POSTED = ["OR", ["reference", "like", ANY_KEY], ["reference", "like", f"{ANY_KEY} %"]]


def _of_warehouse(house_id: int) -> list[tuple[str, list[Any]]]:
    """Transfers count where they start; waste lies outside of Tryton's warehouses and only points to them."""
    within = ["from_location", "child_of", [house_id], "parent"]
    waste = ["from_location.waste_warehouses", "=", house_id]
    return [
        ("production", ["warehouse", "=", house_id]),
        ("stock.shipment.internal", ["OR", within, waste]),
        ("stock.shipment.in", ["warehouse", "=", house_id]),
        ("stock.shipment.in.return", within),
    ]
