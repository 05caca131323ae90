"""Tryton's own processes: how its modules are activated, its database filled, its key issued, its server started.

Nothing of Tryton is ever loaded into a process of ours; its global pool, cache and configuration stay in theirs.
"""

from __future__ import annotations

import hashlib
import secrets
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

MODULES = ("production", "stock_lot", "purchase")
PACKAGES = ("trytond", *(f"trytond-{module.replace('_', '-')}" for module in MODULES))
BUILD_TIMEOUT_SECONDS = 600.0
KEY_TIMEOUT_SECONDS = 60.0
# How much Tryton writes while it activates the modules, and what the seeding says; progress only.
MODULE_LINES = 840
SEED_LINES = 6

Progress = Callable[[float, str], None]


class ErpUnavailable(Exception):
    """Tryton cannot be built or started here; the text says what to do about it."""


def is_installed() -> bool:
    try:
        for package in PACKAGES:
            metadata.version(package)
    except metadata.PackageNotFoundError:
        return False
    return True


def require_tryton() -> None:
    if not is_installed():
        raise ErpUnavailable("Tryton is not installed; run: pip install 'lineside[tryton]'.")


def build_fingerprint() -> str:
    """Changes whenever Tryton's packages, its seeding or its catalogue do."""
    digest = hashlib.sha256()
    for package in PACKAGES:
        digest.update(f"{package}={metadata.version(package)}\n".encode())
    for name in ("erp.py", "erp_processes.py", "erp_seed.py", "catalogue.py"):
        digest.update(Path(__file__).with_name(name).read_bytes())
    return digest.hexdigest()[:16]


@dataclass(frozen=True)
class ErpDatabase:
    """Where Tryton keeps it. ``uri`` names a server and no database; ``folder`` is where SQLite's file is."""

    name: str
    uri: str = "sqlite://"
    folder: Path | None = None

    def environment(self) -> dict[str, str]:
        """All that a Tryton process is told. An empty ``web.root`` keeps it from serving the files under ~/www."""
        return {
            "TRYTOND_DATABASE__URI": self.uri,
            **({"TRYTOND_DATABASE__PATH": str(self.folder.resolve())} if self.folder else {}),
            "TRYTOND_DATABASE__LANGUAGE": "en",
            "TRYTOND_WEB__ROOT": "",
            "TRYTOND_LOGGING_LEVEL": "40",
            "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
            "PYTHONUTF8": "1",
        }


def fill(database: ErpDatabase, work: Path, progress: Progress) -> None:
    """Activate the modules in an empty database and fill it; 15 to 40 s. ``work`` is a folder for what lasts as long.

    The administrator's password is random and kept nowhere: nobody logs in as such.
    """
    password = work / "password"
    password.touch(mode=0o600)
    password.write_text(secrets.token_urlsafe(24), encoding="utf-8")
    command = [sys.executable, "-c", "from trytond.cli.admin import main; main()", "-vv", "-d", database.name]
    command += ["--email", "admin@lineside.invalid", "--activate-dependencies", "-u", *MODULES]
    activating = _Lines(progress, "activating the ERP's modules", 0.0, 0.7, MODULE_LINES)
    _run(command, database, BUILD_TIMEOUT_SECONDS, {"TRYTONPASSFILE": str(password)}, activating)
    password.unlink()
    filling = _Lines(progress, "filling plants, items, bills of materials and stock", 0.7, 0.99, SEED_LINES)
    _run(_seed_command("seed", database), database, BUILD_TIMEOUT_SECONDS, on_line=filling)


def new_key(database: ErpDatabase) -> str:
    """A fresh REST key for the service user, handed over through a pipe and stored by nobody but Tryton.

    Keys issued earlier stop working at once, so a key that leaked into an old process's environment is worth nothing.
    """
    return _run(_seed_command("key", database), database, KEY_TIMEOUT_SECONDS).strip()


def server(database: ErpDatabase, port: int, threads: int) -> tuple[list[str], dict[str, str]]:
    """Arguments and environment of the process that serves this database on the loopback interface.

    Not Tryton's own server, which closes the connection after each answer.
    """
    arguments = [sys.executable, "-m", "gunicorn", "trytond.application:app", "--bind", f"127.0.0.1:{port}"]
    arguments += ["--workers", "1", "--worker-class", "gthread", "--threads", str(threads)]
    arguments += ["--keep-alive", "75", "--graceful-timeout", "10", "--no-control-socket", "--log-level", "warning"]
    return arguments, {**database.environment(), "TRYTOND_DATABASE_NAMES": database.name}


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


def _seed_command(action: str, database: ErpDatabase) -> list[str]:
    return [sys.executable, "-m", "app.demo.erp_seed", action, database.name]


def _run(
    command: list[str],
    database: ErpDatabase,
    timeout_seconds: float,
    extra: Mapping[str, str] | None = None,
    on_line: Callable[[], None] = lambda: None,
) -> str:
    """The child's output; the lines of its error stream count as progress, and the last of them explain a failure."""
    environment = {**database.environment(), **(extra or {})}
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
