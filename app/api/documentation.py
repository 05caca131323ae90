"""The OpenAPI document and a page to try it, all from this process: a plant's network often has no other."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from flask import Blueprint, Response, current_app, jsonify, render_template, send_from_directory

from app.access.policy import PUBLIC, policy
from app.api import asyncapi

blueprint = Blueprint("documentation", __name__, template_folder="templates")

ASSETS = Path(str(files("swagger_ui_bundle"))) / "vendor" / "swagger-ui-4.15.5"
SERVED = "any('swagger-ui.css','swagger-ui-bundle.js','swagger-ui-standalone-preset.js','favicon-32x32.png')"
# Swagger UI writes style attributes into its page.
_CONTENT_SECURITY = (
    "default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)


@blueprint.get("/openapi.json")
@policy(PUBLIC)
def show_openapi() -> Response:
    return Response(current_app.extensions["lineside-openapi"](), content_type="application/json")


@blueprint.get("/asyncapi.json")
@policy(PUBLIC)
def show_asyncapi() -> Response:
    return jsonify(asyncapi.document())


@blueprint.get("/docs")
@policy(PUBLIC)
def show_docs() -> Response:
    response = Response(render_template("docs.html"))
    response.headers["Content-Security-Policy"] = _CONTENT_SECURITY
    return response


@blueprint.get("/docs/start.js")
@policy(PUBLIC)
def show_start_script() -> Response:
    return send_from_directory(Path(__file__).parent / "static", "docs_start.js", max_age=3600)


@blueprint.get(f"/docs/assets/<{SERVED}:name>")
@policy(PUBLIC)
def show_asset(name: str) -> Response:
    return send_from_directory(ASSETS, name, max_age=86_400)
