"""Every blueprint of the API, and the OpenAPI document made from them."""

from __future__ import annotations

from functools import cache

from flask import Flask
from flask.json import dumps
from flask_smorest import Api

from app.api import (
    contracts,
    crosswalks,
    dead_letters,
    documentation,
    equipment,
    events,
    exceptions,
    health,
    inventory,
    inventory_systems,
    items,
    lots,
    measures,
    message_reads,
    messages,
    operations,
    parties,
    pauses,
    postings,
    processes,
    production_orders,
    proposals,
    purchasing,
    quality_holds,
    reconciliations,
    replays,
    reservations,
    reversals,
    shipments,
    warehouse,
    webhooks,
)
from app.api.openapi_parts import SECURITY_SCHEMES

VERSION = "1"
DESCRIPTION = (
    "Lineside takes messages of plants, keeps them, and posts each one once to the systems that need it. "
    "Errors are problem details (RFC 9457): `detail` says what is wrong, `errors` says where."
)


MODULES = (
    messages,
    message_reads,
    processes,
    dead_letters,
    postings,
    reversals,
    replays,
    operations,
    pauses,
    exceptions,
    crosswalks,
    items,
    inventory,
    inventory_systems,
    production_orders,
    purchasing,
    shipments,
    quality_holds,
    lots,
    equipment,
    reservations,
    reconciliations,
    proposals,
    measures,
    warehouse,
    parties,
    events,
    webhooks,
    contracts,
    health,
)


class LinesideApi(Api):  # type: ignore[misc]
    """flask-smorest for the document only: errors are told in one way for the whole application."""

    def _register_error_handlers(self) -> None:
        return


def register_api(app: Flask) -> None:
    for module in MODULES:
        app.register_blueprint(module.blueprint)
    app.register_blueprint(documentation.blueprint)
    app.extensions["lineside-openapi"] = openapi_document


@cache
def openapi_document() -> str:
    """The OpenAPI 3.1 document as JSON, of an application with nothing but the blueprints: no setting changes it.

    To make it costs more than all else that an application is made of, so it is made when it is first asked for, once
    in a process."""
    app = Flask("lineside", static_folder=None, template_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    said = {"title": "Lineside", "version": VERSION, "openapi_version": "3.1.0", "info": {"description": DESCRIPTION}}
    api = LinesideApi(app, spec_kwargs=said)
    for name, scheme in SECURITY_SCHEMES.items():
        api.spec.components.security_scheme(name, scheme)
    for module in MODULES:
        api.register_blueprint(module.blueprint)
    with app.app_context():
        return dumps(api.spec.to_dict())
