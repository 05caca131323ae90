"""Every table of Lineside, in one place to import: migrations and tests need them all."""

from app.store.access_tables import Account, ApiKey, AuditEntry, Lease, PartyKey
from app.store.availability_tables import Hold, OrderMaterial, OrderNeed
from app.store.base import Base
from app.store.completeness_tables import SourceNote, SourceNumbers
from app.store.crosswalk_tables import CrosswalkChange, CrosswalkEntry, CrosswalkVersion
from app.store.exception_tables import BusinessException, ExceptionNotice, ExceptionWalk
from app.store.feed_tables import FeedEntry
from app.store.files_tables import DroppedFile
from app.store.impact_tables import Impact, ImpactObject
from app.store.ledger_tables import Effect, ItemStock, Movement, Stock, TransferTelling
from app.store.logistics_tables import (
    Arrival,
    PurchaseLine,
    PurchaseOrder,
    Receipt,
    Shipment,
    ShipmentLine,
    TransitLine,
)
from app.store.measure_tables import Measure, MeasureNote, MeasureTotal
from app.store.messages_tables import (
    Correction,
    Lane,
    Message,
    MessageDocument,
    Payload,
    StateChange,
    StateCount,
    TimelineEntry,
)
from app.store.order_progress_tables import OrderItem, OrderProgress, OrderReport, TransformationLot
from app.store.order_tables import OpenWake, SequencePosition, ToldState
from app.store.postings_tables import Posting, PostingAttempt, ReversalOrder
from app.store.reading_tables import ReadingMark, ReadRecord
from app.store.reconcile_tables import (
    Difference,
    Proposal,
    ReconcileRequest,
    ReconcileTurn,
    Reconciliation,
    Snapshot,
    SnapshotRow,
)
from app.store.reference_tables import Item, ProductionOrder
from app.store.reservation_tables import PromisedItem, Reservation, ReservationUse, Withdrawal
from app.store.restatement_tables import Restatement
from app.store.retention_tables import Archive, RetentionMark
from app.store.target_tables import PlantPause, TargetCalls, TargetPause, TargetState
from app.store.version_tables import BomComponent, EquipmentState, ToldVersion
from app.store.webhook_tables import WebhookAttempt, WebhookDelivery, WebhookSubscriber

__all__ = [
    "Account",
    "ApiKey",
    "Archive",
    "Arrival",
    "AuditEntry",
    "Base",
    "BomComponent",
    "BusinessException",
    "Correction",
    "CrosswalkChange",
    "CrosswalkEntry",
    "CrosswalkVersion",
    "Difference",
    "DroppedFile",
    "Effect",
    "EquipmentState",
    "ExceptionNotice",
    "ExceptionWalk",
    "FeedEntry",
    "Hold",
    "Impact",
    "ImpactObject",
    "Item",
    "ItemStock",
    "Lane",
    "Lease",
    "Measure",
    "MeasureNote",
    "MeasureTotal",
    "Message",
    "MessageDocument",
    "Movement",
    "OpenWake",
    "OrderItem",
    "OrderMaterial",
    "OrderNeed",
    "OrderProgress",
    "OrderReport",
    "PartyKey",
    "Payload",
    "PlantPause",
    "Posting",
    "PostingAttempt",
    "ProductionOrder",
    "PromisedItem",
    "Proposal",
    "PurchaseLine",
    "PurchaseOrder",
    "ReadRecord",
    "ReadingMark",
    "Receipt",
    "ReconcileRequest",
    "ReconcileTurn",
    "Reconciliation",
    "Reservation",
    "ReservationUse",
    "Restatement",
    "RetentionMark",
    "ReversalOrder",
    "SequencePosition",
    "Shipment",
    "ShipmentLine",
    "Snapshot",
    "SnapshotRow",
    "SourceNote",
    "SourceNumbers",
    "StateChange",
    "StateCount",
    "Stock",
    "TargetCalls",
    "TargetPause",
    "TargetState",
    "TimelineEntry",
    "ToldState",
    "ToldVersion",
    "TransferTelling",
    "TransformationLot",
    "TransitLine",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookSubscriber",
    "Withdrawal",
]
