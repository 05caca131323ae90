"""circuits, calls under way and pauses

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

from app.store import base

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

WAITING = "waiting_for IS NOT NULL"


def upgrade() -> None:
    op.create_table(
        "target_states",
        sa.Column("target", sa.String(length=64), nullable=False),
        sa.Column("circuit", sa.String(length=10), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("openings", sa.Integer(), nullable=False),
        sa.Column("opened_at", base.UtcInstant(timezone=True), nullable=True),
        sa.Column("retry_at", base.UtcInstant(timezone=True), nullable=True),
        sa.Column("tokens", sa.Double(), nullable=True),
        sa.Column("tokens_at", base.UtcInstant(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("target", name=op.f("pk_target_states")),
    )
    op.create_table(
        "target_calls",
        sa.Column("target", sa.String(length=64), nullable=False),
        sa.Column("holder", sa.String(length=32), nullable=False),
        sa.Column("plant", sa.String(length=16), nullable=False),
        sa.Column("calls", sa.SmallInteger(), nullable=False),
        sa.Column("until", base.UtcInstant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("target", "holder", name=op.f("pk_target_calls")),
    )
    op.create_table(
        "plant_pauses",
        sa.Column("plant", sa.String(length=16), nullable=False),
        sa.Column("paused_at", base.UtcInstant(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.PrimaryKeyConstraint("plant", name=op.f("pk_plant_pauses")),
    )
    with op.batch_alter_table("target_pauses", schema=None) as batch_op:
        batch_op.add_column(sa.Column("actor", sa.String(length=120), nullable=False, server_default="lineside"))
    _index_waiting(["waiting_for", "due_at", "id"])


def downgrade() -> None:
    _index_waiting(["waiting_for"])
    with op.batch_alter_table("target_pauses", schema=None) as batch_op:
        batch_op.drop_column("actor")
    op.drop_table("plant_pauses")
    op.drop_table("target_calls")
    op.drop_table("target_states")


def _index_waiting(columns: list[str]) -> None:
    op.drop_index("ix_messages_waiting_for", table_name="messages")
    op.create_index(
        "ix_messages_waiting_for",
        "messages",
        columns,
        unique=False,
        postgresql_where=sa.text(WAITING),
        sqlite_where=sa.text(WAITING),
    )
