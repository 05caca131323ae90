"""What machines report about themselves."""

from __future__ import annotations

from marshmallow import Schema

from mappings.canonical.fields import Code
from mappings.canonical.parts import EventData


class StateChanged(EventData):
    """A machine entered a state (ISA-95 OperationsEvent); ``from`` is left out where the sender does not know it."""

    equipment_id = Code(required=True)
    from_ = Code(data_key="from", attribute="from")
    to = Code(required=True)


SCHEMAS: dict[str, type[Schema]] = {"equipment.state.changed.v1": StateChanged}
