"""The topology of a run: three plants, a source over HTTP and one that drops files, and every target behind a proxy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from app.bench.practice_systems import ERP, MES, SYSTEMS, TRYTON, WMS
from app.bench.reports import FILES_PLANT, FILES_SOURCE, IN_TRYTON, MOVED, PLANTS, SOURCE, TARGETS, TRYTON_PLANT
from app.demo import catalogue

TIMEOUT_SECONDS = 3
# A real ERP has more to do for a document, and shares the processor with all that is killed and started beside it.
TRYTON_TIMEOUT_SECONDS = 8

HUNG_PLANT, OTHER_PLANT = "P100", "P200"
HANG_PLANTS = (HUNG_PLANT, OTHER_PLANT)
# As long as an ERP's is mostly set: a hung one holds what it has in hand for that long.
HUNG_TIMEOUT_SECONDS = 10
LANES = 4
# Under a fault a second the one call that tries a target again meets each of them: left alone for ever longer, a target
# would see no other work, and the run would prove little.
IMPATIENT = "{failures: 5, open_seconds: 1, cap_seconds: 2}"
AS_IT_COMES = "{failures: 5}"

MAPPINGS: Mapping[str, str] = {ERP: "tryton", WMS: "wms", MES: "mes"}

_PLANT = (
    "  - {{code: {code}, name: {code}, timezone: America/Detroit, lanes: {lanes}, options: {{storage: {code}-ST}}}}"
)

_SOURCES = """
sources:
  - {{code: {source}, kind: MES, plants: [{plants}], mapping: canonical}}
  - code: {files_source}
    kind: legacy ERP
    plants: [{files_plant}]
    mapping: legacy_files
    intake: drop
    settle_seconds: 1
    units: {{PC: EA, K: KG}}
    files:
      - pattern: "MOVE*.txt"
        type: legacy.movement
        format: fixed_width
        options:
          encoding: latin-1
          id: [record_no]
          layout:
            - [record_no, 1, 10]
            - [movement, 11, 3]
            - [item_no, 14, 18]
            - [quantity, 32, 13]
            - [unit, 45, 3]
            - [from_storage, 48, 10]
            - [to_storage, 58, 10]
            - [order_no, 68, 12]
            - [lot_no, 80, 16]
            - [posted_at, 96, 14]
"""

_TARGET = """
  - code: {code}
    kind: {code}
    adapter: http_json
    mapping: {mapping}
    url: {url}
    timeout_seconds: {timeout}
    calls_in_flight: 8
    retry: {{base_seconds: 0.2, cap_seconds: 1, give_up_seconds: 900}}
    circuit: {circuit}
    mapping_options: {{consume: none}}
    options:
      auth: {{scheme: none}}
      idempotency_header: X-Posting-Key
      post: {{method: POST, path: "/{{kind}}", reference: id}}
      find: {{method: GET, path: "/documents/{{posting_key}}", reference: id, absent_status: [404]}}
      reverse: {{method: POST, path: "/documents/{{reference}}/reversal", body: none, reference: id}}
      check: {{method: GET, path: "/health"}}
      problem: detail
"""

_TRYTON = """
  - code: {code}
    kind: ERP
    adapter: tryton
    mapping: tryton
    url: {url}
    secret: {code}
    timeout_seconds: {timeout}
    calls_in_flight: 8
    retry: {{base_seconds: 0.5, cap_seconds: 2, give_up_seconds: 900}}
    circuit: {circuit}
    mapping_options: {{consume: none}}
    options: {{login: {login}}}
"""


def _routes(*, with_tryton: bool) -> Iterator[str]:
    """What is produced in Tryton's plant is posted there, and everything else to the practice ERP."""
    others = [plant for plant in PLANTS if plant != TRYTON_PLANT]
    for type_, codes in TARGETS.items():
        if with_tryton and type_ in IN_TRYTON:
            yield _route(type_, codes, others)
            yield _route(type_, [TRYTON if code == ERP else code for code in codes], [TRYTON_PLANT])
        elif codes:
            yield _route(type_, codes, PLANTS)


def _route(type_: str, codes: Sequence[str], plants: Sequence[str]) -> str:
    targets = ", ".join(f"{{target: {code}}}" for code in codes)
    return f"  - {{type: {type_}, plants: [{', '.join(plants)}], targets: [{targets}]}}"


@dataclass(frozen=True)
class Layout:
    """``targets`` gives each target's code with the practice system that it is; ``text`` makes the topology for the
    addresses of them all. ``busy``: whether they turn some documents away at first."""

    targets: Mapping[str, str]
    text: Callable[[Mapping[str, str]], str]
    busy: bool = True


def _topology(targets: str, routes: Iterable[str]) -> str:
    plants = "\n".join(_PLANT.format(code=code, lanes=LANES) for code in PLANTS)
    sources = _SOURCES.format(
        source=SOURCE, plants=", ".join(PLANTS), files_source=FILES_SOURCE, files_plant=FILES_PLANT
    )
    listed = "\n".join(routes)
    record = f"systems_of_record:\n  items: {{system: {SOURCE}, writers: [{SOURCE}]}}"
    return f"version: 1\nplants:\n{plants}\n{sources}\ntargets:{targets}\nroutes:\n{listed}\n{record}\n"


def _under_fire(urls: Mapping[str, str]) -> str:
    """Every type to its targets, and to Tryton where it is among the addresses."""
    targets = "".join(
        _TARGET.format(code=code, mapping=MAPPINGS[code], url=urls[code], timeout=TIMEOUT_SECONDS, circuit=IMPATIENT)
        for code in SYSTEMS
    )
    if TRYTON in urls:
        targets += _TRYTON.format(
            code=TRYTON,
            url=urls[TRYTON],
            timeout=TRYTON_TIMEOUT_SECONDS,
            circuit=IMPATIENT,
            login=catalogue.SERVICE_LOGIN,
        )
    return _topology(targets, _routes(with_tryton=TRYTON in urls))


def _each_its_own_erp(urls: Mapping[str, str]) -> str:
    """Each plant posts its movements to an ERP of its own."""
    targets = "".join(
        _TARGET.format(code=code, mapping=MAPPINGS[ERP], url=url, timeout=HUNG_TIMEOUT_SECONDS, circuit=AS_IT_COMES)
        for code, url in urls.items()
    )
    return _topology(targets, (_route(MOVED, [erp_of(plant)], [plant]) for plant in HANG_PLANTS))


def erp_of(plant: str) -> str:
    return f"erp-{plant.lower()}"


UNDER_FIRE = Layout({code: code for code in SYSTEMS}, _under_fire)
EACH_ITS_OWN_ERP = Layout({erp_of(plant): ERP for plant in HANG_PLANTS}, _each_its_own_erp, busy=False)
