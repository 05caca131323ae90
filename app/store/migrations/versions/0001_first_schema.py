"""first schema

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op

from app.store import base

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("created_at", base.UtcInstant(timezone=True), nullable=False),
        sa.Column("disabled_at", base.UtcInstant(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_accounts")),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("label", sa.String(length=120), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("plants", base.JsonText(), nullable=False),
        sa.Column("created_at", base.UtcInstant(timezone=True), nullable=False),
        sa.Column("revoked_at", base.UtcInstant(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_keys_digest")),
    )
    with op.batch_alter_table("api_keys", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_api_keys_source"), ["source"], unique=False)

    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("at", base.UtcInstant(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("detail", base.JsonText(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_table(
        "files",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("rows_done", sa.Integer(), nullable=False),
        sa.Column("rows_accepted", sa.Integer(), nullable=False),
        sa.Column("rows_repeated", sa.Integer(), nullable=False),
        sa.Column("rows_refused", sa.Integer(), nullable=False),
        sa.Column("errors_bytes", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("taken_at", base.UtcInstant(timezone=True), nullable=False),
        sa.Column("ended_at", base.UtcInstant(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_files")),
        sa.UniqueConstraint("source", "sha256", name=op.f("uq_files_source_sha256")),
    )
    op.create_table(
        "items",
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("base_uom", sa.String(length=16), nullable=False),
        sa.Column("units", base.JsonText(), nullable=False),
        sa.Column("system", sa.String(length=64), nullable=False),
        sa.Column("updated_at", base.UtcInstant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_items")),
    )
    op.create_table(
        "lanes",
        sa.Column("plant", sa.String(length=16), nullable=False),
        sa.Column("lane", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("lease_token", sa.String(length=32), nullable=True),
        sa.Column("lease_until", base.UtcInstant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("plant", "lane", name=op.f("pk_lanes")),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("token", sa.String(length=32), nullable=True),
        sa.Column("until", base.UtcInstant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("plant", sa.String(length=16), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("source_message_id", sa.String(length=200), nullable=False),
        sa.Column("type", sa.String(length=80), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("step", sa.String(length=10), nullable=True),
        sa.Column("lane", sa.SmallInteger(), nullable=False),
        sa.Column("due_at", base.UtcInstant(timezone=True), nullable=True),
        sa.Column("lease_token", sa.String(length=32), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("failing_since", base.UtcInstant(timezone=True), nullable=True),
        sa.Column("ordering_key", sa.String(length=250), nullable=True),
        sa.Column("key_rank", base.plain_text(64), nullable=False),
        sa.Column("sequence", sa.String(length=40), nullable=True),
        sa.Column("waiting_for", sa.String(length=300), nullable=True),
        sa.Column("reason_code", sa.String(length=60), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("reason_field", sa.String(length=300), nullable=True),
        sa.Column("received_at", base.UtcInstant(timezone=True), nullable=False),
        sa.Column("state_at", base.UtcInstant(timezone=True), nullable=False),
        sa.Column("traceparent", sa.String(length=64), nullable=True),
        sa.Column("mapping_version", sa.String(length=64), nullable=True),
        sa.Column("file_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("row_number", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sa.UniqueConstraint("source", "source_message_id", name=op.f("uq_messages_source_source_message_id")),
    )
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.create_index(
            "ix_messages_due",
            ["plant", "step", "lane", "due_at", "id"],
            unique=False,
            postgresql_where=sa.text("step IS NOT NULL"),
            sqlite_where=sa.text("step IS NOT NULL"),
        )
        batch_op.create_index("ix_messages_plant_state", ["plant", "state", "id"], unique=False)
        batch_op.create_index("ix_messages_state", ["state", "id"], unique=False)
        batch_op.create_index(
            "ix_messages_unfinished_key",
            ["plant", "ordering_key", "key_rank", "id"],
            unique=False,
            postgresql_where=sa.text(
                "ordering_key IS NOT NULL AND state NOT IN ('posted', 'discarded', 'compensated')"
            ),
            sqlite_where=sa.text("ordering_key IS NOT NULL AND state NOT IN ('posted', 'discarded', 'compensated')"),
        )
        batch_op.create_index(
            "ix_messages_waiting_for",
            ["waiting_for"],
            unique=False,
            postgresql_where=sa.text("waiting_for IS NOT NULL"),
            sqlite_where=sa.text("waiting_for IS NOT NULL"),
        )

    op.create_table(
        "production_orders",
        sa.Column("plant", sa.String(length=16), nullable=False),
        sa.Column("order_id", sa.String(length=80), nullable=False),
        sa.Column("item", sa.String(length=80), nullable=True),
        sa.Column("uom", sa.String(length=16), nullable=True),
        sa.Column("planned", base.ExactDecimal(precision=30, scale=9), nullable=False),
        sa.Column("completed", base.ExactDecimal(precision=30, scale=9), nullable=False),
        sa.Column("scrapped", base.ExactDecimal(precision=30, scale=9), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("released_message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("updated_at", base.UtcInstant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("plant", "order_id", name=op.f("pk_production_orders")),
    )
    op.create_table(
        "state_changes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("plant", sa.String(length=16), nullable=False),
        sa.Column("type", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("change", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_state_changes")),
    )
    op.create_table(
        "state_counts",
        sa.Column("plant", sa.String(length=16), nullable=False),
        sa.Column("type", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("count", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("plant", "type", "state", name=op.f("pk_state_counts")),
    )
    op.create_table(
        "target_pauses",
        sa.Column("target", sa.String(length=64), nullable=False),
        sa.Column("paused_at", base.UtcInstant(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("target", name=op.f("pk_target_pauses")),
    )
    op.create_table(
        "corrections",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", base.UtcInstant(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_corrections_message_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_corrections")),
    )
    with op.batch_alter_table("corrections", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_corrections_message_id"), ["message_id"], unique=False)

    op.create_table(
        "documents",
        sa.Column(
            "message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("step", sa.String(length=10), nullable=False),
        sa.Column("at", base.UtcInstant(timezone=True), nullable=False),
        sa.Column("body", base.JsonText(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_documents_message_id")),
        sa.PrimaryKeyConstraint("message_id", "step", name=op.f("pk_documents")),
    )
    op.create_table(
        "payloads",
        sa.Column(
            "message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("content_type", sa.String(length=120), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("attributes", base.JsonText(), nullable=True),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_payloads_message_id")),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_payloads")),
    )
    op.create_table(
        "postings",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("plant", sa.String(length=16), nullable=False),
        sa.Column("ordinal", sa.SmallInteger(), nullable=False),
        sa.Column("target", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("required", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("posting_key", sa.String(length=40), nullable=False),
        sa.Column("mapping_version", sa.String(length=64), nullable=True),
        sa.Column("document", base.JsonText(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(length=200), nullable=True),
        sa.Column("answer", base.JsonText(), nullable=True),
        sa.Column("reason_code", sa.String(length=60), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("updated_at", base.UtcInstant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_postings_message_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_postings")),
        sa.UniqueConstraint("posting_key", name=op.f("uq_postings_posting_key")),
    )
    with op.batch_alter_table("postings", schema=None) as batch_op:
        batch_op.create_index("ix_postings_message", ["message_id", "ordinal"], unique=False)
        batch_op.create_index("ix_postings_target_state", ["target", "state"], unique=False)

    op.create_table(
        "timeline",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", base.UtcInstant(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("from_state", sa.String(length=12), nullable=True),
        sa.Column("to_state", sa.String(length=12), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_timeline_message_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_timeline")),
    )
    with op.batch_alter_table("timeline", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_timeline_message_id"), ["message_id"], unique=False)

    op.create_table(
        "posting_attempts",
        sa.Column(
            "posting_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("started_at", base.UtcInstant(timezone=True), nullable=False),
        sa.Column("ended_at", base.UtcInstant(timezone=True), nullable=True),
        sa.Column("worker", sa.String(length=120), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["posting_id"], ["postings.id"], name=op.f("fk_posting_attempts_posting_id")),
        sa.PrimaryKeyConstraint("posting_id", "number", name=op.f("pk_posting_attempts")),
    )


def downgrade() -> None:
    op.drop_table("posting_attempts")
    with op.batch_alter_table("timeline", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_timeline_message_id"))

    op.drop_table("timeline")
    with op.batch_alter_table("postings", schema=None) as batch_op:
        batch_op.drop_index("ix_postings_target_state")
        batch_op.drop_index("ix_postings_message")

    op.drop_table("postings")
    op.drop_table("payloads")
    op.drop_table("documents")
    with op.batch_alter_table("corrections", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_corrections_message_id"))

    op.drop_table("corrections")
    op.drop_table("target_pauses")
    op.drop_table("state_counts")
    op.drop_table("state_changes")
    op.drop_table("production_orders")
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_messages_waiting_for",
            postgresql_where=sa.text("waiting_for IS NOT NULL"),
            sqlite_where=sa.text("waiting_for IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_messages_unfinished_key",
            postgresql_where=sa.text(
                "ordering_key IS NOT NULL AND state NOT IN ('posted', 'discarded', 'compensated')"
            ),
            sqlite_where=sa.text("ordering_key IS NOT NULL AND state NOT IN ('posted', 'discarded', 'compensated')"),
        )
        batch_op.drop_index("ix_messages_state")
        batch_op.drop_index("ix_messages_plant_state")
        batch_op.drop_index(
            "ix_messages_due", postgresql_where=sa.text("step IS NOT NULL"), sqlite_where=sa.text("step IS NOT NULL")
        )

    op.drop_table("messages")
    op.drop_table("leases")
    op.drop_table("lanes")
    op.drop_table("items")
    op.drop_table("files")
    op.drop_table("audit")
    with op.batch_alter_table("api_keys", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_api_keys_source"))

    op.drop_table("api_keys")
    op.drop_table("accounts")
