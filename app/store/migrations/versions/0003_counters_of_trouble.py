"""retries, waits and lost workers are counted apart

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

from app.store import base

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("messages", sa.Column("workers_lost", sa.SmallInteger(), nullable=False, server_default="0"))
    op.add_column("messages", sa.Column("retries", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("messages", sa.Column("retrying_since", base.UtcInstant(timezone=True), nullable=True))
    op.add_column("messages", sa.Column("waiting_since", base.UtcInstant(timezone=True), nullable=True))
    op.execute(
        "UPDATE messages SET retries = attempts, retrying_since = failing_since"
        " WHERE failing_since IS NOT NULL AND waiting_for IS NULL"
    )
    op.execute(
        "UPDATE messages SET waiting_since = failing_since WHERE failing_since IS NOT NULL AND waiting_for IS NOT NULL"
    )
    op.drop_column("messages", "failing_since")


def downgrade() -> None:
    op.add_column("messages", sa.Column("failing_since", base.UtcInstant(timezone=True), nullable=True))
    op.execute(
        "UPDATE messages SET failing_since = coalesce(retrying_since, waiting_since)"
        " WHERE coalesce(retrying_since, waiting_since) IS NOT NULL"
    )
    for name in ("waiting_since", "retrying_since", "retries", "workers_lost"):
        op.drop_column("messages", name)
