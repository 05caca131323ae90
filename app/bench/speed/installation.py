"""An installation to measure: the product's own processes with its own defaults, posting to a practice ERP."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.access.keys import create_key
from app.bench.ground import free_port
from app.bench.installation import Ground
from app.bench.speed.brokers import product_broker
from app.clock import utc_now
from app.stack.births import Births
from app.stack.ports import NeededPort
from app.stack.procfile import BROKER, product_programs
from app.stack.programs import common_environment
from app.stack.running import claimed_home, prepare_database, running_stack
from app.stack.supervisor import Supervisor
from app.store.session import Store
from config.settings import Settings, load_settings
from config.topology import Topology
from config.topology_file import load_topology

SOURCE, DROP_SOURCE = "mes", "legacy"
PLANTS = ("P100", "P200", "P300")
CALLS_IN_FLIGHT, POSTINGS_IN_FLIGHT = 16, 64
WEB, WORKERS = ("web",), ("work", "post", "relay", "beat")
ROLES = (*WEB, *WORKERS)

_TOPOLOGY = """
version: 1
plants:
{plants}
sources:
  - {{code: mes, kind: MES, plants: [{codes}], mapping: mes_json, units: {{STK: EA}}}}
  - code: legacy
    kind: legacy ERP
    plants: [P100]
    mapping: legacy_files
    intake: drop
    settle_seconds: 1
    units: {{PC: EA}}
    files:
      - pattern: "CONF*.csv"
        type: legacy.confirmation
        format: csv
        options:
          delimiter: ";"
          header: false
          encoding: utf-8
          columns: [record_no, order_no, operation, item_no, good_qty, scrap_qty, unit, reason, lot_no, posted_on,
            posted_time, last]
          id: [record_no]
targets:
{targets}
routes:
{routes}
"""
_PLANT = "  - {{code: {code}, name: {code}, timezone: Europe/Berlin, options: {{storage: {code}-ST}}}}"
_TARGET = """
  - code: {code}
    kind: ERP
    adapter: http_json
    mapping: wms
    url: {url}
    timeout_seconds: 20
    calls_in_flight: {calls}
    options:
      auth: {{scheme: none}}
      idempotency_header: X-Posting-Key
      post: {{method: POST, path: "/{{kind}}", reference: id}}
      find: {{method: GET, path: "/documents/{{posting_key}}", reference: id, absent_status: [404]}}
      check: {{method: GET, path: "/health"}}
{batch}
"""
_BATCH = """
      batch: {path: /batch, entry: {posting_key: key}, results: results, reference: id}
"""


@dataclass(frozen=True)
class Measured:
    """A running one. ``key`` is that of the source over HTTP."""

    home: Path
    settings: Settings
    topology: Topology
    store: Store
    supervisor: Supervisor
    key: str
    commands: Mapping[str, Sequence[str]]

    def start(self, roles: Sequence[str]) -> None:
        """These too, from now on."""
        self.supervisor.start({role: self.commands[role] for role in roles})

    @property
    def port(self) -> int:
        return self.settings.port


@contextmanager
def measured(
    home: Path,
    ground: Ground,
    erps: Mapping[str, str],
    roles: Sequence[str] = ROLES,
    *,
    in_batches: bool = False,
) -> Iterator[Measured]:
    """Everything of ``roles`` runs while the block does, and nothing of it is left afterwards but the home. ``erps``
    gives each plant's ERP its address; ``in_batches``: they take several postings a call."""
    home.mkdir(parents=True, exist_ok=True)
    with ExitStack() as ending:
        database = ending.enter_context(ground.database(home))
        broker_url = ending.enter_context(product_broker(ground))
        config = home / "topology.yaml"
        config.write_text(topology_text(erps, in_batches), encoding="utf-8")
        environment = environment_of(home, config, database.url, broker_url)
        settings, topology = load_settings(environment), load_topology(config)
        log = (home / "bench.log").open("a")
        ending.callback(log.close)

        def say(text: str) -> None:
            print(text, file=log, flush=True)

        ports = [NeededPort("web", settings.host, settings.port, "LINESIDE_PORT")]
        instance = ending.enter_context(claimed_home(settings, ports, say))
        prepare_database(settings, topology)
        store = Store(settings.database_url, pool_size=2)
        ending.callback(store.dispose)
        with store.writing() as session:
            key, _ = create_key(session, "bench", SOURCE, [], utc_now())
        commands = product_programs(settings, topology)
        begun = {name: command for name, command in commands.items() if name in (*roles, BROKER)}
        births = Births(settings, environment | common_environment(settings), forks=True)
        stack = running_stack(settings, topology, instance, begun, births, say)
        yield Measured(home, settings, topology, store, ending.enter_context(stack), key, commands)


def topology_text(erps: Mapping[str, str], in_batches: bool = False) -> str:
    """Each plant's movements go to its own target."""
    calls, batch = (POSTINGS_IN_FLIGHT, _BATCH) if in_batches else (CALLS_IN_FLIGHT, "")
    return _TOPOLOGY.format(
        plants="\n".join(_PLANT.format(code=plant) for plant in erps),
        codes=", ".join(erps),
        targets="".join(
            _TARGET.format(code=f"erp-{plant.lower()}", url=url, calls=calls, batch=batch)
            for plant, url in erps.items()
        ),
        routes="\n".join(
            f"  - {{type: inventory.moved.v1, plants: [{plant}], targets: [{{target: erp-{plant.lower()}}}]}}"
            for plant in erps
        ),
    )


def environment_of(home: Path, config: Path, database_url: str, broker_url: str) -> dict[str, str]:
    return {
        "LINESIDE_HOME": str(home),
        "LINESIDE_CONFIG": str(config),
        "LINESIDE_DATABASE_URL": database_url,
        "LINESIDE_BROKER_URL": broker_url,
        "LINESIDE_HOST": "127.0.0.1",
        "LINESIDE_PORT": str(free_port()),
        "LINESIDE_FLOWER_PORT": str(free_port()),
        "LINESIDE_SECRET_KEY": secrets.token_hex(32),
    }
