"""reversals of postings

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

from app.store import base

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reversal_orders",
        sa.Column("message_id", base.BigId, nullable=False, autoincrement=False),
        sa.Column("generation", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("ordered_at", base.UtcInstant(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("ends_in", sa.String(length=12), nullable=False),
        sa.Column("dead_code", sa.String(length=60), nullable=True),
        sa.Column("dead_reason", sa.Text(), nullable=True),
        sa.Column("dead_field", sa.String(length=300), nullable=True),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_reversal_orders_message_id")),
        sa.PrimaryKeyConstraint("message_id", "generation", name=op.f("pk_reversal_orders")),
    )
    op.add_column("messages", sa.Column("generation", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("postings", sa.Column("generation", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("postings", sa.Column("reverses_id", base.BigId, nullable=True))


def downgrade() -> None:
    op.drop_column("postings", "reverses_id")
    op.drop_column("postings", "generation")
    op.drop_column("messages", "generation")
    op.drop_table("reversal_orders")
