"""what is read by itself

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

from app.store import base

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reading_marks",
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("target", sa.String(length=64), nullable=False),
        sa.Column("domain", sa.String(length=40), nullable=False),
        sa.Column("cursor_at", base.UtcInstant(timezone=True), nullable=True),
        sa.Column("read_at", base.UtcInstant(timezone=True), nullable=True),
        sa.Column("full_at", base.UtcInstant(timezone=True), nullable=True),
        sa.Column("due_at", base.UtcInstant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", "target", "domain", name=op.f("pk_reading_marks")),
    )
    op.create_table(
        "read_records",
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("domain", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("changed_at", base.UtcInstant(timezone=True), nullable=True),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("source", "domain", "key", name=op.f("pk_read_records")),
    )


def downgrade() -> None:
    op.drop_table("read_records")
    op.drop_table("reading_marks")
