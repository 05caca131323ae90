"""One installation under fire, and the faults that strike it."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from app.bench.faulty_proxy import ANY, FaultyProxy
from app.bench.ground import AWAY_SECONDS, Broker, Database
from app.bench.layout import TIMEOUT_SECONDS, TRYTON_TIMEOUT_SECONDS
from app.bench.points import Switches
from app.bench.practice_systems import TRYTON
from app.bench.schedule import Fault
from app.stack.instance import kill_group
from app.stack.programs import PROJECT
from app.stack.supervisor import Supervisor
from config.settings import inherited_environment

LEASE_SECONDS = 3
# A lane is held for its longest wave: 5 s until its calls have begun, a question and a post, and a margin of 5 s.
LANE_SECONDS = 5 + 2 * TIMEOUT_SECONDS + 5
SUSPENDED_SECONDS: Mapping[str, float] = {"post": LANE_SECONDS + 1}
TWICE_SECONDS = 6.0
CALLS_SPOILT = 3

Taken = Callable[[], bool]


class Later:
    """What is to be done after some seconds; on ``close`` at once."""

    def __init__(self) -> None:
        self._due: dict[int, Callable[[], None]] = {}
        self._timers: list[threading.Timer] = []
        self._lock = threading.Lock()

    def do(self, seconds: float, act: Callable[[], None]) -> None:
        number = len(self._timers)
        self._due[number] = act
        timer = threading.Timer(seconds, self._act, (number,))
        timer.daemon = True
        self._timers.append(timer)
        timer.start()

    def close(self) -> None:
        for timer in self._timers:
            timer.cancel()
        for number in list(self._due):
            self._act(number)

    def _act(self, number: int) -> None:
        with self._lock:
            act = self._due.pop(number, None)
        if act is not None:
            act()


@dataclass
class Arena:
    """``commands`` are those of the supervised processes; ``struck`` counts the faults that took effect, by kind."""

    supervisor: Supervisor
    commands: Mapping[str, Sequence[str]]
    environment: Mapping[str, str]
    switches: Switches
    proxies: Mapping[str, FaultyProxy]
    database: Database
    broker: Broker
    later: Later = field(default_factory=Later)
    struck: Counter[str] = field(default_factory=Counter)

    def strike(self, fault: Fault) -> Taken:
        """Let the fault happen, now or at the next chance; what is returned tells whether it has."""
        family, _, what = fault.kind.partition(".")
        if family == "kill" and "." in what:
            return self._arm(what, self.proxies[fault.target])
        self.struck[fault.kind] += 1
        acts: Mapping[str, Callable[[], Taken | None]] = {
            "kill": lambda: self._kill(what),
            "suspend": lambda: self._suspend(what),
            "broker": lambda: self._trouble_broker(what),
            "database": self.database.cut,
            "target": lambda: self._spoil(self.proxies[fault.target], what, TIMEOUT_SECONDS),
            "tryton": lambda: self._trouble_tryton(what),
            "relay": lambda: self._run_twice("relay"),
            "beat": lambda: self._run_twice("beat"),
        }
        return acts[family]() or _at_once

    def end(self, kinds: Sequence[str]) -> list[str]:
        """No more faults; returns the points that were armed and that nobody came by, which did not strike."""
        self.later.close()
        for proxy in self.proxies.values():
            proxy.recover()
        missed = [kind for kind in sorted(set(kinds)) if self.switches.disarm(kind.removeprefix("kill."))]
        self.struck -= Counter(missed)
        return missed

    def _arm(self, point: str, proxy: FaultyProxy) -> Taken:
        if point == "post.after_the_question":
            proxy.lose_answer_of("POST", ANY)  # nobody asks before something is unknown
        if not self.switches.is_armed(point):
            self.struck[f"kill.{point}"] += 1
        self.switches.arm(point)
        return lambda: not self.switches.is_armed(point)

    def _kill(self, process: str) -> None:
        pid = self.supervisor.pids().get(process)
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _suspend(self, process: str) -> None:
        """Longer than its lease: it wakes up with what is no longer its own."""
        pid = self.supervisor.pids().get(process)
        if pid is None:
            return
        _signal_group(pid, signal.SIGSTOP)
        seconds = SUSPENDED_SECONDS.get(process, LEASE_SECONDS + 1.5)
        self.later.do(seconds, lambda: _signal_group(pid, signal.SIGCONT))

    def _trouble_broker(self, how: str) -> None:
        if how == "flush":
            self.broker.flush()
        elif how == "restart":
            self.broker.restart(self.supervisor.pids())
        else:
            self.later.do(AWAY_SECONDS, self.broker.away(self.supervisor.pids()))

    def _trouble_tryton(self, how: str) -> Taken | None:
        """Its server is killed with all that it has in hand, or stands still for longer than anybody waits."""
        pid = self.supervisor.pids().get(TRYTON)
        if how not in ("kill", "suspend"):
            return self._spoil(self.proxies[TRYTON], how, TRYTON_TIMEOUT_SECONDS)
        if pid is not None:
            _signal_group(pid, signal.SIGKILL if how == "kill" else signal.SIGSTOP)
            if how == "suspend":
                self.later.do(TRYTON_TIMEOUT_SECONDS * 1.5, lambda: _signal_group(pid, signal.SIGCONT))
        return None

    def _spoil(self, proxy: FaultyProxy, how: str, timeout_seconds: int) -> Taken:
        before = proxy.spoilt
        acts: Mapping[str, Callable[[], None]] = {
            "dropped": lambda: proxy.lose_answer_of("POST", ANY),
            "429": lambda: proxy.answer(ANY, ANY, 429, {"Retry-After": "1"}),
            "500": lambda: proxy.answer(ANY, ANY, 500, {}),
            "500_after_commit": lambda: proxy.answer_after("POST", ANY, 500),
            # Not so late that it comes after the question, against which only the target's own uniqueness would help.
            "slow": lambda: proxy.delay("POST", ANY, timeout_seconds * 1.5),
            "reset": lambda: proxy.reset(ANY, ANY),
            "hang": lambda: proxy.hold(ANY, ANY),
        }
        for _ in range(CALLS_SPOILT):
            acts[how]()
        return lambda: proxy.spoilt > before

    def _run_twice(self, process: str) -> None:
        """A second one beside the first; after some seconds it is killed."""
        second = subprocess.Popen(
            list(self.commands[process]),
            env=inherited_environment({"PYTHONPATH": str(PROJECT), **self.environment}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

        def end() -> None:
            kill_group(second.pid)
            second.wait()

        self.later.do(TWICE_SECONDS, end)


def _at_once() -> bool:
    return True


def _signal_group(leader: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)
