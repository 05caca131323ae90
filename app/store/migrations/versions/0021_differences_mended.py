"""two systems compared, proposals that a second person decides, and when systems are compared by themselves

Revision ID: 0021
Revises: 0020
"""

import sqlalchemy as sa
from alembic import op

from app.store import base

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UNDER_WAY = sa.text("state IN ('proposed', 'approved')")


def upgrade() -> None:
    op.add_column("reconciliations", sa.Column("against", sa.String(length=64), nullable=True))
    op.add_column("reconciliations", sa.Column("against_snapshot_id", BIG_ID, nullable=True))
    op.create_index("ix_reconciliations_snapshot", "reconciliations", ["snapshot_id"])
    op.create_index("ix_reconciliations_against_snapshot", "reconciliations", ["against_snapshot_id"])
    awaiting = sa.text("awaits IS NOT NULL")
    op.add_column("snapshots", sa.Column("awaits", sa.Integer(), nullable=True))
    op.add_column("snapshots", sa.Column("against_id", BIG_ID, nullable=True))
    op.create_index("ix_snapshots_awaiting", "snapshots", ["id"], postgresql_where=awaiting, sqlite_where=awaiting)
    _create_proposals()
    op.create_table(
        "reconcile_turns",
        sa.Column("system", sa.String(length=64), nullable=False),
        sa.Column("due_at", base.UtcInstant(timezone=True), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("system", name=op.f("pk_reconcile_turns")),
    )


def _create_proposals() -> None:
    op.create_table(
        "proposals",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("reconciliation_id", BIG_ID, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("plan", base.JsonText(), nullable=False),
        sa.Column("reason", base.ToldText(), nullable=False),
        sa.Column("proposed_by", sa.String(length=120), nullable=False),
        sa.Column("proposed_at", base.UtcInstant(timezone=True), nullable=False),
        sa.Column("expires_at", base.UtcInstant(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String(length=120), nullable=True),
        sa.Column("decided_at", base.UtcInstant(timezone=True), nullable=True),
        sa.Column("decision", base.ToldText(), nullable=True),
        sa.Column("outcome", base.JsonText(), nullable=True),
        sa.ForeignKeyConstraint(
            ["reconciliation_id"], ["reconciliations.id"], name=op.f("fk_proposals_reconciliation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposals")),
    )
    op.create_index(
        "uq_proposals_under_way",
        "proposals",
        ["reconciliation_id", "kind", "number"],
        unique=True,
        postgresql_where=UNDER_WAY,
        sqlite_where=UNDER_WAY,
    )
    op.create_index("ix_proposals_reconciliation", "proposals", ["reconciliation_id", "id"])
    op.create_index("ix_proposals_state", "proposals", ["state", "id"])


def downgrade() -> None:
    op.drop_table("reconcile_turns")
    op.drop_table("proposals")
    op.drop_index("ix_snapshots_awaiting", "snapshots")
    op.drop_column("snapshots", "against_id")
    op.drop_column("snapshots", "awaits")
    op.drop_index("ix_reconciliations_against_snapshot", "reconciliations")
    op.drop_index("ix_reconciliations_snapshot", "reconciliations")
    op.drop_column("reconciliations", "against_snapshot_id")
    op.drop_column("reconciliations", "against")
