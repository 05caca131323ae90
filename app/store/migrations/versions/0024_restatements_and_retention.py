"""which message re-states which, and what was exported and deleted

Revision ID: 0024
Revises: 0023
"""

import sqlalchemy as sa
from alembic import op

from app.store import base

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    big = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "restatements",
        sa.Column("message_id", big, primary_key=True, autoincrement=False),
        sa.Column("corrects", sa.String(200), primary_key=True),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
    )
    op.create_index("ix_restatements_corrects", "restatements", ["source", "corrects", "message_id"])
    op.create_index(
        "ix_restatements_open",
        "restatements",
        ["message_id"],
        postgresql_where=sa.text("is_open IS true"),
        sqlite_where=sa.text("is_open IS 1"),
    )
    op.create_table(
        "archives",
        sa.Column("id", big, primary_key=True, autoincrement=True),
        sa.Column("path", sa.String(200), nullable=False),
        sa.Column("host", sa.String(120), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("bytes", big, nullable=False),
        sa.Column("messages", sa.Integer(), nullable=False),
        sa.Column("made_at", base.UtcInstant(timezone=True), nullable=False),
        sa.UniqueConstraint("path", name="uq_archives_path"),
    )
    op.create_table(
        "retention_marks",
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("after_id", big, nullable=False),
    )
    op.add_column("messages", sa.Column("archive_id", big, nullable=True))


def downgrade() -> None:
    op.drop_column("messages", "archive_id")
    op.drop_table("retention_marks")
    op.drop_table("archives")
    op.drop_table("restatements")
