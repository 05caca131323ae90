"""The topology of a run: three plants, a source over HTTP and one that drops files, and every target behind a proxy."""

from __future__ import annotations

from collections.abc import Mapping

from app.bench.practice_systems import ERP, MES, SYSTEMS, WMS
from app.bench.reports import FILES_PLANT, FILES_SOURCE, PLANTS, SOURCE, TARGETS

TIMEOUT_SECONDS = 3
LANES = 4

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
    mapping_options: {{consume: none}}
    options:
      auth: {{scheme: none}}
      idempotency_header: X-Posting-Key
      post: {{method: POST, path: "/{{kind}}", reference: id}}
      find: {{method: GET, path: "/documents/{{posting_key}}", reference: id, absent_status: [404]}}
      check: {{method: GET, path: "/health"}}
      problem: detail
"""


def topology_text(urls: Mapping[str, str]) -> str:
    """The YAML for these addresses of the practice systems."""
    plants = "\n".join(_PLANT.format(code=code, lanes=LANES) for code in PLANTS)
    sources = _SOURCES.format(
        source=SOURCE, plants=", ".join(PLANTS), files_source=FILES_SOURCE, files_plant=FILES_PLANT
    )
    targets = "".join(
        _TARGET.format(code=code, mapping=MAPPINGS[code], url=urls[code], timeout=TIMEOUT_SECONDS) for code in SYSTEMS
    )
    routes = "\n".join(
        f"  - {{type: {type_}, targets: [{', '.join(f'{{target: {code}}}' for code in codes)}]}}"
        for type_, codes in TARGETS.items()
        if codes
    )
    record = f"systems_of_record:\n  items: {{system: {SOURCE}, writers: [{SOURCE}]}}"
    return f"version: 1\nplants:\n{plants}\n{sources}\ntargets:{targets}\nroutes:\n{routes}\n{record}\n"
