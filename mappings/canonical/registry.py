"""Every canonical type that Lineside understands, by its name with its version."""

from __future__ import annotations

from marshmallow import Schema

from mappings.canonical import equipment, inventory, logistics, master_data, production, quality, supply

SCHEMAS: dict[str, type[Schema]] = {
    **production.SCHEMAS,
    **inventory.SCHEMAS,
    **logistics.SCHEMAS,
    **quality.SCHEMAS,
    **equipment.SCHEMAS,
    **master_data.SCHEMAS,
    **supply.SCHEMAS,
}
