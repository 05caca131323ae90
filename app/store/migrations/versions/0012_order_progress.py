"""what became of production orders, from their reports; what is posted already is entered next

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

from app.store import base

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOVED_AWAY = ("completed", "scrapped", "state")
PLANNED = ("planned_start_at", "planned_end_at")


def _code(name: str, length: int = 80, *, nullable: bool = False) -> "sa.Column[str]":
    return sa.Column(name, base.plain_text(length), nullable=nullable)


def _instant(name: str, *, nullable: bool = True) -> "sa.Column[object]":
    return sa.Column(name, base.UtcInstant(timezone=True), nullable=nullable)


def upgrade() -> None:
    _create_reports()
    _create_sums()
    _create_links()
    for name in PLANNED:
        op.add_column("production_orders", _instant(name))
    for name in MOVED_AWAY:
        op.drop_column("production_orders", name)
    # What 0011 or a worker since has entered knew nothing of orders: it is all entered anew.
    for table in ("effects", "movements", "item_stock", "stock"):
        op.execute(f"DELETE FROM {table}")  # noqa: S608 - a name from the line above
    posted = "SELECT id, false, state_at FROM messages WHERE state = 'posted' ORDER BY id"
    op.execute(f"INSERT INTO effects (message_id, undo, at) {posted}")  # noqa: S608 - the line above


def _create_reports() -> None:
    op.create_table(
        "order_reports",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        _code("plant"),
        _code("order_id"),
        sa.Column("message_id", BIG_ID, nullable=False),
        sa.Column("event_index", sa.Integer(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        _code("item", nullable=True),
        _code("uom", 16, nullable=True),
        sa.Column("quantity", base.ExactDecimal(), nullable=True),
        _code("lot", nullable=True),
        _code("transformation", 200),
        sa.Column("reason", base.ToldText(), nullable=True),
        _instant("happened_at", nullable=False),
        _instant("entered_at", nullable=False),
        _instant("void_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_reports")),
    )
    op.create_index("ix_order_reports_message", "order_reports", ["message_id"])
    op.create_index("ix_order_reports_order", "order_reports", ["plant", "order_id", "id"])


def _create_sums() -> None:
    op.create_table(
        "order_items",
        _code("plant"),
        _code("order_id"),
        _code("item"),
        _code("uom", 16),
        *(sa.Column(name, base.ExactDecimal(), nullable=False) for name in ("produced", "consumed", "scrapped")),
        sa.PrimaryKeyConstraint("plant", "order_id", "item", "uom", name=op.f("pk_order_items")),
    )
    op.create_table(
        "order_progress",
        _code("plant"),
        _code("order_id"),
        *(_instant(name) for name in ("started_at", "reported_at", "ended_at")),
        sa.PrimaryKeyConstraint("plant", "order_id", name=op.f("pk_order_progress")),
    )


def _create_links() -> None:
    op.create_table(
        "transformation_lots",
        _code("plant"),
        _code("transformation", 200),
        _code("direction", 3),
        _code("item"),
        _code("lot"),
        _code("uom", 16),
        sa.Column("quantity", base.ExactDecimal(), nullable=False),
        _code("order_id"),
        sa.PrimaryKeyConstraint(
            "plant", "transformation", "direction", "item", "lot", "uom", name=op.f("pk_transformation_lots")
        ),
    )
    op.create_index("ix_transformation_lots_lot", "transformation_lots", ["lot", "item", "direction"])


def downgrade() -> None:
    for table in ("transformation_lots", "order_progress", "order_items", "order_reports"):
        op.drop_table(table)
    for name in PLANNED:
        op.drop_column("production_orders", name)
    op.add_column("production_orders", sa.Column("state", sa.String(16), nullable=False, server_default="released"))
    for name in ("completed", "scrapped"):
        op.add_column("production_orders", sa.Column(name, base.ExactDecimal(), nullable=False, server_default="0"))
