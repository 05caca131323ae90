"""reservations, what was used of them, and stock on its way out

Revision ID: 0022
Revises: 0021
"""

import sqlalchemy as sa
from alembic import op

from app.store import base

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _codes(*names: str, nullable: bool = False) -> "list[sa.Column[str]]":
    return [sa.Column(n, base.plain_text(16 if n == "uom" else 80), nullable=nullable) for n in names]


def _amounts(*names: str) -> "list[sa.Column[object]]":
    return [sa.Column(name, base.ExactDecimal(), nullable=False) for name in names]


def _instants(*names: str, nullable: bool = False) -> "list[sa.Column[object]]":
    return [sa.Column(name, base.UtcInstant(timezone=True), nullable=nullable) for name in names]


def _key(*names: str) -> "list[sa.Column[int]]":
    kinds = {"message_id": BIG_ID, "reservation_id": BIG_ID}
    return [sa.Column(n, kinds.get(n, sa.Integer()), autoincrement=False, nullable=False) for n in names]


def upgrade() -> None:
    _create_reservations()
    op.create_table(
        "reservation_uses",
        *_key("message_id", "event_index", "leg", "reservation_id"),
        *_amounts("quantity"),
        *_instants("happened_at"),
        sa.PrimaryKeyConstraint("message_id", "event_index", "leg", "reservation_id", name=op.f("pk_reservation_uses")),
    )
    op.create_index("ix_reservation_uses_reservation", "reservation_uses", ["reservation_id", "message_id"])
    op.create_table(
        "withdrawals",
        *_key("message_id", "line"),
        *_codes("plant", "item", "uom"),
        *_amounts("quantity"),
        *_codes("lot", "storage"),
        *_codes("order_id", "delivery_id", "reservation", nullable=True),
        *_instants("at"),
        sa.PrimaryKeyConstraint("message_id", "line", name=op.f("pk_withdrawals")),
    )
    op.create_index("ix_withdrawals_item", "withdrawals", ["plant", "item", "message_id", "line"])
    op.create_table(
        "promised_items",
        *_codes("plant", "item"),
        sa.PrimaryKeyConstraint("plant", "item", name=op.f("pk_promised_items")),
    )


def _create_reservations() -> None:
    op.create_table(
        "reservations",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        *_codes("code"),
        sa.Column("message_id", BIG_ID, nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        *_codes("plant", "item", "uom"),
        *_amounts("quantity", "used"),
        *_codes("lot", "storage"),
        *_codes("order_id", "delivery_id", nullable=True),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("actor", sa.String(120), nullable=False),
        sa.Column("reason", base.ToldText(), nullable=True),
        *_instants("made_at"),
        *_instants("expires_at", "ended_at", nullable=True),
        sa.Column("ended_message_id", BIG_ID, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reservations")),
        sa.UniqueConstraint("code", name=op.f("uq_reservations_code")),
        sa.UniqueConstraint("message_id", name=op.f("uq_reservations_message_id")),
    )
    op.create_index("ix_reservations_item", "reservations", ["plant", "item", "id"])
    op.create_index("ix_reservations_order", "reservations", ["plant", "order_id", "id"])
    op.create_index("ix_reservations_delivery", "reservations", ["plant", "delivery_id", "id"])
    op.create_index("ix_reservations_state", "reservations", ["state", "id"])
    is_open = sa.text("state = 'open'")
    for name, columns in (
        ("ix_reservations_open", ["plant", "item", "id"]),
        ("ix_reservations_due", ["expires_at", "id"]),
    ):
        op.create_index(name, "reservations", columns, postgresql_where=is_open, sqlite_where=is_open)


def downgrade() -> None:
    for table in ("promised_items", "withdrawals", "reservation_uses", "reservations"):
        op.drop_table(table)
