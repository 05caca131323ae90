"""Each canonical type belongs to a domain that retention rules can name."""

from __future__ import annotations

from app.retention.domains import DOMAIN_OF, OTHER, domains_of
from config.topology_schema import RETENTION_DOMAINS
from mappings.canonical.registry import SCHEMAS


def test_every_canonical_type_belongs_to_a_domain_of_the_topology() -> None:
    assert {kind: domains_of([kind]) for kind in SCHEMAS if OTHER in domains_of([kind])} == {}
    assert {*DOMAIN_OF.values(), OTHER} == set(RETENTION_DOMAINS)
