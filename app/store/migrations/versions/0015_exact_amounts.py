"""amounts are exact on PostgreSQL too, however many decimals their base unit gives them

Revision ID: 0015
Revises: 0014
"""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

AMOUNTS: Mapping[str, Sequence[str]] = {
    "differences": ("system_quantity", "reported_quantity", "unexplained"),
    "holds": ("quantity",),
    "item_stock": ("unrestricted", "quality", "blocked", "reserved"),
    "movements": ("quantity", "counted"),
    "order_items": ("produced", "consumed", "scrapped"),
    "order_materials": ("quantity",),
    "order_needs": ("quantity",),
    "order_reports": ("quantity",),
    "production_orders": ("planned",),
    "snapshot_rows": ("quantity",),
    "stock": ("quantity",),
    "transformation_lots": ("quantity",),
}


def upgrade() -> None:
    """No table is written anew by it. What was rounded before stays so until the projections are built anew."""
    _alter(sa.Numeric())


def downgrade() -> None:
    _alter(sa.Numeric(30, 9))


def _alter(amount: "sa.Numeric[Any]") -> None:
    if op.get_bind().dialect.name == "postgresql":  # SQLite has text, of any length
        for table, columns in AMOUNTS.items():
            for column in columns:
                op.alter_column(table, column, type_=amount)
