"""Build the web application from its parts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import Flask

from app.access.gate import Gate
from app.access.policy import refuse_undeclared_routes
from app.access.sessions import use_sessions
from app.api import register_api
from app.clock import utc_now
from app.console import register_console
from app.inbox.door import Door, Nudges
from app.store.session import Store
from app.web.errors import register_errors
from app.web.headers import set_headers
from app.web.outcome_watch import OutcomeWatch
from app.web.services import Services, attach_services
from config.settings import Settings
from config.topology import Topology


def create_app(
    settings: Settings,
    topology: Topology,
    store: Store,
    dispatcher: Nudges,
    clock: Callable[[], datetime] = utc_now,
) -> Flask:
    """The API and the console. Raises UndeclaredRoute when a route has no policy, so that none is open by accident."""
    app = Flask("lineside", static_folder=None, template_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.json.sort_keys = False  # type: ignore[attr-defined]
    gate, door = Gate(store), Door(store, dispatcher, clock)
    outcomes = OutcomeWatch(store, settings.process_waiters, clock)
    attach_services(app, Services(settings, topology, store, dispatcher, door, gate, outcomes, clock))
    use_sessions(app, settings, store)
    gate.guard(app)
    register_api(app)
    register_console(app)
    register_errors(app)
    set_headers(app)
    refuse_undeclared_routes(app)
    return app
