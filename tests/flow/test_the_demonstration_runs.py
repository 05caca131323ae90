"""`make run`, from nothing to its table and back to nothing: real processes, a real ERP, a sample shift.

The tests share two runs, in their order: what a running installation answers, how it ends, and how a second begins.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.demo import erp
from app.demo.erp_processes import is_installed
from app.demo.shift import sample_shift
from tests.flow.demo_run import (
    DemoRun,
    Servers,
    copy_built_erp,
    in_shell,
    lineside,
    looked_up,
    processes_of,
    readme_example,
)
from tests.services import missing_service, postgres_database, rabbitmq_host

pytestmark = [pytest.mark.services, pytest.mark.timeout(600)]

SHIFT = sample_shift(1, datetime.now(UTC))
NEW, ORDERS = SHIFT.new_messages(), SHIFT.orders


@pytest.fixture(scope="module", params=["sqlite+valkey", "postgresql+rabbitmq"])
def servers(request: pytest.FixtureRequest) -> Iterator[Servers]:
    if request.param == "sqlite+valkey":
        yield Servers()
        return
    with postgres_database() as database, rabbitmq_host() as broker:
        yield Servers(database.replace("postgresql+psycopg:", "postgresql:"), broker)


@pytest.fixture(scope="module")
def home(servers: Servers, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not is_installed():
        missing_service("Tryton", "this Python (pip install 'lineside[tryton]')")
    assert request.config.cache is not None
    cache = request.config.cache.mkdir("tryton")
    erp.build_erp(cache, lambda share, doing: None)
    home = tmp_path_factory.mktemp("demo") / "home"
    copy_built_erp(cache, home)
    return home


@pytest.fixture(scope="module")
def running(home: Path, servers: Servers) -> Iterator[DemoRun]:
    run = DemoRun(home, servers)
    yield run
    run.end()


@pytest.fixture(scope="module")
def exit_code(running: DemoRun) -> int:
    """The first run, ended by Ctrl-C."""
    return running.end(signal.SIGINT)


@pytest.fixture(scope="module")
def second(home: Path, servers: Servers, exit_code: int) -> DemoRun:
    """A second run in the same home that ends by itself."""
    assert exit_code == 0
    run = DemoRun(home, servers, "--once")
    assert run.wait() == 0, run.account()
    return run


def test_every_message_is_accounted_for(running: DemoRun) -> None:
    plants = running.report["plants"]

    assert running.report["settled"], running.account()
    assert {code: row["accepted"] for code, row in plants.items()} == dict(NEW)
    for row in plants.values():
        assert (row["waiting"], row["dead"], row["in_flight"]) == (1, 1, 0), row
        assert row["posted"] == row["accepted"] - 2


def test_the_erp_itself_holds_what_was_posted(running: DemoRun) -> None:
    for row in running.report["plants"].values():
        assert row["in_erp"] == row["erp_postings"] > 20


def test_every_order_of_the_shift_is_done_in_the_erp_itself(running: DemoRun, home: Path) -> None:
    with closing(sqlite3.connect(f"file:{home / 'erp' / 'lineside.sqlite'}?mode=ro", uri=True)) as connection:
        found = connection.execute("SELECT substr(reference, 1, 2), state FROM production ORDER BY id").fetchall()

    assert found[: len(ORDERS)] == [("LS", "done")] * len(ORDERS), "the orders were entered before anything was posted"
    assert {state for _, state in found} == {"done"}


def test_every_order_was_read_from_the_erp_once_and_reached_the_mes(running: DemoRun) -> None:
    read = {}
    for order in ORDERS[::4]:
        message = f"production_orders/{order.plant}/{order.number}/"
        told = [looked_up(running.environment, "trace", message + n, "--source", "erp", "--json") for n in "12"]
        story = json.loads(told[0].stdout)
        read[order.number] = [(one["target"], one["state"]) for one in story["postings"]], told[1].exit_code

    assert read == {order.number: ([("mes", "posted")], 1) for order in ORDERS[::4]}


def test_what_was_sent_twice_counts_once(running: DemoRun) -> None:
    assert running.report["answers"]["repeat"] == 1


def test_each_dead_letter_says_what_is_wrong(running: DemoRun) -> None:
    listed = json.loads(lineside(running.environment, "dead", "list", "--json").stdout)

    assert {(row["plant"], row["reason_code"]) for row in listed["dead_letters"]} == {
        ("P100", "unit_unknown"),
        ("P200", "unit_unknown"),
        ("P300", "movement_unknown"),
    }


def test_a_bad_row_stands_beside_its_archived_file(running: DemoRun, home: Path) -> None:
    (errors,) = (home / "drop" / "legacy-p300" / "archive").rglob("*.errors.csv")

    assert len(errors.read_text().splitlines()) == 2
    assert (errors.parent / errors.name.removesuffix(".errors.csv")).exists()


def test_pages_and_metrics_answer(running: DemoRun) -> None:
    for path in ("/healthz", "/docs", "/openapi.json"):
        with urllib.request.urlopen(running.url + path, timeout=10) as answer:
            assert answer.status == 200
    with urllib.request.urlopen(running.report["addresses"]["flower"], timeout=10) as answer:
        page = answer.read().decode()

    assert all(f"plant.{plant}.{kind}" in page for plant in NEW for kind in ("work", "post", "dead"))


def test_everything_binds_to_loopback_and_the_broker_to_no_port(running: DemoRun) -> None:
    pids = set(processes_of(running.home))
    listening = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    inodes = {fields[9]: fields[1] for fields in listening if fields[3] == "0A"}

    ours = {
        inodes[target[8:-1]]
        for pid in pids
        for target in _handles(pid)
        if target.startswith("socket:[") and target[8:-1] in inodes
    }

    assert len(ours) == 6
    assert {address.split(":")[0] for address in ours} == {"0100007F"}


def _handles(pid: int) -> list[str]:
    try:
        return [os.readlink(handle) for handle in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:
        return []


def test_secrets_travel_in_the_environment_alone(running: DemoRun, home: Path) -> None:
    shown = running.report["first_run"]
    written = "".join(path.read_text(errors="replace") for path in home.glob("log/*.log"))
    commands = "".join(processes_of(home).values())

    assert shown["keys"].keys() == {"erp", "mes-p100", "mes-p200"}
    for secret in (shown["password"], *shown["keys"].values()):
        assert secret not in written
        assert secret not in commands


def test_a_file_that_is_sent_by_hand_reaches_its_target(running: DemoRun, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text(running.report["first_run"]["keys"]["mes-p100"])
    move = {"material": "WHEEL-10", "menge": "3", "einheit": "STK", "ts": "2026-03-02T10:00:00"}
    sent = tmp_path / "move.json"
    sent.write_text(json.dumps({**move, "von": {"lagerort": "P100-ST"}, "nach": {"lagerort": "P100-WIP"}}))
    arguments = ("send", str(sent), "--source", "mes-p100", "--type", "mes.move", "--key-file", str(key), "--json")

    first, again = (json.loads(lineside(running.environment, *arguments).stdout)["results"][0] for _ in range(2))

    assert (first["status"], again["status"], first["id"]) == ("accepted", "repeat", again["id"])
    running.wait_until(
        lambda: (
            json.loads(looked_up(running.environment, "trace", str(first["id"]), "--json").stdout)["state"] == "posted"
        ),
        what="posted",
    )


def test_the_readme_s_first_message_and_first_file_are_posted_as_they_stand_there(running: DemoRun) -> None:
    sent, dropped = (readme_example(start, running) for start in ("curl -i", "F=~/.lineside"))

    answers = [in_shell(sent, running).splitlines()[0].strip() for _ in range(2)]
    in_shell(dropped, running)

    assert [answer.split()[1] for answer in answers] == ["202", "200"]
    for source, message_id in (("mes-p100", "my-first"), ("legacy-p300", "legacy.confirmation:0009000001")):
        asked = ("trace", message_id, "--source", source, "--json")
        running.wait_until(
            lambda asked=asked: '"state": "posted"' in looked_up(running.environment, *asked).stdout,  # type: ignore[misc]
            what=f"{message_id} posted",
        )


def test_a_killed_worker_is_told_and_comes_back(running: DemoRun) -> None:
    recorded = {name: pid for name, pid, _ in json.loads((running.home / "run" / "processes.json").read_text())}

    os.kill(recorded["post"], signal.SIGKILL)

    running.wait_until(lambda: any("post was started again" in line for line in running.said), what="a new worker")
    assert any("post ended by itself (killed by SIGKILL)" in line for line in running.said)


def test_a_second_one_in_the_same_home_is_refused(running: DemoRun) -> None:
    refused = lineside(running.environment, "up")

    assert refused.returncode == 2
    assert "runs in" in refused.stderr
    assert "LINESIDE_HOME" in refused.stderr


def test_taken_ports_are_told_before_anything_starts(running: DemoRun, tmp_path: Path) -> None:
    refused = lineside({**running.environment, "LINESIDE_HOME": str(tmp_path / "other")}, "up")

    assert refused.returncode == 2
    assert f"port {running.environment['LINESIDE_PORT']}" in refused.stderr
    assert "LINESIDE_PORT" in refused.stderr
    assert "LINESIDE_FLOWER_PORT" in refused.stderr
    assert not processes_of(tmp_path / "other")


def test_ctrl_c_ends_every_process(running: DemoRun, exit_code: int, home: Path) -> None:
    assert exit_code == 0, running.account()
    assert processes_of(home) == {}
    assert "Every process has ended." in running.said


def test_a_second_run_sends_a_further_shift_and_the_totals_stay_right(second: DemoRun, running: DemoRun) -> None:
    sent_by_hand = {"P100": 2, "P300": 1}

    assert (second.report["run"], second.report["first_run"]) == (2, None)
    for code, row in second.report["plants"].items():
        assert row["accepted"] == 2 * NEW[code] + sent_by_hand.get(code, 0)
        assert (row["waiting"], row["dead"], row["in_flight"]) == (2, 2, 0), row
        assert row["in_erp"] == row["erp_postings"]


def test_a_run_that_ends_by_itself_leaves_nothing_either(second: DemoRun, home: Path) -> None:
    assert processes_of(home) == {}
