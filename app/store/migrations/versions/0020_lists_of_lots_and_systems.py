"""lots are listed, and what each system says of an item is found, without reading all

Revision ID: 0020
Revises: 0019
"""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_stock_lot_item": ("stock", ["lot", "item"]),
    "ix_stock_item_lot": ("stock", ["item", "lot"]),
    "ix_stock_plant_lot": ("stock", ["plant", "lot", "item"]),
    "ix_snapshot_rows_item": ("snapshot_rows", ["snapshot_id", "plant", "item"]),
}


def upgrade() -> None:
    for name, (table, columns) in INDEXES.items():
        op.create_index(name, table, columns)


def downgrade() -> None:
    for name, (table, _) in INDEXES.items():
        op.drop_index(name, table)
