"""Every blueprint of the API, and the OpenAPI document made from them."""

from __future__ import annotations

from flask import Flask
from flask_smorest import Api

from app.api import messages

VERSION = "1"


class LinesideApi(Api):  # type: ignore[misc]
    """flask-smorest for the document only: errors are told in one way for the whole application."""

    def _register_error_handlers(self) -> None:
        return


def register_api(app: Flask) -> None:
    app.config.update(API_TITLE="Lineside", API_VERSION=VERSION, OPENAPI_VERSION="3.1.0", OPENAPI_URL_PREFIX=None)
    api = LinesideApi(app)
    for module in (messages,):
        api.register_blueprint(module.blueprint)
