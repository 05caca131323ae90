"""purchase orders, receipts, shipments, what is on its way, items' and bills' versions, equipment; all is entered anew

Revision ID: 0019
Revises: 0018
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from app.store import base

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ENTERED = (
    *("effects", "movements", "item_stock", "stock"),
    *("order_reports", "order_items", "order_progress", "transformation_lots"),
    *("holds", "order_materials", "order_needs"),
)


def _id() -> "sa.Column[int]":
    return sa.Column("id", BIG_ID, autoincrement=True, nullable=False)


def _codes(*names: str, length: int = 80, nullable: bool = False) -> "list[sa.Column[str]]":
    return [sa.Column(name, base.plain_text(length), nullable=nullable) for name in names]


def _amounts(*names: str) -> "list[sa.Column[Any]]":
    return [sa.Column(name, base.ExactDecimal(), nullable=False) for name in names]


def _instants(*names: str, nullable: bool = False) -> "list[sa.Column[Any]]":
    return [sa.Column(name, base.UtcInstant(timezone=True), nullable=nullable) for name in names]


def _flags(*names: str) -> "list[sa.Column[bool]]":
    return [sa.Column(name, sa.Boolean(), nullable=False) for name in names]


def _event() -> "list[sa.Column[Any]]":
    """The event that a row comes from."""
    message = sa.Column("message_id", BIG_ID, nullable=False)
    return [message, sa.Column("event_index", sa.Integer(), nullable=False)]


def _words(name: str, kind: Any, nullable: bool = True) -> "sa.Column[Any]":
    return sa.Column(name, kind, nullable=nullable)


def _number(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.Integer(), nullable=False)


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=op.f(f"pk_{table}"))


def _index(table: str, name: str, *columns: str, where: str | None = None) -> None:
    told: dict[str, Any] = {}
    if where:
        told = {"postgresql_where": sa.text(where), "sqlite_where": sa.text(f"{where} = 1")}
    op.create_index(f"ix_{table}_{name}", table, list(columns), **told)


def upgrade() -> None:
    _create_versions()
    _create_purchase_orders()
    _create_receipts()
    _create_shipments()
    _create_transits()
    _create_equipment()
    for column in ("in_transit", "on_order"):
        op.add_column("item_stock", sa.Column(column, base.ExactDecimal(), nullable=False, server_default="0"))
    for table in ENTERED:
        op.execute(f"DELETE FROM {table}")  # noqa: S608 - a name from the list above
    # Posted, or was before a target refused to reverse it.
    was = "EXISTS (SELECT 1 FROM timeline t WHERE t.message_id = messages.id AND t.to_state = 'posted')"
    effective = f"state = 'posted' OR (state <> 'compensated' AND {was})"
    of_them = f"SELECT id, false, state_at FROM messages WHERE {effective} ORDER BY id"  # noqa: S608 - as above
    op.execute(f"INSERT INTO effects (message_id, undo, at) {of_them}")  # noqa: S608 - the lines above


def _create_versions() -> None:
    op.create_table(
        "told_versions",
        _id(),
        *_codes("kind", length=16),
        *_codes("code", "revision", "plant"),
        *_event(),
        *_instants("effective_from_at", "effective_until_at", nullable=True),
        _words("body", base.JsonText(), nullable=False),
        *_instants("happened_at", "entered_at"),
        *_flags("stands"),
        *_instants("void_at", nullable=True),
        _key("told_versions", "id"),
    )
    _index("told_versions", "message", "message_id")
    _index("told_versions", "code", "kind", "code", "id")
    _index("told_versions", "standing", "kind", "code", "revision", where="stands")
    op.create_table(
        "bom_components",
        sa.Column("version_id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        *_codes("item"),
        *_amounts("quantity"),
        *_codes("uom", length=16),
        *_codes("segment", nullable=True),
        sa.ForeignKeyConstraint(["version_id"], ["told_versions.id"], name=op.f("fk_bom_components_version_id")),
        _key("bom_components", "version_id", "number"),
    )
    _index("bom_components", "item", "item", "version_id")


def _create_purchase_orders() -> None:
    op.create_table(
        "purchase_orders",
        *_codes("code", "plant"),
        sa.Column("message_id", BIG_ID, nullable=True),
        *_codes("supplier", "buyer", "ship_to", nullable=True),
        *_instants("placed_at", "need_by_at", "received_at", nullable=True),
        *_flags("is_open"),
        _key("purchase_orders", "code"),
    )
    _index("purchase_orders", "plant", "plant", "code")
    _index("purchase_orders", "supplier", "supplier", "code")
    _index("purchase_orders", "open", "code", where="is_open")
    unplaced = sa.text("message_id IS NULL")
    where = {"postgresql_where": unplaced, "sqlite_where": unplaced}
    op.create_index("ix_purchase_orders_unplaced", "purchase_orders", ["code"], **where)  # type: ignore[arg-type]
    op.create_table(
        "purchase_lines",
        *_codes("purchase_order", "line"),
        _number("number"),
        *_codes("plant", "item"),
        *_codes("uom", length=16),
        *_amounts("ordered", "received", "rejected", "open"),
        *_instants("need_by_at", nullable=True),
        *_codes("ship_to", nullable=True),
        _key("purchase_lines", "purchase_order", "line"),
    )
    _index("purchase_lines", "item", "item", "purchase_order")


def _create_receipts() -> None:
    op.create_table(
        "receipts",
        _id(),
        *_codes("plant"),
        *_event(),
        *_codes("document_type", "document_id"),
        *_codes("line", nullable=True),
        *_codes("item"),
        *_codes("uom", length=16),
        *_amounts("received", "accepted", "rejected"),
        *_codes("lot", "storage"),
        _words("reason", base.ToldText()),
        *_instants("happened_at", "entered_at"),
        *_instants("void_at", nullable=True),
        _key("receipts", "id"),
    )
    _index("receipts", "message", "message_id")
    _index("receipts", "document", "document_id", "document_type", "id")
    _index("receipts", "item", "item", "id")
    _index("receipts", "plant_item", "plant", "item", "id")
    _index("receipts", "plant", "plant", "id")
    _index("receipts", "lot", "lot", "id")


def _create_shipments() -> None:
    op.create_table(
        "shipments",
        _id(),
        *_codes("plant", "delivery_id"),
        *_event(),
        _words("carrier", base.ToldText()),
        *_codes("ship_from", "ship_to", nullable=True),
        *_codes("to_plant"),
        _words("packages", base.JsonText(), nullable=False),
        *_instants("happened_at", "entered_at"),
        *_flags("on_way"),
        *_instants("arrived_at", "void_at", nullable=True),
        _key("shipments", "id"),
    )
    _index("shipments", "message", "message_id")
    _index("shipments", "delivery", "delivery_id", "id")
    _index("shipments", "plant", "plant", "id")
    _index("shipments", "to", "ship_to", "id")
    _index("shipments", "to_plant", "to_plant", "id")
    _index("shipments", "on_way", "id", where="on_way")
    op.create_table(
        "shipment_lines",
        sa.Column("shipment_id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        *_codes("sscc", length=18),
        *_codes("item"),
        *_codes("uom", length=16),
        *_amounts("quantity"),
        *_codes("lot"),
        _words("serials", base.JsonText(), nullable=False),
        *_codes("order_ref", length=250, nullable=True),
        sa.ForeignKeyConstraint(["shipment_id"], ["shipments.id"], name=op.f("fk_shipment_lines_shipment_id")),
        _key("shipment_lines", "shipment_id", "number"),
    )
    for column in ("sscc", "item", "lot"):
        _index("shipment_lines", column, column, "shipment_id")


def _create_transits() -> None:
    op.create_table(
        "transit_lines",
        _id(),
        *_codes("from_plant", "to_plant", "item"),
        *_codes("uom", length=16),
        *_codes("lot"),
        *_codes("delivery_key", "order_key", length=250),
        *_amounts("quantity", "arrived", "on_way"),
        *_flags("is_on_way"),
        *_event(),
        _number("line"),
        *_instants("happened_at"),
        *_instants("arrived_at", "void_at", nullable=True),
        _key("transit_lines", "id"),
    )
    _index("transit_lines", "message", "message_id")
    _index("transit_lines", "delivery", "delivery_key", "to_plant")
    _index("transit_lines", "order", "order_key", "to_plant")
    _index("transit_lines", "on_way", "to_plant", "item", "id", where="is_on_way")
    op.create_table(
        "arrivals",
        _id(),
        *_codes("plant"),
        *_codes("key", length=250),
        *_codes("item"),
        *_codes("uom", length=16),
        *_codes("lot"),
        *_amounts("quantity"),
        *_event(),
        *_instants("happened_at"),
        *_instants("void_at", nullable=True),
        _key("arrivals", "id"),
    )
    _index("arrivals", "message", "message_id")
    _index("arrivals", "key", "key", "plant")


def _create_equipment() -> None:
    op.create_table(
        "equipment_states",
        _id(),
        *_codes("plant", "equipment_id"),
        *_event(),
        *_codes("state"),
        *_codes("from_state", "work_center", nullable=True),
        _words("reason", base.ToldText()),
        *_instants("happened_at", "since_at"),
        *_instants("ended_at", nullable=True),
        *_flags("follows", "is_current"),
        *_instants("entered_at"),
        *_instants("void_at", nullable=True),
        _key("equipment_states", "id"),
    )
    subject = ("plant", "equipment_id")
    _index("equipment_states", "message", "message_id")
    _index("equipment_states", "equipment", *subject, "happened_at", "message_id", "event_index")
    _index("equipment_states", "current", *subject, where="is_current")


def downgrade() -> None:
    for column in ("on_order", "in_transit"):
        op.drop_column("item_stock", column)
    made = ("equipment_states", "arrivals", "transit_lines", "shipment_lines", "shipments", "receipts")
    for table in (*made, "purchase_lines", "purchase_orders", "bom_components", "told_versions"):
        op.drop_table(table)
