"""Put the console into the application."""

from __future__ import annotations

from flask import Flask

from app.console import (
    correction_pages,
    crosswalk_pages,
    dead_letter_pages,
    equipment_pages,
    exception_pages,
    formats,
    inventory_pages,
    logistics_pages,
    lot_pages,
    measure_pages,
    message_pages,
    order_pages,
    overview,
    posting_pages,
    proposal_pages,
    reconciliation_pages,
    reservation_pages,
    sign_in_pages,
    trail_pages,
    webhook_pages,
)
from app.console.frame import frame_values
from app.console.routing import blueprint

PAGES = (
    overview,
    message_pages,
    dead_letter_pages,
    correction_pages,
    posting_pages,
    exception_pages,
    inventory_pages,
    reservation_pages,
    order_pages,
    logistics_pages,
    lot_pages,
    equipment_pages,
    reconciliation_pages,
    proposal_pages,
    measure_pages,
    crosswalk_pages,
    webhook_pages,
    trail_pages,
    sign_in_pages,
)


def register_console(app: Flask) -> None:
    """Every module of PAGES has put its pages on the blueprint when it was imported."""
    formats.add_filters(app)
    app.register_blueprint(blueprint)
    app.context_processor(frame_values)
    app.jinja_options = {**app.jinja_options, "trim_blocks": True, "lstrip_blocks": True}
