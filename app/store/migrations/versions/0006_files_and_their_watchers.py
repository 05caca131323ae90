"""a file that ends its watchers is told from the others

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("files", sa.Column("watchers_lost", sa.SmallInteger(), nullable=False, server_default="0"))
    op.add_column("files", sa.Column("held_by", sa.String(64), nullable=True))


def downgrade() -> None:
    op.drop_column("files", "held_by")
    op.drop_column("files", "watchers_lost")
