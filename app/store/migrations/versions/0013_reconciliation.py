"""snapshots of other systems' balances, and what came of comparing them

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

from app.store import base

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _codes(*names: str) -> "list[sa.Column[str]]":
    return [sa.Column(name, base.plain_text(16 if name == "uom" else 80), nullable=False) for name in names]


def _amounts(*names: str) -> "list[sa.Column[object]]":
    return [sa.Column(name, base.ExactDecimal(), nullable=False) for name in names]


def _counts(*names: str) -> "list[sa.Column[int]]":
    return [sa.Column(name, sa.Integer(), nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "snapshots",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("system", sa.String(length=64), nullable=False),
        sa.Column("taken_at", base.UtcInstant(timezone=True), nullable=False),
        sa.Column("origin", base.ToldText(), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        *_counts("rows"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snapshots")),
    )
    op.create_index("ix_snapshots_system", "snapshots", ["system", "id"])
    op.create_table(
        "snapshot_rows",
        sa.Column("snapshot_id", BIG_ID, autoincrement=False, nullable=False),
        *_counts("number"),
        *_codes("plant", "item", "storage", "lot", "uom"),
        *_amounts("quantity"),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshots.id"], name=op.f("fk_snapshot_rows_snapshot_id")),
        sa.PrimaryKeyConstraint("snapshot_id", "number", name=op.f("pk_snapshot_rows")),
    )
    op.create_table(
        "reconciliations",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("system", sa.String(length=64), nullable=False),
        sa.Column("snapshot_id", BIG_ID, nullable=False),
        sa.Column("level", sa.String(length=8), nullable=False),
        sa.Column("made_at", base.UtcInstant(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        *_counts("compared", "differences", "unexplained"),
        sa.Column("notes", base.JsonText(), nullable=False),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshots.id"], name=op.f("fk_reconciliations_snapshot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliations")),
    )
    op.create_index("ix_reconciliations_system", "reconciliations", ["system", "id"])
    op.create_table(
        "differences",
        sa.Column("reconciliation_id", BIG_ID, autoincrement=False, nullable=False),
        *_counts("number"),
        *_codes("plant", "item", "storage", "lot", "uom"),
        *_amounts("system_quantity", "reported_quantity", "unexplained"),
        sa.Column("causes", base.JsonText(), nullable=False),
        sa.ForeignKeyConstraint(
            ["reconciliation_id"], ["reconciliations.id"], name=op.f("fk_differences_reconciliation_id")
        ),
        sa.PrimaryKeyConstraint("reconciliation_id", "number", name=op.f("pk_differences")),
    )


def downgrade() -> None:
    for table in ("differences", "reconciliations", "snapshot_rows", "snapshots"):
        op.drop_table(table)
