"""The environment, read once into one frozen object.

Nothing else in Lineside reads ``os.environ``; a value that cannot be used stops the start and names its variable.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

SECRET_PREFIX = "LINESIDE_SECRET_"  # noqa: S105 - the names' beginning, not a secret


class SettingError(Exception):
    """A variable holds a value that cannot be used; the text names the variable and the mend."""


@dataclass(frozen=True)
class Settings:
    """Everything that differs from one installation to the next, apart from the topology file."""

    home: Path
    database_url: str
    broker_url: str
    broker_is_embedded: bool
    config_path: Path | None
    host: str = "127.0.0.1"
    port: int = 8080
    flower_port: int = 5555
    flower_host: str = "127.0.0.1"
    max_body_bytes: int = 5_000_000
    web_workers: int = 2
    web_threads: int = 8
    process_wait_seconds: int = 5
    process_waiters: int = 4
    work_processes: int = 2
    post_threads: int = 16
    batch_size: int = 200
    lease_seconds: int = 60
    secret_key: str = field(default="", repr=False)
    log_level: str = "INFO"
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def drop_dir(self) -> Path:
        return self.home / "drop"

    @property
    def run_dir(self) -> Path:
        """Sockets, pid files and the metrics of live processes; may be emptied while nothing runs."""
        return self.home / "run"

    @property
    def log_dir(self) -> Path:
        return self.home / "log"

    @property
    def metrics_dir(self) -> Path:
        """Where every process keeps its counters, so that one of them can answer for all."""
        return self.run_dir / "metrics"

    def anchored(self) -> dict[str, str]:
        """The variables that name places, absolute: they mean the same in a process with another working directory."""
        named = {"LINESIDE_HOME": str(self.home), "LINESIDE_DATABASE_URL": self.database_url}
        return named | ({"LINESIDE_CONFIG": str(self.config_path)} if self.config_path else {})

    def secret(self, name: str) -> str | None:
        """The secret that the topology calls ``name``, from ``LINESIDE_SECRET_<NAME>``; None where it is not set."""
        return self.secrets.get(secret_variable(name))


def secret_variable(name: str) -> str:
    """The environment variable that holds the secret of this name."""
    return SECRET_PREFIX + name.upper().replace("-", "_").replace(".", "_")


def _whole_number(environ: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = environ.get(name, "").strip()
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise SettingError(f"{name} is {text!r}; give a whole number from {low} to {high}.")
    return int(text)


def _config_path(environ: Mapping[str, str]) -> Path | None:
    text = environ.get("LINESIDE_CONFIG", "").strip()
    if not text:
        return None
    path = Path(text).expanduser().resolve()
    if not path.is_file():
        raise SettingError(f"LINESIDE_CONFIG is {text!r}, and no file is there; give the topology file's path.")
    return path


def _database_url(environ: Mapping[str, str], home: Path) -> str:
    url = environ.get("LINESIDE_DATABASE_URL", "").strip()
    if not url:
        return f"sqlite:///{home / 'lineside.db'}"
    if url.startswith("postgresql://"):
        return "postgresql+psycopg://" + url.removeprefix("postgresql://")
    if url.startswith("sqlite:///"):
        return f"sqlite:///{Path(url.removeprefix('sqlite:///')).expanduser().resolve()}"
    if not url.startswith("postgresql+psycopg://"):
        scheme = url.split(":", 1)[0]
        raise SettingError(
            f"LINESIDE_DATABASE_URL begins with {scheme!r}; give sqlite:///PATH or postgresql://USER@HOST/DATABASE."
        )
    return url


def _broker_url(environ: Mapping[str, str], home: Path) -> tuple[str, bool]:
    url = environ.get("LINESIDE_BROKER_URL", "").strip()
    if not url:
        return f"redis+socket://{home / 'run' / 'valkey.sock'}", True
    if not url.startswith(("redis://", "rediss://", "redis+socket://", "amqp://", "amqps://")):
        scheme = url.split(":", 1)[0]
        raise SettingError(f"LINESIDE_BROKER_URL begins with {scheme!r}; give redis://... or amqp://...")
    return url, False


def inherited_environment(additions: Mapping[str, str], environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's own environment with ``additions``, for a process that it starts or becomes."""
    return {**(os.environ if environ is None else environ), **additions}


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the environment; raises SettingError at the first variable that cannot be used."""
    environ = os.environ if environ is None else environ
    home = Path(environ.get("LINESIDE_HOME", "").strip() or "~/.lineside").expanduser().resolve()
    broker_url, embedded = _broker_url(environ, home)
    web_threads = _whole_number(environ, "LINESIDE_WEB_THREADS", 8, 1, 256)
    return Settings(
        home=home,
        database_url=_database_url(environ, home),
        broker_url=broker_url,
        broker_is_embedded=embedded,
        config_path=_config_path(environ),
        host=environ.get("LINESIDE_HOST", "").strip() or "127.0.0.1",
        port=_whole_number(environ, "LINESIDE_PORT", 8080, 1, 65535),
        flower_port=_whole_number(environ, "LINESIDE_FLOWER_PORT", 5555, 1, 65535),
        max_body_bytes=_whole_number(environ, "LINESIDE_MAX_BODY_BYTES", 5_000_000, 1_000, 1_000_000_000),
        web_workers=_whole_number(environ, "LINESIDE_WEB_WORKERS", 2, 1, 64),
        web_threads=web_threads,
        process_wait_seconds=_whole_number(environ, "LINESIDE_PROCESS_WAIT_SECONDS", 5, 0, 45),
        process_waiters=_whole_number(environ, "LINESIDE_PROCESS_WAITERS", web_threads // 2, 0, 255),
        work_processes=_whole_number(environ, "LINESIDE_WORK_PROCESSES", 2, 1, 256),
        post_threads=_whole_number(environ, "LINESIDE_POST_THREADS", 16, 1, 512),
        batch_size=_whole_number(environ, "LINESIDE_BATCH_SIZE", 200, 1, 5_000),
        lease_seconds=_whole_number(environ, "LINESIDE_LEASE_SECONDS", 60, 2, 3_600),
        secret_key=environ.get("LINESIDE_SECRET_KEY", ""),
        log_level=environ.get("LINESIDE_LOG_LEVEL", "").strip().upper() or "INFO",
        secrets={name: value for name, value in environ.items() if name.startswith(SECRET_PREFIX)},
    )
