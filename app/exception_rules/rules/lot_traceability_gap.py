"""A lot of which nobody can say what it was made of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.business_exceptions.raising import Cause
from app.exception_rules.facts import newest_report, reports_after, worth
from app.exception_rules.rule import Context, Key, Place, Portion, Rule
from app.projections.item_costs import unit_costs
from app.projections.lot_links import IN, OUT
from app.store.key_sets import among
from app.store.ledger_tables import Stock
from app.store.order_progress_tables import OrderReport, TransformationLot

LINKS_MOST = 20_000
LINES_TOLD = 5
MESSAGES_LOOKED_AT = 200


def _candidates(session: Session, context: Context, after: Place | None, limit: int) -> Portion:
    """Issues may come after the completion that they belong to: looked at once they are older than the threshold."""
    reports, onward = reports_after(session, context, after, limit, context.now - context.threshold)
    touched = dict.fromkeys(
        (row.transformation, row.order_id) for row in reports if row.kind in ("produced", "consumed")
    )
    return Portion(list(touched), onward)


def _judge(session: Session, context: Context, keys: Sequence[Key]) -> list[tuple[Key, Cause]]:
    links = _links(session, context, {key[0] for key in keys})
    tracked = _tracked(session, context, links)
    found: list[tuple[Key, Cause]] = []
    for transformation, order_id in sorted(set(keys)):
        lines = links.get(transformation, [])
        made = [line for line in lines if line.direction == OUT and line.lot]
        taken = [line for line in lines if line.direction == IN]
        nameless = [line for line in taken if not line.lot and line.item in tracked]
        if made and (not taken or nameless):
            cause = _cause(session, context, (transformation, order_id), made, nameless)
            found.append(((transformation, order_id), cause))
    return found


def _links(session: Session, context: Context, steps: Iterable[str]) -> dict[str, list[TransformationLot]]:
    keys = [(context.plant, step) for step in sorted(steps)]
    of_them = among((TransformationLot.plant, TransformationLot.transformation), keys)
    query = select(TransformationLot).where(of_them, TransformationLot.quantity != Decimal(0)).limit(LINKS_MOST)
    found: dict[str, list[TransformationLot]] = defaultdict(list)
    for line in session.scalars(query) if keys else ():
        found[line.transformation].append(line)
    return found


def _tracked(session: Session, context: Context, links: dict[str, list[TransformationLot]]) -> set[str]:
    """Those of the items that were taken without a lot whose stock is told lot by lot elsewhere."""
    nameless = sorted({one.item for lines in links.values() for one in lines if one.direction == IN and not one.lot})
    found = set()
    for item in nameless:
        query = select(Stock.id).where(Stock.plant == context.plant, Stock.item == item, Stock.lot != "").limit(1)
        if session.execute(query).first() is not None:
            found.add(item)
    return found


def _cause(
    session: Session, context: Context, key: Key, made: Sequence[TransformationLot], nameless: Sequence[Any]
) -> Cause:
    transformation, order_id = key
    lots = ", ".join(f"{line.lot} of {line.item}" for line in made[:LINES_TOLD])
    more = f" and {len(made) - LINES_TOLD} more lots" if len(made) > LINES_TOLD else ""
    if nameless:
        items = ", ".join(sorted({line.item for line in nameless})[:LINES_TOLD])
        told = f"took {items} without saying of which lot"
    else:
        told = "is not reported to have taken anything"
    costs = unit_costs(session, {line.item for line in made})
    return Cause(
        rule=RULE.word,
        key=RULE.cause_of(context, key),
        subject=f"lot {made[0].lot}",
        severity=context.settings.severity,
        message=(
            f"What was made as {lots}{more} (order {order_id}) {told}, so its genealogy ends there. Is an issue "
            "missing, or does the line not scan its material?"
        ),
        plant=context.plant,
        object_type="lot",
        object_id=made[0].lot,
        messages=_messages(session, context, order_id, transformation),
        value_at_risk=worth(costs, [(line.item, line.quantity, line.uom) for line in made]),
        detail={"transformation": transformation, "order": order_id},
    )


def _messages(session: Session, context: Context, order_id: str, transformation: str) -> list[int]:
    query = select(OrderReport.message_id, OrderReport.transformation).where(
        OrderReport.plant == context.plant, OrderReport.order_id == order_id, OrderReport.void_at.is_(None)
    )
    rows = session.execute(query.order_by(OrderReport.id.desc()).limit(MESSAGES_LOOKED_AT))
    return [row.message_id for row in rows if row.transformation == transformation]


RULE = Rule(
    word="lot_traceability_gap",
    candidates=_candidates,
    judge=_judge,
    gone="It is known now what was taken for it, or it was taken back.",
    index="ix_order_reports_entered",
    begin=newest_report,
)
