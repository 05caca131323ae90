"""business exceptions have an owner who is told, and rules that look for them

Revision ID: 0017
Revises: 0016
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from app.store import base

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
COLUMNS: dict[str, Any] = {
    "process": sa.String(length=12),
    "object_type": sa.String(length=24),
    "object_id": sa.String(length=255),
    "messages": sa.Text(),
    "owner": sa.String(length=40),
    "value_at_risk": base.ExactDecimal(),
    "currency": sa.String(length=3),
    "attend_at": base.UtcInstant(timezone=True),
    "told_at": base.UtcInstant(timezone=True),
}
NOT_ENDED = "ended_at IS NULL"
WANTED = "reserved <> '0' OR unrestricted < '0'"
UNTOLD_HOLDS = "kind = 'quality.held.v1' AND state IN ('planned', 'sending', 'refused', 'unknown')"
INDEXES = (
    ("ix_business_exceptions_watched", "business_exceptions", ["rule", "plant", "id"], "state <> 'resolved' OR waived"),
    ("ix_business_exceptions_attend", "business_exceptions", ["attend_at", "id"], "attend_at IS NOT NULL"),
    ("ix_business_exceptions_cause", "business_exceptions", ["cause", "id"], None),
    ("ix_business_exceptions_object", "business_exceptions", ["object_type", "object_id", "id"], None),
    ("ix_item_stock_wanted", "item_stock", ["plant", "item", "uom"], WANTED),
    ("ix_order_reports_entered", "order_reports", ["plant", "id"], None),
    ("ix_order_progress_open", "order_progress", ["plant", "order_id"], NOT_ENDED),
    ("ix_postings_holds", "postings", ["plant", "id"], UNTOLD_HOLDS),
)


def upgrade() -> None:
    for name, kind in COLUMNS.items():
        op.add_column("business_exceptions", sa.Column(name, kind, nullable=True))
    no, none = sa.text("false"), sa.text("0")
    op.add_column("business_exceptions", sa.Column("waived", sa.Boolean(), server_default=no, nullable=False))
    op.add_column("business_exceptions", sa.Column("escalation", sa.Integer(), server_default=none, nullable=False))
    op.add_column("items", sa.Column("standard_cost", base.ExactDecimal(), nullable=True))
    op.add_column("items", sa.Column("currency", sa.String(length=3), nullable=True))
    op.create_table(
        "exception_walks",
        sa.Column("rule", sa.String(length=40), nullable=False),
        sa.Column("plant", sa.String(length=16), nullable=False),
        sa.Column("after", sa.Text(), nullable=True),
        sa.Column("watched_after", BIG_ID, nullable=False),
        sa.Column("looked_at", base.UtcInstant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("rule", "plant", name=op.f("pk_exception_walks")),
    )
    op.create_table(
        "exception_notices",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("exception_id", BIG_ID, nullable=True),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("owner", sa.String(length=40), nullable=False),
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("webhook_id", sa.String(length=40), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due_at", base.UtcInstant(timezone=True), nullable=False),
        sa.Column("created_at", base.UtcInstant(timezone=True), nullable=False),
        sa.Column("ended_at", base.UtcInstant(timezone=True), nullable=True),
        sa.Column("trouble", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exception_notices")),
        sa.UniqueConstraint("webhook_id", name=op.f("uq_exception_notices_webhook_id")),
    )
    _index("ix_exception_notices_due", "exception_notices", ["due_at", "id"], "state = 'waiting'")
    _index("ix_exception_notices_exception", "exception_notices", ["exception_id", "id"], None)
    _index("ix_exception_notices_owner", "exception_notices", ["owner", "created_at"], None)
    _open_orders_that_were_only_released()
    for name, table, columns, where in INDEXES:
        _index(name, table, columns, where)


def _index(name: str, table: str, columns: list[str], where: str | None) -> None:
    chosen = None if where is None else sa.text(where)
    op.create_index(name, table, columns, unique=False, postgresql_where=chosen, sqlite_where=chosen)


def _open_orders_that_were_only_released() -> None:
    """So that whoever looks for open orders finds them among the rows of their progress."""
    op.execute(
        "INSERT INTO order_progress (plant, order_id)"
        " SELECT o.plant, o.order_id FROM production_orders o WHERE o.released_message_id IS NOT NULL AND NOT EXISTS"
        " (SELECT 1 FROM order_progress p WHERE p.plant = o.plant AND p.order_id = o.order_id)"
    )


def downgrade() -> None:
    for name, table, _, _ in reversed(INDEXES):
        op.drop_index(name, table)
    op.execute("DELETE FROM order_progress WHERE started_at IS NULL AND reported_at IS NULL AND ended_at IS NULL")
    op.drop_table("exception_notices")
    op.drop_table("exception_walks")
    for column in ("currency", "standard_cost"):
        op.drop_column("items", column)
    for name in ("escalation", "waived", *reversed(COLUMNS)):
        op.drop_column("business_exceptions", name)
