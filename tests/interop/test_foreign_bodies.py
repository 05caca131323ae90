"""Formats that nobody has mapped yet: kept byte for byte, dead with what to do, and given back as they came."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.access.roles import Role
from app.store.session import Store
from tests.interop.house import House, open_house
from tests.interop.samples import samples
from tests.web import account_for

CONTENT_TYPES = {".json": "application/json", ".x12": "application/edi-x12", ".edi": "application/edifact"}


@pytest.fixture
def house(store: Store, tmp_path: Path) -> House:
    return open_house(store, tmp_path)


@pytest.mark.parametrize(
    ("folder", "kind", "patterns"),
    [("epcis", "epcis.document", ("*.json",)), ("edi", "edi.interchange", ("*.x12", "*.edi", "*.EDI", "*.inh"))],
)
def test_every_sample_is_kept_and_waits_dead_for_its_mapping(
    house: House, folder: str, kind: str, patterns: tuple[str, ...]
) -> None:
    viewer = account_for(house.store, Role.VIEWER)
    kept: dict[int, bytes] = {}
    for path in samples(folder, *patterns):
        content_type = CONTENT_TYPES.get(path.suffix.lower(), "text/plain")
        answer = house.send("mes-p100", "/".join(path.parts[-3:]), kind, path.read_bytes(), content_type)
        assert answer.status_code == 202, (path.name, answer.text)
        kept[answer.get_json()["id"]] = path.read_bytes()

    house.run()

    assert {(fate.state, fate.code) for fate in house.fates()} == {("dead", "type_unmapped")}
    for message, body in kept.items():
        assert house.client.get(f"/v1/messages/{message}/payload", headers=viewer).data == body
