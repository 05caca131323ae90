"""The contracts are published, for programs that check before they send."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from app.cli import main
from app.store.session import Store
from mappings.canonical.registry import SCHEMAS
from tests.web import web_app


@pytest.fixture
def client(sqlite_store: Store, tmp_path: Path) -> FlaskClient:
    return web_app(sqlite_store, tmp_path).test_client()


def test_every_type_of_the_list_leads_to_its_json_schema(client: FlaskClient) -> None:
    rows: Any = client.get("/v1/schemas").json

    assert [row["type"] for row in rows["contracts"]] == sorted(SCHEMAS)
    for row in rows["contracts"]:
        answer = client.get(row["schema"])
        assert (answer.content_type, json.loads(answer.data)["title"]) == ("application/schema+json", row["type"])


def test_a_type_that_is_none_is_not_found(client: FlaskClient) -> None:
    assert client.get("/v1/schemas/production.complete.v1").status_code == 404


def test_asyncapi_tells_an_event_of_each_type_whole(client: FlaskClient) -> None:
    document: Any = client.get("/asyncapi.json").json
    messages = document["components"]["messages"]
    event = {
        "specversion": "1.0",
        "id": "1",
        "source": "mes",
        "type": "item.changed.v1",
        "data": {"event_time": "2026-03-01T08:00:00Z", "item": "A", "description": "a", "base_uom": "EA"},
    }

    payload = {**messages["item.changed.v1"]["payload"], "components": document["components"]}

    assert (document["asyncapi"], sorted(messages)) == ("3.0.0", sorted(SCHEMAS))
    jsonschema.Draft7Validator(payload).validate(event)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(payload).validate(event | {"data": {}})


def test_every_reference_in_asyncapi_leads_somewhere(client: FlaskClient) -> None:
    document: Any = client.get("/asyncapi.json").json

    def references(value: Any) -> list[str]:
        members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
        own = [value["$ref"]] if isinstance(value, dict) and isinstance(value.get("$ref"), str) else []
        return own + [found for member in members for found in references(member)]

    found = references(document)

    assert len(found) > len(SCHEMAS)
    for reference in found:
        place: Any = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


def test_a_contract_is_shown_at_a_terminal() -> None:
    shown = CliRunner().invoke(main, ["contracts", "show", "item.changed.v1"])
    missing = CliRunner().invoke(main, ["contracts", "show", "item.changed"])

    assert json.loads(shown.stdout)["title"] == "item.changed.v1"
    assert missing.exit_code == 1


def test_a_contract_that_breaks_its_release_is_not_released(tmp_path: Path) -> None:
    first = CliRunner().invoke(main, ["contracts", "release", "--into", str(tmp_path)])
    path = tmp_path / "item.changed.v1.json"
    schema = json.loads(path.read_text("utf-8"))
    schema["properties"]["colour"] = {"type": "string"}
    path.write_text(json.dumps(schema), encoding="utf-8")

    again = CliRunner().invoke(main, ["contracts", "release", "--into", str(tmp_path)])

    assert (first.exit_code, again.exit_code) == (0, 1)
    assert "item.changed.v1: colour is gone" in again.output
