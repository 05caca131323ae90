"""The web application over a store, as tests talk to it."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from app.access.accounts import create_account
from app.access.keys import create_key
from app.access.roles import Role
from app.factory import create_app
from app.store.session import Store
from config.settings import load_settings
from config.topology import Topology
from tests.answers import hold_to_document
from tests.factories import NOON, demo_topology
from tests.fakes import Clock

PASSWORD = "a long enough password"


class Nudged:
    """Stands where the dispatcher stands and keeps what it was told."""

    def __init__(self) -> None:
        self.plants: list[tuple[str, int]] = []

    def nudge(self, plant: str, count: int) -> None:
        self.plants.append((plant, count))


def web_app(
    store: Store,
    home: Path,
    topology: Topology | None = None,
    nudged: Nudged | None = None,
    clock: Clock | None = None,
    **environ: str,
) -> Flask:
    settings = load_settings({"LINESIDE_HOME": str(home), "LINESIDE_SECRET_KEY": "s" * 32, **environ})
    app = create_app(settings, topology or demo_topology(), store, nudged or Nudged(), clock or Clock(NOON))
    app.testing = True
    hold_to_document(app)
    return app


def key_for(store: Store, source: str = "mes", plants: Sequence[str] = ("P100",)) -> dict[str, str]:
    """Headers with a new key of this source."""
    with store.writing() as session:
        plain, _ = create_key(session, f"test {source}", source, plants, NOON)
    return {"Authorization": f"Bearer {plain}"}


def account_for(store: Store, role: Role, name: str | None = None) -> dict[str, str]:
    """Headers with a new account of this role, named after it."""
    with store.writing() as session:
        create_account(session, name or role.value, PASSWORD, role, NOON)
    proof = base64.b64encode(f"{name or role.value}:{PASSWORD}".encode()).decode()
    return {"Authorization": f"Basic {proof}"}


def csrf_of(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found is not None, "the page has no form with a token"
    return found.group(1)


def log_in(client: FlaskClient, name: str, password: str = PASSWORD) -> Any:
    """Log in as a browser does."""
    token = csrf_of(client.get("/login").text)
    return client.post("/login", data={"name": name, "password": password, "csrf_token": token})


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """The application behind a real port of this machine; yields its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, name="web", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
