"""the movement ledger and stock; what is posted already is entered next

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

from app.store import base

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
HAS_ORDER = sa.text("order_id IS NOT NULL")


def _code(name: str) -> "sa.Column[str]":
    return sa.Column(name, base.plain_text(80), nullable=False)


def _amount(name: str) -> "sa.Column[object]":
    return sa.Column(name, base.ExactDecimal(), nullable=False)


def _instant(name: str, *, nullable: bool = False) -> "sa.Column[object]":
    return sa.Column(name, base.UtcInstant(timezone=True), nullable=nullable)


def upgrade() -> None:
    _create_stock()
    op.create_table(
        "movements",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("stock_id", BIG_ID, nullable=False),
        sa.Column("message_id", BIG_ID, nullable=False),
        sa.Column("event_index", sa.Integer(), nullable=False),
        sa.Column("leg", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        _amount("quantity"),
        sa.Column("counted", base.ExactDecimal(), nullable=True),
        _instant("happened_at"),
        _instant("entered_at"),
        _code("plant"),
        _code("item"),
        sa.Column("order_id", base.plain_text(80), nullable=True),
        sa.Column("document", base.ToldText(), nullable=True),
        sa.Column("reason", base.ToldText(), nullable=True),
        _instant("void_at", nullable=True),
        sa.ForeignKeyConstraint(["stock_id"], ["stock.id"], name=op.f("fk_movements_stock_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_movements")),
    )
    op.create_index("ix_movements_message", "movements", ["message_id"])
    op.create_index("ix_movements_stock", "movements", ["stock_id", "happened_at", "id"])
    op.create_index("ix_movements_item", "movements", ["plant", "item", "id"])
    columns = ["plant", "order_id", "id"]
    op.create_index("ix_movements_order", "movements", columns, postgresql_where=HAS_ORDER, sqlite_where=HAS_ORDER)
    op.create_table(
        "effects",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("message_id", BIG_ID, nullable=False),
        sa.Column("undo", sa.Boolean(), nullable=False),
        _instant("at"),
        sa.Column("fault", base.ToldText(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_effects")),
    )
    op.execute(
        "INSERT INTO effects (message_id, undo, at) SELECT id, false, state_at FROM messages WHERE state = 'posted' ORDER BY id"
    )


def _create_stock() -> None:
    place = ["plant", "item", "uom", "storage", "lot", "serial", "status"]
    op.create_table(
        "stock",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        *(sa.Column(name, base.plain_text(16 if name in ("uom", "status") else 80), nullable=False) for name in place),
        _amount("quantity"),
        sa.Column("counts", sa.Integer(), nullable=False),
        _instant("moved_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock")),
        sa.UniqueConstraint(*place, name="uq_stock_place"),
    )
    op.create_index("ix_stock_lot", "stock", ["lot", "id"])
    op.create_table(
        "item_stock",
        _code("plant"),
        _code("item"),
        sa.Column("uom", base.plain_text(16), nullable=False),
        *(_amount(status) for status in ("unrestricted", "quality", "blocked")),
        sa.PrimaryKeyConstraint("plant", "item", "uom", name=op.f("pk_item_stock")),
    )


def downgrade() -> None:
    for table in ("effects", "movements", "item_stock", "stock"):
        op.drop_table(table)
