"""The demonstration's ERP: a real Tryton on SQLite, built once, copied to the installation's home, served on loopback.

Tryton is an optional extra. Everything of it runs in processes of its own; Lineside speaks to it over REST only.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import closing
from importlib import metadata
from pathlib import Path
from typing import Any

from app.adapters.bounded_http import BoundedHttp
from app.adapters.tryton_documents import ANY_KEY
from app.adapters.tryton_rest import TrytonRest
from app.demo.catalogue import SERVICE_LOGIN

DATABASE = "lineside"
MODULES = ("production", "stock_lot", "purchase")
PACKAGES = ("trytond", *(f"trytond-{module.replace('_', '-')}" for module in MODULES))
BUILD_TIMEOUT_SECONDS = 600.0
KEY_TIMEOUT_SECONDS = 60.0
COUNT_TIMEOUT_SECONDS = 30.0
# How much Tryton writes while it activates the modules, and what the seeding says; progress only.
MODULE_LINES = 840
SEED_LINES = 6

Progress = Callable[[float, str], None]


class ErpUnavailable(Exception):
    """The demonstration's ERP cannot be built or started; the text says what to do about it."""


def is_installed() -> bool:
    try:
        for package in PACKAGES:
            metadata.version(package)
    except metadata.PackageNotFoundError:
        return False
    return True


def _require_tryton() -> None:
    if not is_installed():
        raise ErpUnavailable("Tryton is not installed; run: pip install 'lineside[tryton]'.")


def build_fingerprint() -> str:
    """Changes whenever the ERP's packages, its seeding or its catalogue do."""
    digest = hashlib.sha256()
    for package in PACKAGES:
        digest.update(f"{package}={metadata.version(package)}\n".encode())
    for name in ("erp.py", "erp_seed.py", "catalogue.py"):
        digest.update(Path(__file__).with_name(name).read_bytes())
    return digest.hexdigest()[:16]


def build_erp(cache_dir: Path, progress: Progress) -> Path:
    """The seeded database of this fingerprint, built at most once (15 to 40 s) and renamed into place when whole.

    The lock lets a second build wait for the first and then use its result; whatever a killed build left behind is
    removed by the next one, which can be sure that nobody works in it.
    """
    _require_tryton()
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
        _activate_modules(database, _Lines(progress, "activating the ERP's modules", 0.0, 0.7, MODULE_LINES))
        filling = _Lines(progress, "filling plants, items, bills of materials and stock", 0.7, 0.99, SEED_LINES)
        _run(_seed_command("seed"), database, BUILD_TIMEOUT_SECONDS, on_line=filling)
        _close_whole(database)
        for earlier in finished.parent.glob("erp-*.sqlite"):
            earlier.unlink()
        os.replace(database, finished)


class _Lines:
    """Progress by the lines that a child writes: ``expected`` of them lead from ``begin`` to ``end``."""

    def __init__(self, progress: Progress, doing: str, begin: float, end: float, expected: int) -> None:
        self._progress, self._doing, self._begin, self._end, self._expected = progress, doing, begin, end, expected
        self._seen = 0
        progress(begin, doing)

    def __call__(self) -> None:
        self._seen += 1
        done = min(1.0, self._seen / self._expected)
        self._progress(self._begin + done * (self._end - self._begin), self._doing)


def place_erp(home: Path, progress: Progress = lambda share, doing: None) -> Path:
    """The installation's own ERP database; one that is already there keeps all that was posted to it."""
    _require_tryton()
    placed = home / "erp" / f"{DATABASE}.sqlite"
    if placed.is_file():
        _check_series(placed)
        return placed
    built = build_erp(home / "cache", progress)
    placed.parent.mkdir(parents=True, exist_ok=True)
    copy = placed.with_suffix(".copying")
    shutil.copyfile(built, copy)
    copy.chmod(0o600)
    os.replace(copy, placed)
    return placed


def issue_key(database_path: Path) -> str:
    """A fresh REST key for the service user, handed over through a pipe and stored by nobody but Tryton.

    Keys issued earlier stop working at once, so a key that leaked into an old process's environment is worth nothing.
    """
    return _run(_seed_command("key"), database_path, KEY_TIMEOUT_SECONDS).strip()


def serve_command(database_path: Path, port: int) -> tuple[list[str], dict[str, str]]:
    """Arguments and environment of the process that serves this database on the loopback interface.

    One worker with one thread: on SQLite Tryton's table locks do nothing, so two writers at once were seen to give
    two productions one number, and could reserve the same stock. A second one would gain nothing either, since every
    call is bound by the processor. Not Tryton's own server, which closes the connection after each answer.
    """
    arguments = [sys.executable, "-m", "gunicorn", "trytond.application:app", "--bind", f"127.0.0.1:{port}"]
    arguments += ["--workers", "1", "--worker-class", "gthread", "--threads", "1"]
    arguments += ["--keep-alive", "75", "--graceful-timeout", "10", "--no-control-socket", "--log-level", "warning"]
    return arguments, {**_environment(database_path), "TRYTOND_DATABASE_NAMES": database_path.stem}


def _environment(database_path: Path) -> dict[str, str]:
    """All that a Tryton process is told. An empty ``web.root`` keeps it from serving the files under ~/www."""
    return {
        "TRYTOND_DATABASE__URI": "sqlite://",
        "TRYTOND_DATABASE__PATH": str(database_path.parent.resolve()),
        "TRYTOND_DATABASE__LANGUAGE": "en",
        "TRYTOND_WEB__ROOT": "",
        "TRYTOND_LOGGING_LEVEL": "40",
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
        "PYTHONUTF8": "1",
    }


def _seed_command(action: str) -> list[str]:
    return [sys.executable, "-m", "app.demo.erp_seed", action, DATABASE]


def _activate_modules(database: Path, on_line: Callable[[], None]) -> None:
    """The administrator's password is random and kept nowhere: nobody logs in to the demonstration's ERP."""
    password = database.with_name("password")
    password.touch(mode=0o600)
    password.write_text(secrets.token_urlsafe(24), encoding="utf-8")
    command = [sys.executable, "-c", "from trytond.cli.admin import main; main()", "-vv", "-d", database.stem]
    command += ["--email", "admin@lineside.invalid", "--activate-dependencies", "-u", *MODULES]
    _run(command, database, BUILD_TIMEOUT_SECONDS, {"TRYTONPASSFILE": str(password)}, on_line)
    password.unlink()


def _run(
    command: list[str],
    database: Path,
    timeout_seconds: float,
    extra: Mapping[str, str] | None = None,
    on_line: Callable[[], None] = lambda: None,
) -> str:
    """The child's output; the lines of its error stream count as progress, and the last of them explain a failure."""
    environment = {**_environment(database), **(extra or {})}
    pipe = subprocess.PIPE
    last: deque[str] = deque(maxlen=20)
    with subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe, text=True, errors="replace") as child:
        assert child.stdout is not None
        assert child.stderr is not None
        alarm = threading.Timer(timeout_seconds, child.kill)
        alarm.start()
        try:
            for line in child.stderr:
                last.append(line)
                on_line()
            output = child.stdout.read()
        except BaseException:
            child.kill()
            raise
        finally:
            alarm.cancel()
    if child.returncode != 0:
        raise ErpUnavailable(f"Tryton could not be set up ({child.returncode}): {''.join(last).strip()[-2000:]}")
    return output


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
