"""Every table of Lineside, in one place to import: migrations and tests need them all."""

from app.store.access_tables import Account, ApiKey, AuditEntry, Lease
from app.store.availability_tables import Hold, OrderMaterial, OrderNeed
from app.store.base import Base
from app.store.completeness_tables import SourceNote, SourceNumbers
from app.store.crosswalk_tables import CrosswalkChange, CrosswalkEntry, CrosswalkVersion
from app.store.exception_tables import BusinessException
from app.store.files_tables import DroppedFile
from app.store.ledger_tables import Effect, ItemStock, Movement, Stock
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
from app.store.reconcile_tables import Difference, Reconciliation, Snapshot, SnapshotRow
from app.store.reference_tables import Item, ProductionOrder
from app.store.reservation_tables import PromisedItem, Reservation, ReservationUse, Withdrawal
from app.store.target_tables import PlantPause, TargetCalls, TargetPause, TargetState

__all__ = [
    "Account",
    "ApiKey",
    "AuditEntry",
    "Base",
    "BusinessException",
    "Correction",
    "CrosswalkChange",
    "CrosswalkEntry",
    "CrosswalkVersion",
    "Difference",
    "DroppedFile",
    "Effect",
    "Hold",
    "Item",
    "ItemStock",
    "Lane",
    "Lease",
    "Message",
    "MessageDocument",
    "Movement",
    "OpenWake",
    "OrderItem",
    "OrderMaterial",
    "OrderNeed",
    "OrderProgress",
    "OrderReport",
    "Payload",
    "PlantPause",
    "Posting",
    "PostingAttempt",
    "ProductionOrder",
    "PromisedItem",
    "ReadRecord",
    "ReadingMark",
    "Reconciliation",
    "Reservation",
    "ReservationUse",
    "ReversalOrder",
    "SequencePosition",
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
    "TransformationLot",
    "Withdrawal",
]
