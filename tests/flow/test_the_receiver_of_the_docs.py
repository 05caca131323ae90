"""The receiver that docs/webhooks-and-feeds.md shows verifies what is sent, as it stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from app.bench.ground import free_port
from app.clock import utc_now
from app.store.session import Store
from tests.fakes import Clock
from tests.flow.hooks import Hooks

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "webhooks-and-feeds.md").read_text(encoding="utf-8")


def test_the_receiver_of_the_docs_takes_what_is_signed_once_and_refuses_what_is_not(
    sqlite_store: Store, tmp_path: Path
) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "receiver.py").write_text(code)
    port, hooks = free_port(), Hooks(sqlite_store, tmp_path, Clock(utc_now()))
    url = f"http://127.0.0.1:{port}/"
    subscriber, secret = hooks.subscribe(url)
    ids = hooks.tell("L1", "L1")
    environment = {**os.environ, "WEBHOOK_SECRET": secret}
    command = [sys.executable, str(tmp_path / "receiver.py"), str(port)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as receiver:
        try:
            forged = _answer_when_it_runs(url)
            hooks.serve(subscriber)
            assert receiver.stdout is not None
            printed = [receiver.stdout.readline().strip() for _ in ids]
        finally:
            receiver.kill()

    assert forged == 401
    assert printed == [f"inventory.moved.v1 {name}" for name in ids]
    assert set(hooks.states(subscriber).values()) == {"delivered"}


def _answer_when_it_runs(url: str) -> int:
    """To a body that nobody signed."""
    until = time.monotonic() + 30
    while True:
        try:
            urllib.request.urlopen(urllib.request.Request(url, data=b"{}"), timeout=5).close()
        except urllib.error.HTTPError as error:
            error.close()
            return error.code
        except OSError:
            assert time.monotonic() < until, "the receiver does not start"
            time.sleep(0.05)
