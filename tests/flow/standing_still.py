"""Included in a worker: a command upon which its main loop stands still, and a watch that looks more often."""

from __future__ import annotations

import time
from typing import Any

from celery.worker.control import control_command

from tasks import pool_watch

pool_watch.LOOK_EVERY_SECONDS = 0.1


@control_command(name="stand_still")  # type: ignore[untyped-decorator]
def stand_still(_: Any) -> None:
    time.sleep(100_000)
