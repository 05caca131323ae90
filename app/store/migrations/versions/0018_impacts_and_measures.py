"""what dead letters hold up, and measures by plant, process and day; what is dead already is weighed next

Revision ID: 0018
Revises: 0017
"""

import sqlalchemy as sa
from alembic import op

from app.store import base

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _message_id(table: str) -> "tuple[sa.Column[int], sa.ForeignKeyConstraint]":
    return (
        sa.Column("message_id", BIG_ID, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f(f"fk_{table}_message_id")),
    )


def upgrade() -> None:
    op.create_table(
        "impacts",
        *_message_id("impacts"),
        sa.Column("plant", sa.String(length=16), nullable=False),
        sa.Column("died_at", base.UtcInstant(timezone=True), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("subject", base.JsonText(), nullable=True),
        sa.Column("parts", base.JsonText(), nullable=True),
        sa.Column("weighed_at", base.UtcInstant(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_impacts")),
    )
    op.create_index("ix_impacts_points", "impacts", ["points", "message_id"])
    op.create_index("ix_impacts_plant_points", "impacts", ["plant", "points", "message_id"])
    unweighed = sa.text("weighed_at IS NULL")
    op.create_index(
        "ix_impacts_unweighed", "impacts", ["message_id"], postgresql_where=unweighed, sqlite_where=unweighed
    )
    op.create_table(
        "impact_objects",
        sa.Column("kind", base.plain_text(16), nullable=False),
        sa.Column("code", base.plain_text(80), nullable=False),
        *_message_id("impact_objects"),
        sa.PrimaryKeyConstraint("kind", "code", "message_id", name=op.f("pk_impact_objects")),
    )
    op.create_index("ix_impact_objects_message", "impact_objects", ["message_id", "kind"])
    _create_measures()
    dead = "SELECT id, plant, state_at, 0 FROM messages WHERE state = 'dead'"
    op.execute(f"INSERT INTO impacts (message_id, plant, died_at, points) {dead}")  # noqa: S608 - the line above


def _create_measures() -> None:
    for table in ("measures", "measure_totals"):
        on_day = [sa.Column("measured_on", sa.Date(), nullable=False)] if table == "measures" else []
        key = ["plant", *(column.name for column in on_day), "process", "measure", "bucket"]
        op.create_table(
            table,
            sa.Column("plant", sa.String(length=16), nullable=False),
            *on_day,
            sa.Column("process", sa.String(length=16), nullable=False),
            sa.Column("measure", sa.String(length=24), nullable=False),
            sa.Column("bucket", sa.SmallInteger(), autoincrement=False, nullable=False),
            sa.Column("number", BIG_ID, nullable=False),
            sa.PrimaryKeyConstraint(*key, name=op.f(f"pk_{table}")),
        )
    op.create_table(
        "measure_notes",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("subject_id", BIG_ID, nullable=False),
        sa.Column("at", base.UtcInstant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_measure_notes")),
    )
    op.add_column("effects", sa.Column("measured", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column("effects", "measured")
    for table in ("measure_notes", "measure_totals", "measures", "impact_objects", "impacts"):
        op.drop_table(table)
