"""business exceptions, and what sources were heard saying

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

from app.store import base

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UNRESOLVED = sa.text("state <> 'resolved'")


def upgrade() -> None:
    op.create_table(
        "business_exceptions",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("rule", sa.String(length=40), nullable=False),
        sa.Column("cause", sa.String(length=400), nullable=False),
        sa.Column("plant", sa.String(length=16), nullable=True),
        sa.Column("source", sa.String(length=64), nullable=True),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("severity", sa.String(length=10), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("missing_from", sa.String(length=40), nullable=True),
        sa.Column("missing_to", sa.String(length=40), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("first_seen_at", base.UtcInstant(timezone=True), nullable=False),
        sa.Column("last_seen_at", base.UtcInstant(timezone=True), nullable=False),
        sa.Column("acknowledged_at", base.UtcInstant(timezone=True), nullable=True),
        sa.Column("acknowledged_by", sa.String(length=120), nullable=True),
        sa.Column("resolved_at", base.UtcInstant(timezone=True), nullable=True),
        sa.Column("resolved_by", sa.String(length=120), nullable=True),
        sa.Column("resolution", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_business_exceptions")),
    )
    _index("uq_business_exceptions_unresolved_cause", ["cause"], unique=True)
    _index("ix_business_exceptions_unresolved", ["rule", "plant", "state"], unique=False)
    op.create_table(
        "source_notes",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("plant", sa.String(length=16), nullable=False),
        sa.Column("series", sa.String(length=210), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=True),
        sa.Column("last", sa.BigInteger(), nullable=True),
        sa.Column("run", sa.Integer(), nullable=True),
        sa.Column("at", base.UtcInstant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source_notes")),
    )
    op.create_table(
        "source_numbers",
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("plant", sa.String(length=16), nullable=False),
        sa.Column("series", sa.String(length=210), nullable=False),
        sa.Column("book", sa.Text(), nullable=True),
        sa.Column("heard_at", base.UtcInstant(timezone=True), nullable=True),
        sa.Column("counts_from", base.UtcInstant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", "plant", "series", name=op.f("pk_source_numbers")),
    )


def _index(name: str, columns: list[str], *, unique: bool) -> None:
    op.create_index(
        name,
        "business_exceptions",
        columns,
        unique=unique,
        postgresql_where=UNRESOLVED,
        sqlite_where=UNRESOLVED,
    )


def downgrade() -> None:
    op.drop_table("source_numbers")
    op.drop_table("source_notes")
    op.drop_table("business_exceptions")
