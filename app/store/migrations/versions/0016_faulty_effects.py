"""the messages that cannot be entered are found among all that are still to be

Revision ID: 0016
Revises: 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    faulty = sa.text("fault IS NOT NULL")
    op.create_index("ix_effects_fault", "effects", ["message_id"], postgresql_where=faulty, sqlite_where=faulty)


def downgrade() -> None:
    op.drop_index("ix_effects_fault", "effects")
