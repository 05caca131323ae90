"""comparisons that people ask for

Revision ID: 0026
Revises: 0024
"""

import sqlalchemy as sa
from alembic import op

from app.store import base

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ASKED = sa.text("ended_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "reconcile_requests",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("system", sa.String(64), nullable=False),
        sa.Column("against", sa.String(64), nullable=True),
        sa.Column("level", sa.String(8), nullable=False),
        sa.Column("asked_at", base.UtcInstant(timezone=True), nullable=False),
        sa.Column("asked_by", sa.String(120), nullable=False),
        sa.Column("begun", sa.Integer(), nullable=False),
        sa.Column("snapshot_id", BIG_ID, nullable=True),
        sa.Column("ended_at", base.UtcInstant(timezone=True), nullable=True),
        sa.Column("reconciliation_id", BIG_ID, nullable=True),
        sa.Column("trouble", base.ToldText(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconcile_requests")),
    )
    op.create_index(
        "ix_reconcile_requests_asked", "reconcile_requests", ["id"], postgresql_where=ASKED, sqlite_where=ASKED
    )


def downgrade() -> None:
    op.drop_table("reconcile_requests")
