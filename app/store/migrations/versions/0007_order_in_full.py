"""newest states, positions of sequences, wakes in portions, requeues out of order

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

from app.store import base

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

POSTED = "ordering_key IS NOT NULL AND state = 'posted'"


def upgrade() -> None:
    op.create_table(
        "told_states",
        sa.Column("thing", sa.String(length=160), nullable=False),
        sa.Column("message_id", base.BigId, nullable=True),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("ordering_key", sa.String(length=250), nullable=True),
        sa.Column("sequence_rank", base.plain_text(64), nullable=True),
        sa.Column("as_of", base.UtcInstant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("thing", name=op.f("pk_told_states")),
    )
    op.create_table(
        "sequence_positions",
        sa.Column("plant", sa.String(length=16), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("ordering_key", sa.String(length=250), nullable=False),
        sa.Column("reached", base.BigId, nullable=True),
        sa.Column("passed", base.JsonText(), nullable=False),
        sa.Column("updated_at", base.UtcInstant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("plant", "source", "ordering_key", name=op.f("pk_sequence_positions")),
    )
    op.create_table(
        "open_wakes",
        sa.Column("reference", sa.String(length=300), nullable=False),
        sa.Column("after_id", base.BigId, nullable=False),
        sa.Column("again", sa.Boolean(), nullable=False),
        sa.Column("opened_at", base.UtcInstant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("reference", name=op.f("pk_open_wakes")),
    )
    op.add_column("messages", sa.Column("requeued", sa.String(length=12), nullable=True))
    op.create_index(
        "ix_messages_posted_key",
        "messages",
        ["plant", "ordering_key", "key_rank", "id"],
        unique=False,
        postgresql_where=sa.text(POSTED),
        sqlite_where=sa.text(POSTED),
    )


def downgrade() -> None:
    op.drop_index("ix_messages_posted_key", table_name="messages")
    op.drop_column("messages", "requeued")
    op.drop_table("open_wakes")
    op.drop_table("sequence_positions")
    op.drop_table("told_states")
