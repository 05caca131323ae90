"""``python -m app.stack.nursery``: loads once what the product's processes have in common, and becomes each by a fork.

Nine processes that each import the same thousand modules take seconds of every processor to start, and memory for nine
times the same. Here all is imported before the first fork: a process starts at once and shares those pages.

The first line of standard input is empty: the home is the caller's. Each further one is an order, a JSON object of the
fields of ``Order``; each line of standard output is news,
``{"born": PID}`` for each order in turn and ``{"ended": PID, "code": CODE}`` (negative: by that signal). Where standard
input ends, so does the nursery; what it gave birth to lives on.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import selectors
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

# Loaded at once, while the caller still looks at its configuration.
LIBRARIES = (
    *("sqlalchemy.orm", "flask_smorest", "flask_login", "flask_wtf", "lxml.etree", "ruamel.yaml", "structlog"),
    "gunicorn.app.wsgiapp",
)
# Loaded when the home is the caller's, as counters lie there. None reads the settings or opens anything else when it is
# imported: each process does that for itself.
OURS = ("app.factory", "app.stack.web_worker", "app.stack.fair_threads")
# Loaded behind the birth of the web process, which needs nothing of it.
OF_WORKERS = (
    *("celery.bin.celery", "celery.apps.worker", "celery.apps.beat", "celery.worker.consumer"),
    *("celery.concurrency.thread", "celery.concurrency.prefork", "celery.concurrency.solo"),
    *("app.pipeline.relay", "app.pipeline.post", "app.pipeline.straight_on", "app.pipeline.without_permits"),
    *("app.pipeline.backlog_age", "app.pipeline.reading", "app.pipeline.reference_data", "app.projections.projector"),
    *("app.business_exceptions.rounds", "app.dead_letters.weighing", "app.exception_rules.rounds"),
    *("app.reconcile.turns", "app.retention.rounds", "app.webhooks.sending", "app.intake.watcher", "config.broker"),
)
WEB = "web"
CHUNK = 65_536
GO = b"\n"


@dataclass(frozen=True)
class Order:
    """``arguments``: of ``python -m``. What the process prints goes to the end of ``output``."""

    name: str
    arguments: list[str]
    output: str
    cwd: str


def main(
    before_ours: Callable[[], None] = lambda: None, when_born: Callable[[Order], None] = lambda order: None
) -> None:
    """``before_ours`` is called once, ``when_born`` in each child."""
    _load(LIBRARIES)
    if os.read(0, 1) != GO:
        return
    before_ours()
    _load(OURS)
    order = _serve()
    if order is not None:
        when_born(order)
        _become(order)


def _load(names: Sequence[str]) -> None:
    missing = [name for name in names if name not in sys.modules]
    for name in missing:
        import_module(name)
    if missing:
        gc.collect()
        gc.freeze()  # a collection that looked at them would copy every page


def _serve() -> Order | None:
    """The order that this process, a child, is to carry out; None where nobody is left who gives orders."""
    heard, told = os.pipe()
    os.set_blocking(told, False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(told)
    left = b""
    with selectors.DefaultSelector() as selector:
        selector.register(0, selectors.EVENT_READ)
        selector.register(heard, selectors.EVENT_READ)
        while True:
            ready = {key.fd for key, _ in selector.select()}
            if heard in ready:
                os.read(heard, CHUNK)
                _tell_ended()
            if 0 in ready:
                chunk = os.read(0, CHUNK)
                if not chunk:
                    return None
                *lines, left = (left + chunk).split(b"\n")
                for line in lines:
                    order = Order(**json.loads(line))
                    if order.name != WEB:
                        _load(OF_WORKERS)
                    if _is_born(order):
                        break
                else:
                    continue
                break
    os.close(heard)
    os.close(told)
    return order


def _tell_ended() -> None:
    with suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            _tell({"ended": found[0], "code": os.waitstatus_to_exitcode(found[1])})


def _tell(news: dict[str, int]) -> None:
    os.write(1, json.dumps(news).encode() + b"\n")


def _is_born(order: Order) -> bool:
    """True in the child, which leads a session of its own before anybody hears of it."""
    ready, done = os.pipe()
    pid = os.fork()
    if pid:
        os.close(done)
        os.read(ready, 1)
        os.close(ready)
        _tell({"born": pid})
        return False
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.setsid()
    _redirect(order)
    os.close(ready)
    os.write(done, b"1")
    os.close(done)
    return True


def _redirect(order: Order) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    output = os.open(order.output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for source, place in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, place)
    os.close(nothing)
    os.close(output)
    os.chdir(order.cwd)
    with suppress(OSError):  # what `ps -o comm` and `top` show; its command line is the nursery's
        Path("/proc/self/comm").write_text(f"lineside-{order.name}", encoding="utf-8")


def _become(order: Order) -> None:
    sys.argv = list(order.arguments)
    runpy.run_module(order.arguments[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
