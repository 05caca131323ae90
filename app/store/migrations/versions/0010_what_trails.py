"""postings that trail behind their posted message, each with its own tries

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

from app.store import base

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TRAILING = "state = 'posted' AND step IS NOT NULL"
INSTANTS = ("retry_at", "retrying_since", "waiting_since")


def upgrade() -> None:
    for name in INSTANTS:
        op.add_column("postings", sa.Column(name, base.UtcInstant(timezone=True), nullable=True))
    op.add_column("postings", sa.Column("retries", sa.Integer(), server_default="0", nullable=False))
    op.create_index(
        "ix_messages_trailing",
        "messages",
        ["plant", "ordering_key", "state_at", "key_rank", "id"],
        unique=False,
        postgresql_where=sa.text(TRAILING),
        sqlite_where=sa.text(TRAILING),
    )


def downgrade() -> None:
    op.drop_index("ix_messages_trailing", table_name="messages")
    op.drop_column("postings", "retries")
    for name in reversed(INSTANTS):
        op.drop_column("postings", name)
