"""quality holds, and what orders still need; what is posted already is entered next

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

from app.store import base

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SUBJECT = ("plant", "item", "lot", "serial")
ENTERED = (
    "effects",
    "movements",
    "item_stock",
    "stock",
    "order_reports",
    "order_items",
    "order_progress",
    "transformation_lots",
)


def _codes(*names: str) -> "list[sa.Column[str]]":
    return [sa.Column(n, base.plain_text(16 if n in ("uom", "status") else 80), nullable=False) for n in names]


def _instants(*names: str) -> "list[sa.Column[object]]":
    return [sa.Column(name, base.UtcInstant(timezone=True), nullable=name == "void_at") for name in names]


def upgrade() -> None:
    op.create_table(
        "holds",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        *_codes(*SUBJECT),
        sa.Column("message_id", BIG_ID, nullable=False),
        sa.Column("event_index", sa.Integer(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        *_codes("status"),
        sa.Column("reason", base.ToldText(), nullable=True),
        sa.Column("inspection_ref", base.ToldText(), nullable=True),
        sa.Column("quantity", base.ExactDecimal(), nullable=True),
        sa.Column("uom", base.plain_text(16), nullable=True),
        *_instants("happened_at", "entered_at"),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        *_instants("void_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holds")),
    )
    op.create_index("ix_holds_message", "holds", ["message_id"])
    op.create_index("ix_holds_subject", "holds", [*SUBJECT, "happened_at"])
    op.create_index("ix_holds_lot", "holds", ["lot", "id"])
    columns = ["lot", "serial", "item", "plant"]
    is_open = sa.text("is_open"), sa.text("is_open = 1")
    op.create_index("ix_holds_open", "holds", columns, postgresql_where=is_open[0], sqlite_where=is_open[1])
    _create_needs()
    # What a worker has entered until now knew nothing of holds and needs: it is all entered anew.
    for table in ENTERED:
        op.execute(f"DELETE FROM {table}")  # noqa: S608 - a name from the list above
    op.add_column("item_stock", sa.Column("reserved", base.ExactDecimal(), nullable=False, server_default="0"))
    posted = "SELECT id, false, state_at FROM messages WHERE state = 'posted' ORDER BY id"
    op.execute(f"INSERT INTO effects (message_id, undo, at) {posted}")  # noqa: S608 - the line above


def _create_needs() -> None:
    op.create_table(
        "order_materials",
        *_codes("plant", "order_id"),
        sa.Column("message_id", BIG_ID, autoincrement=False, nullable=False),
        *_codes("item", "uom"),
        sa.Column("quantity", base.ExactDecimal(), nullable=False),
        sa.PrimaryKeyConstraint("plant", "order_id", "message_id", "item", "uom", name=op.f("pk_order_materials")),
    )
    op.create_index("ix_order_materials_message", "order_materials", ["message_id"])
    key = ("plant", "order_id", "item", "uom")
    op.create_table(
        "order_needs",
        *_codes(*key),
        sa.Column("quantity", base.ExactDecimal(), nullable=False),
        sa.PrimaryKeyConstraint(*key, name=op.f("pk_order_needs")),
    )
    op.create_index("ix_order_needs_item", "order_needs", ["plant", "item", "order_id"])


def downgrade() -> None:
    op.drop_column("item_stock", "reserved")
    for table in ("order_needs", "order_materials", "holds"):
        op.drop_table(table)
