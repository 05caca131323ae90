"""Every name that a topology file may use, gathered from where each has its home."""

from __future__ import annotations

from app.adapters.mapping_options import plant_option_faults, source_option_faults, target_option_faults
from app.adapters.registry import ADAPTERS, ADAPTERS_WITH_URL, option_faults, period_faults, why_not_read
from config.topology_file import KnownNames
from config.topology_options import OptionChecks
from mappings.canonical.registry import SCHEMAS
from mappings.canonical.versions import UPCASTS, newest_type
from mappings.options import source_crosswalks, target_crosswalks
from mappings.registry import INBOUND, OUTBOUND


def known_names() -> KnownNames:
    return KnownNames(
        types=SCHEMAS.keys(),
        inbound=INBOUND.keys(),
        outbound=OUTBOUND.keys(),
        adapters=ADAPTERS.keys(),
        adapters_with_url=ADAPTERS_WITH_URL,
        options=OptionChecks(
            option_faults,
            source_option_faults,
            target_option_faults,
            plant_option_faults,
            period_faults,
            source_crosswalks,
            target_crosswalks,
        ),
        why_not_read=why_not_read,
        superseded={event_type: newest_type(event_type) for event_type in UPCASTS},
    )
