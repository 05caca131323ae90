"""lists by item in all plants, of what is open, by who did it and by what systems say are found without reading all

Revision ID: 0025
Revises: 0024
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

# Of the first two SQLite would read all in the order of the index, and sort it, if plants stood in them too.
INDEXES = {
    "ix_item_stock_item": ("item_stock", ["item"]),
    "ix_snapshot_rows_item_only": ("snapshot_rows", ["snapshot_id", "item"]),
    "ix_production_orders_item": ("production_orders", ["item", "plant", "order_id"]),
    "ix_holds_plant": ("holds", ["plant", "id"]),
    "ix_audit_actor": ("audit", ["actor", "id"]),
    "ix_audit_action": ("audit", ["action", "id"]),
}
OF_SOME = {
    "ix_holds_open_id": ("holds", ["id"], "is_open", "is_open = 1"),
    "ix_holds_open_plant": ("holds", ["plant", "id"], "is_open", "is_open = 1"),
    "ix_holds_open_item": ("holds", ["plant", "item", "is_open"], "is_open", "is_open = 1"),
    "ix_transit_lines_on_way_item": ("transit_lines", ["item", "id"], "is_on_way", "is_on_way = 1"),
    "ix_business_exceptions_open": ("business_exceptions", ["id"], "state <> 'resolved'", "state <> 'resolved'"),
    "ix_business_exceptions_open_plant": (
        *("business_exceptions", ["plant", "id"]),
        *("state <> 'resolved'", "state <> 'resolved'"),
    ),
}

TRAILING = "state = 'posted' AND step IS NOT NULL"


def _trailing(*columns: str) -> None:
    """By state too, though it is the same in all rows: SQLite would take the index of plants and states otherwise, and
    look at all that was ever posted."""
    op.drop_index("ix_messages_trailing", "messages")
    where: dict[str, Any] = {"postgresql_where": sa.text(TRAILING), "sqlite_where": sa.text(TRAILING)}
    op.create_index("ix_messages_trailing", "messages", list(columns), **where)


def upgrade() -> None:
    _trailing("plant", "state", "ordering_key", "state_at", "key_rank", "id")
    for name, (table, columns) in INDEXES.items():
        op.create_index(name, table, columns)
    for name, (table, columns, postgresql, sqlite) in OF_SOME.items():
        where: dict[str, Any] = {"postgresql_where": sa.text(postgresql), "sqlite_where": sa.text(sqlite)}
        op.create_index(name, table, columns, **where)


def downgrade() -> None:
    _trailing("plant", "ordering_key", "state_at", "key_rank", "id")
    for name, (table, *_) in OF_SOME.items():
        op.drop_index(name, table)
    for name, (table, _) in INDEXES.items():
        op.drop_index(name, table)
