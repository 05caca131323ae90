"""moves that two systems tell, each from its end

Revision ID: 0027
Revises: 0024
"""

import sqlalchemy as sa
from alembic import op

from app.store import base

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "transfer_tellings",
        sa.Column("message_id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("event_index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("happened_at", base.UtcInstant(timezone=True), nullable=False),
        sa.Column("order_id", base.plain_text(80), nullable=True),
        sa.Column("document", base.ToldText(), nullable=True),
        sa.Column("reason", base.ToldText(), nullable=True),
        sa.Column("legs", base.JsonText(), nullable=False),
        sa.Column("counts", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("message_id", "event_index", name=op.f("pk_transfer_tellings")),
    )
    op.create_index("ix_transfer_tellings_key", "transfer_tellings", ["key"])


def downgrade() -> None:
    op.drop_table("transfer_tellings")
