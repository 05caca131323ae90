"""the feed of events in one order, subscribers that are told of them by webhook, and keys of parties

Revision ID: 0023
Revises: 0022
"""

import sqlalchemy as sa
from alembic import op

from app.store import base

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DUE = sa.text("state = 'due'")
ENDED = sa.text("ended_at IS NOT NULL")


def _id(name: str = "id") -> "sa.Column[int]":
    return sa.Column(name, BIG_ID, autoincrement=True, nullable=False)


def _instant(name: str, nullable: bool = False) -> "sa.Column[object]":
    return sa.Column(name, base.UtcInstant(timezone=True), nullable=nullable)


def _told(name: str) -> "sa.Column[str]":
    return sa.Column(name, base.ToldText(), nullable=True)


def upgrade() -> None:
    op.create_table(
        "feed",
        _id("position"),
        sa.Column("message_id", BIG_ID, nullable=False),
        sa.Column("event_index", sa.Integer(), nullable=False),
        sa.Column("undone", sa.Boolean(), nullable=False),
        sa.Column("plant", base.plain_text(80), nullable=False),
        sa.Column("type", base.plain_text(80), nullable=False),
        _instant("told_at"),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_feed")),
        sa.UniqueConstraint("message_id", "event_index", "undone", name="uq_feed_event"),
        sqlite_autoincrement=True,
    )
    _create_webhooks()
    op.create_index("ix_stock_storage", "stock", ["plant", "storage", "id"])
    op.create_table(
        "party_keys",
        _id(),
        sa.Column("label", sa.String(120), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("party", base.plain_text(80), nullable=False),
        _instant("created_at"),
        _instant("revoked_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_party_keys")),
        sa.UniqueConstraint("digest", name=op.f("uq_party_keys_digest")),
    )


def _create_webhooks() -> None:
    op.create_table(
        "webhook_subscribers",
        _id(),
        sa.Column("name", base.plain_text(80), nullable=False),
        sa.Column("url", base.ToldText(), nullable=False),
        *(sa.Column(name, base.JsonText(), nullable=False) for name in ("secrets", "types", "plants", "items")),
        sa.Column("concurrency", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        _told("state_reason"),
        _instant("state_at"),
        sa.Column("told_position", BIG_ID, nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        _instant("failing_since", nullable=True),
        _instant("open_at", nullable=True),
        _instant("created_at"),
        sa.Column("created_by", sa.String(120), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_subscribers")),
        sa.UniqueConstraint("name", name=op.f("uq_webhook_subscribers_name")),
    )
    op.create_table(
        "webhook_deliveries",
        _id(),
        sa.Column("subscriber_id", BIG_ID, nullable=False),
        sa.Column("webhook_id", base.plain_text(80), nullable=False),
        sa.Column("position", BIG_ID, nullable=True),
        sa.Column("ordering_key", base.plain_text(400), nullable=True),
        sa.Column("state", sa.String(12), nullable=False),
        _instant("due_at"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        _instant("tries_since", nullable=True),
        sa.Column("lease_token", sa.String(32), nullable=True),
        _instant("lease_until", nullable=True),
        _told("reason"),
        _instant("made_at"),
        _instant("ended_at", nullable=True),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["webhook_subscribers.id"],
            name=op.f("fk_webhook_deliveries_subscriber_id_webhook_subscribers"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_deliveries")),
        sa.UniqueConstraint("subscriber_id", "webhook_id", name="uq_webhook_deliveries_event"),
    )
    table = "webhook_deliveries"
    for name, columns in (("due", ["due_at", "id"]), ("key", ["ordering_key", "id"])):
        index, on = f"ix_webhook_deliveries_{name}", ["subscriber_id", *columns]
        op.create_index(index, table, on, postgresql_where=DUE, sqlite_where=DUE)
    op.create_index("ix_webhook_deliveries_state", table, ["subscriber_id", "state", "id"])
    op.create_index(
        "ix_webhook_deliveries_ended", table, ["ended_at", "id"], postgresql_where=ENDED, sqlite_where=ENDED
    )
    op.create_table(
        "webhook_attempts",
        _id(),
        sa.Column("delivery_id", BIG_ID, nullable=False),
        _instant("at"),
        sa.Column("took_ms", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        _told("reason"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_attempts")),
    )
    op.create_index(op.f("ix_webhook_attempts_delivery_id"), "webhook_attempts", ["delivery_id"])


def downgrade() -> None:
    op.drop_index("ix_stock_storage", "stock")
    for table in ("party_keys", "webhook_attempts", "webhook_deliveries", "webhook_subscribers", "feed"):
        op.drop_table(table)
