"""No route is open by accident: every rule says who may use it, and the open ones are listed here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask

from app.access.policy import policy_of
from app.api.documentation import SERVED
from app.store.session import Store
from tests.web import web_app

# Whoever adds a line here opens a route to everybody.
PUBLIC_PATHS = {
    "/healthz",
    "/readyz",
    "/asyncapi.json",
    "/openapi.json",
    "/v1/schemas",
    "/v1/schemas/<event_type>",
    "/docs",
    "/docs/start.js",
    f"/docs/assets/<{SERVED}:name>",
    "/login",
    "/static/<any('console.css','console.js','icon.svg'):name>",
}


@pytest.fixture
def app(sqlite_store: Store, tmp_path: Path) -> Flask:
    return web_app(sqlite_store, tmp_path)


def test_every_rule_declares_a_policy(app: Flask) -> None:
    undeclared = [rule.rule for rule in app.url_map.iter_rules() if policy_of(app, rule.endpoint) is None]

    assert undeclared == []


def test_only_the_listed_rules_are_public(app: Flask) -> None:
    public = set()
    for rule in app.url_map.iter_rules():
        declared = policy_of(app, rule.endpoint)
        if declared is not None and declared.public:
            public.add(rule.rule)

    assert public == PUBLIC_PATHS


def test_every_policy_lets_somebody_in(app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        declared = policy_of(app, rule.endpoint)
        assert declared is not None
        assert declared.public or declared.source_key or declared.role is not None, rule.rule


def test_every_closed_rule_turns_a_stranger_away(app: Flask) -> None:
    client = app.test_client()
    answers = {}
    for rule in app.url_map.iter_rules():
        declared = policy_of(app, rule.endpoint)
        if declared is None or declared.public:
            continue
        path = re.sub(r"<int:[a-z_]+>", "1", rule.rule).replace("<code>", "erp")
        path = path.replace("<any(canonical,enriched):step>", "canonical")
        for method in rule.methods or ():
            answer = client.open(path, method=method, environ_base={"REMOTE_ADDR": "10.1.2.3"})
            answers[method, path] = answer.status_code

    assert set(answers.values()) <= {401, 303}
    assert len(answers) > 20
