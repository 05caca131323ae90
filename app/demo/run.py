"""The demonstration from nothing to its table: the ERP, the stack, one more sample shift, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import func, select

from app.clock import utc_now
from app.demo.erp import build_erp, erp_counts, issue_key, place_erp
from app.demo.erp_planner import enter_orders
from app.demo.first_run import Credentials, make_credentials
from app.demo.practice import DOUBLES, ERP, practice_ports, practice_secrets, practice_targets
from app.demo.sending import next_run, send_shift, shift_keys
from app.demo.shift import Shift, sample_shift
from app.demo.table import PlantRow, accepted_messages, orders_are_read, read_rows, wait_until_settled
from app.stack.births import Births
from app.stack.procfile import product_programs, read_procfile
from app.stack.programs import common_environment
from app.stack.running import (
    addresses,
    answers,
    claimed_home,
    prepare_database,
    product_ports,
    running_stack,
    wait_until,
)
from app.stack.supervisor import Supervisor
from app.store.reference_tables import Item
from app.store.session import Store
from config.settings import Settings
from config.topology import Topology

ITEMS_SECONDS = 90.0
READING = "the reading of the ERP's orders"
ORDERS_SECONDS = 90.0
SETTLE_SECONDS = 240.0


class Show(Protocol):
    """Where the demonstration tells what it does. ``progress`` gives a function that takes a share from 0 to 1."""

    def line(self, text: str) -> None: ...

    def progress(self, title: str) -> Any: ...


@dataclass(frozen=True)
class Report:
    """All that the demonstration prints."""

    run: int
    settled: bool
    answers: Mapping[str, int]
    rows: list[PlantRow]
    addresses: Mapping[str, str]
    credentials: Credentials | None

    def as_json(self) -> dict[str, Any]:
        return {
            "run": self.run,
            "settled": self.settled,
            "answers": dict(self.answers),
            "plants": {row.plant: row.as_json() for row in self.rows},
            "addresses": dict(self.addresses),
            "first_run": self.credentials.as_json() if self.credentials else None,
        }


@contextmanager
def demonstration(settings: Settings, topology: Topology, show: Show, actor: str) -> Iterator[Report]:
    """Everything runs while the block does; the report is of the shift that was sent at its beginning. The keys and
    the account that are made for it are ``actor``'s."""
    targets = practice_targets(topology)
    ports = [*product_ports(settings), *practice_ports(topology)]
    with claimed_home(settings, ports, show.line) as instance:
        erp_key = _prepare_erp(settings, show)
        prepare_database(settings, topology)
        store = Store(settings.database_url, pool_size=2)
        commands, known = product_programs(settings, topology), read_procfile()
        commands |= {name: known[name] for name in (ERP, *DOUBLES)}
        environment = common_environment(settings) | practice_secrets(settings, topology, erp_key)
        show.line("Starting every process ...")
        try:
            births = Births(settings, environment, forks=True)
            with running_stack(settings, topology, instance, commands, births, show.line) as supervisor:
                for name in (ERP, *DOUBLES):
                    wait_until(lambda name=name: answers(targets[name].url), supervisor, name)  # type: ignore[misc]
                _wait_for_items(store, supervisor)
                shift = sample_shift(next_run(store), utc_now())
                sources = sorted({one.source for one in shift.reports})
                with shift_keys(store, shift.run, sources, actor, utc_now) as keys:
                    show.line(f"Entering the orders of shift {shift.run} in the ERP ...")
                    enter_orders(targets[ERP].url, erp_key, shift.orders, utc_now().date())
                    wait_until(lambda: orders_are_read(store, shift.orders), supervisor, READING, ORDERS_SECONDS)
                    answered, settled = _send(shift, settings, store, keys, show)
                in_erp = erp_counts(targets[ERP].url, erp_key)
                rows = read_rows(store, topology.plants, ERP, in_erp)
                # Last of all, so that an interrupted first run leaves no account whose password nobody has seen.
                credentials = make_credentials(store, topology, actor, utc_now())
                yield Report(shift.run, settled, answered, rows, addresses(settings), credentials)
        finally:
            store.dispose()


def _prepare_erp(settings: Settings, show: Show) -> str:
    """The ERP's database, built on the first run, and a new key for it."""
    with show.progress("Preparing the ERP (built once, then copied)") as advance:

        def tell(share: float, _doing: str) -> None:
            advance(share)

        build_erp(settings.home / "cache", tell)
        database = place_erp(settings.home)
        return issue_key(database)


def _wait_for_items(store: Store, supervisor: Supervisor) -> None:
    def known() -> bool:
        with store.reading() as session:
            return bool(session.execute(select(func.count()).select_from(Item)).scalar_one())

    wait_until(known, supervisor, "the ERP's list of items", ITEMS_SECONDS)


def _send(
    shift: Shift, settings: Settings, store: Store, keys: Mapping[str, str], show: Show
) -> tuple[Mapping[str, int], bool]:
    before = accepted_messages(store)
    expected = before + shift.new_reports().total()
    steps = len(shift.reports) + len(shift.files)
    base_url = addresses(settings)["console"].rstrip("/")
    with show.progress(f"Sending shift {shift.run}") as advance:
        answered = send_shift(shift, base_url, keys, settings.drop_dir, _counter(advance, steps))
    with show.progress("Working on it") as advance:

        def settled_so_far(count: int) -> None:
            advance(max(0.0, count - before) / (expected - before))

        settled = wait_until_settled(store, expected, SETTLE_SECONDS, settled_so_far)
    return answered, settled


def _counter(advance: Callable[[float], None], steps: int) -> Callable[[], None]:
    done = 0

    def one_more() -> None:
        nonlocal done
        done += 1
        advance(done / steps)

    return one_more
