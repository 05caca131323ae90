"""which message re-states which

Revision ID: 0024
Revises: 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0016"
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


def downgrade() -> None:
    op.drop_table("restatements")
