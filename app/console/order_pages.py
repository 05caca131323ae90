"""Production orders: what was planned, what became of it, and the messages that say so."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from app.console.routing import VIEWER, page
from app.projections.order_lists import ORDER_KEY, OrderFilter, Status, list_orders, list_reports
from app.web import parameters
from app.web.problems import Problem
from app.web.production_orders import told_order, told_report
from app.web.services import services
from app.web.stock import told_behind

PAGE = 100


@page("GET", "/orders", VIEWER)
def show_orders() -> ResponseReturnValue:
    here, asked = services(), request.args
    status = parameters.word(asked, "status", [one.value for one in Status])
    late = parameters.is_set(asked, "late")
    now = here.clock()
    chosen = OrderFilter(
        plant=parameters.text(asked, "plant"),
        order_id=parameters.text(asked, "order"),
        item=parameters.text(asked, "item"),
        status=Status(status) if status else None,
        late_at=now if late else None,
    )
    with here.store.reading() as session:
        rows = list_orders(session, chosen, PAGE + 1, parameters.after(asked, len(ORDER_KEY)))
        last = rows[PAGE - 1].order if len(rows) > PAGE else None
        values = {"orders": [told_order(row, now) for row in rows[:PAGE]], "behind": told_behind(session)}
    return render_template(
        "orders.html",
        **values,
        more=parameters.next_after((last.plant, last.order_id)) if last else None,
        plants=list(here.topology.plants),
        statuses=[status.value for status in Status],
        chosen=chosen,
        late=late,
    )


@page("GET", "/orders/<plant>/<path:order_id>", VIEWER)
def show_order(plant: str, order_id: str) -> ResponseReturnValue:
    here = services()
    chosen = OrderFilter(plant=parameters.named(plant), order_id=parameters.named(order_id))
    before = parameters.whole_number(request.args, "before")
    with here.store.reading() as session:
        rows = list_orders(session, chosen, 1)
        if not rows:
            raise Problem(404, "not_found", f"No message has told of production order {order_id} of plant {plant} yet.")
        reports = list_reports(session, plant, order_id, PAGE + 1, before)
        older = reports[PAGE - 1].id if len(reports) > PAGE else None
        values = {
            "order": told_order(rows[0], here.clock()),
            "reports": [told_report(report) for report in reports[:PAGE]],
            "behind": told_behind(session),
        }
    return render_template("order.html", **values, older=parameters.next_page(older), first_page=before is None)
