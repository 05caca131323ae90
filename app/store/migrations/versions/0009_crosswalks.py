"""crosswalks and their history

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

from app.store import base

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "crosswalk_entries",
        sa.Column("system", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("value", base.plain_text(100), nullable=False),
        sa.Column("becomes", sa.String(length=100), nullable=False),
        sa.Column("changed_at", base.UtcInstant(timezone=True), nullable=False),
        sa.Column("changed_by", sa.String(length=120), nullable=False),
        sa.PrimaryKeyConstraint("system", "name", "value", name=op.f("pk_crosswalk_entries")),
    )
    op.create_table(
        "crosswalk_versions",
        sa.Column("system", sa.String(length=64), nullable=False),
        sa.Column("version", BIG_ID, nullable=False),
        sa.PrimaryKeyConstraint("system", name=op.f("pk_crosswalk_versions")),
    )
    op.create_table(
        "crosswalk_changes",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("system", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("value", sa.String(length=100), nullable=False),
        sa.Column("before", sa.String(length=100), nullable=True),
        sa.Column("after", sa.String(length=100), nullable=True),
        sa.Column("at", base.UtcInstant(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crosswalk_changes")),
    )
    op.create_index("ix_crosswalk_changes_table", "crosswalk_changes", ["system", "name", "id"], unique=False)


def downgrade() -> None:
    op.drop_table("crosswalk_changes")
    op.drop_table("crosswalk_versions")
    op.drop_table("crosswalk_entries")
