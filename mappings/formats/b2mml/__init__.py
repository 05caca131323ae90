"""B2MML, the XML of ISA-95, from V0401 to V0700, as plain values.

The versions differ in namespace and in names (ProductionRequestID became OperationsRequestID, a nested
SegmentResponse became SegmentResponseChild), hardly in shape, so elements are known by their local names. Senders are
seldom valid against their own schema: what departs from it is noted, or refused where the source is read strictly.
"The Business To Manufacturing Markup Language (B2MML) is used courtesy of MESA International."
"""

from mappings.formats.b2mml.definition import read_definition
from mappings.formats.b2mml.events import read_events
from mappings.formats.b2mml.material import read_material
from mappings.formats.b2mml.performance import read_performance
from mappings.formats.b2mml.schedule import read_schedule

__all__ = ["read_definition", "read_events", "read_material", "read_performance", "read_schedule"]
