"""The bench's copied days are what the product would have written, had it been sent their messages."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.bench.day_made import Plants, prepare, write_topology
from app.bench.days_copied import IDS, SUMS, Copier
from app.bench.plant_day import Day
from app.bench.plant_names import messages_a_day
from app.store.base import Base
from app.store.session import Store

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

ORDERS = 40


@pytest.fixture
def other_store(sqlite_template: Path, tmp_path: Path) -> Iterator[Store]:
    path = tmp_path / "other.db"
    path.write_bytes(sqlite_template.read_bytes())
    store = Store(f"sqlite:///{path}")
    yield store
    store.dispose()


NOT_OF_THE_DAY = {
    "postings": {"posting_key", "reference", "answer"},
    "messages": {"lane", "digest", "attempts", "due_at"},
    "audit": {"subject"},
    "measures": {"bucket"},
    "measure_totals": {"bucket"},
}
"""What is drawn from hashes, from how long the steps took, or from how often what waits was looked at by then."""
POSTING_KEY = re.compile("LS[A-Z2-7]{24}")
"""In a document; drawn from a hash of what the message is called, and of its day therefore."""


def plants(store: Store, folder: Path) -> Plants:
    topology = write_topology(folder / "topology.yaml")
    prepare(store, topology)
    return Plants(store, topology)


def make(made: Plants, day: int) -> None:
    made.post_day(day, ORDERS, lambda share: None)
    made.enter()
    made.end_day(day, ORDERS)


def rows_of(store: Store) -> dict[str, Counter[Any]]:
    names = sorted({*IDS, *(mapped.__tablename__ for mapped in SUMS)})
    with store.reading() as session:
        return {name: Counter(_rows(session, name)) for name in names}


def _rows(session: Any, name: str) -> Iterator[tuple[tuple[str, str], ...]]:
    table = Base.metadata.tables[name]
    left_out = {*IDS.get(name, ()), *NOT_OF_THE_DAY.get(name, ())}
    for row in session.execute(select(table)).mappings():
        yield tuple((key, _said(value)) for key, value in row.items() if key not in left_out)


def _said(value: Any) -> str:
    """Instants by the hour: how long a step took is not the day's."""
    return f"{value:%Y-%m-%d %H}" if isinstance(value, datetime) else POSTING_KEY.sub("its key", repr(value))


def references_of(store: Store) -> Counter[Any]:
    """Rows together with what their ids lead to."""
    found: Counter[Any] = Counter()
    with store.reading() as session:
        for name, ids in IDS.items():
            for column, of in ids.items():
                if of == name:
                    continue
                table, other = Base.metadata.tables[name], Base.metadata.tables[of]
                key = next(key for key, owner in IDS[of].items() if owner == of)
                told = _worded(other)
                query = select(table, *(other.c[each].label(f"other_{each}") for each in told))
                joined = query.join_from(table, other, table.c[column] == other.c[key])
                left_out = {*ids, *NOT_OF_THE_DAY.get(name, ())}
                for row in session.execute(joined).mappings():
                    found[name, column, *((k, _said(v)) for k, v in row.items() if k not in left_out)] += 1
    return found


def _worded(table: Any) -> list[str]:
    wanted = ("source_message_id", "lot", "delivery_id", "code", "target", "state")
    return [name for name in wanted if name in table.c]


def test_a_copied_day_is_what_the_product_makes_of_its_messages(
    store: Store, other_store: Store, tmp_path: Path
) -> None:
    copied, worked = plants(store, tmp_path), plants(other_store, tmp_path)

    make(copied, 0)
    copier = Copier(store, 0)
    copier.copy(10)
    copier.copy(11)
    copier.close()
    for day in (0, 10, 11):
        make(worked, day)

    ours, theirs = rows_of(store), rows_of(other_store)
    differing = {name: (ours[name] - theirs[name], theirs[name] - ours[name]) for name in ours}
    assert {name: both for name, both in differing.items() if any(both)} == {}
    assert all(ours[name] for name in ours), "a table that no day fills is copied untested"
    assert references_of(store) == references_of(other_store)


def test_the_product_goes_on_behind_copied_days(store: Store, tmp_path: Path) -> None:
    made = plants(store, tmp_path)
    make(made, 0)
    copier = Copier(store, 0)
    copier.copy(1)

    make(made, 2)
    copier.copy(3)

    copier.close()
    with store.reading() as session:
        ids = session.scalars(select(Base.metadata.tables["messages"].c.id)).all()
    a_day = len(ids) // 4
    assert len(ids) == 4 * a_day
    assert messages_a_day(ORDERS) == len(list(Day(0, ORDERS).messages())) <= a_day
