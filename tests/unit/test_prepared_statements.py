"""A statement that was compiled once means what SQLAlchemy makes of it each time, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, Table, bindparam, delete, event, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError
from sqlalchemy.types import Boolean, LargeBinary, String

from app.store.base import ExactDecimal, JsonText, ToldString, UtcInstant
from app.store.prepared import Prepared
from app.store.session import Store
from app.store.trouble import is_database_trouble

pytestmark = pytest.mark.slow

THINGS = Table(
    "things_prepared",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("name", String(40)),
    Column("at", UtcInstant()),
    Column("amount", ExactDecimal()),
    Column("told", JsonText()),
    Column("note", ToldString(10)),
    Column("body", LargeBinary()),
    Column("is_open", Boolean()),
    Column("number", Integer, default=7, nullable=False),
)
ONE = THINGS.c
ADD = Prepared(insert(THINGS))
BY_IDS = select(THINGS).where(ONE.id.in_(bindparam("ids", expanding=True))).order_by(ONE.id)
READ = Prepared(BY_IDS)
TOUCH = Prepared(
    update(THINGS)
    .where(ONE.id.in_(bindparam("ids", expanding=True)), ONE.name != "kept")
    .values(name=bindparam("b_name"), at=bindparam("b_at"), number=ONE.number + 1)
    .returning(ONE.id, ONE.at, ONE.number)
)
DROP = Prepared(delete(THINGS).where(ONE.at < bindparam("before")))

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def things(store: Store) -> Any:
    with store.engine.begin() as connection:
        THINGS.drop(connection, checkfirst=True)
        THINGS.create(connection)
    yield store
    with store.engine.begin() as connection:
        THINGS.drop(connection)


def thing(number: int, **values: Any) -> dict[str, Any]:
    given = {"id": number, "name": f"n{number}", "at": NOON, "amount": Decimal("1.50"), "told": {"a": [1, "é"]}}
    return given | {"note": "short", "body": b"\x00\xff", "is_open": True} | values


VALUES = st.fixed_dictionaries(
    {
        "name": st.none() | st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=40),
        "at": st.none() | st.datetimes(datetime(1990, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),
        "amount": st.none() | st.decimals(-(10**9), 10**9, places=4),
        "told": st.none()
        | st.dictionaries(st.text("abc", max_size=3), st.integers(-5, 5) | st.text("xyz\0", max_size=4)),
        "note": st.none() | st.text(max_size=14),
        "body": st.none() | st.binary(max_size=9),
        "is_open": st.none() | st.booleans(),
    }
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(every=st.lists(VALUES, min_size=1, max_size=4))
def test_what_is_written_and_read_is_what_sqlalchemy_writes_and_reads(
    things: Store, every: list[dict[str, Any]]
) -> None:
    rows = [thing(number, **values) for number, values in enumerate(every, 1)]
    later = [row | {"id": row["id"] + 100} for row in rows]
    with things.writing() as session:
        session.execute(delete(THINGS))
        ADD.run_each(session, rows)
        session.connection().execute(insert(THINGS), later)
        ids = [row["id"] for row in rows + later]
        mine, theirs = READ.rows(session, ids=ids), session.connection().execute(BY_IDS, {"ids": ids}).all()

    assert [tuple(row) for row in mine] == [tuple(row) for row in theirs]
    assert [row._fields for row in mine[:1]] == [row._fields for row in theirs[:1]]
    assert [tuple(row)[1:] for row in mine[: len(rows)]] == [tuple(row)[1:] for row in mine[len(rows) :]]
    assert {row.number for row in mine} == {7}


@pytest.mark.parametrize("ids", [[], [1], [1, 2, 3], [2, 9], [1, 2, 3, 7, 8], [3, *range(10, 560)]])
def test_lists_of_every_length_are_taken(things: Store, ids: list[int]) -> None:
    with things.writing() as session:
        ADD.run_each(session, [thing(1), thing(2, name="kept"), thing(3)])
        moved = TOUCH.rows(session, ids=ids, b_name="new", b_at=NOON + timedelta(hours=1))

    assert {row.id for row in moved} == {1, 3} & set(ids)
    assert all((row.at, row.number) == (NOON + timedelta(hours=1), 8) for row in moved)


def test_lists_of_all_lengths_make_few_forms(things: Store) -> None:
    statement = Prepared(BY_IDS)
    with things.reading() as session:
        for count in range(1, 400):
            statement.rows(session, ids=list(range(count)))

    assert len(statement._forms) <= 10


def test_what_gives_no_rows_says_how_many_it_concerned(things: Store) -> None:
    with things.writing() as session:
        ADD.run_each(session, [thing(1), thing(2, at=NOON - timedelta(days=1))])
        ADD.run_each(session, [])
        assert DROP.run(session, before=NOON) == 1
        assert READ.scalars(session, ids=[1, 2]) == [1]
        assert READ.scalar(session, ids=[2]) is None
        assert READ.first(session, ids=[1]).name == "n1"


def test_faults_are_told_as_sqlalchemy_tells_them_and_quote_no_values(things: Store) -> None:
    with pytest.raises(IntegrityError) as twice, things.writing() as session:
        ADD.run_each(session, [thing(1, name="a secret"), thing(1, name="a secret")])
    with pytest.raises(StatementError) as naive, things.writing() as session:
        DROP.run(session, before=datetime(2026, 1, 1))
    with things.writing() as session:
        session.execute(text("DROP TABLE things_prepared"))
        with pytest.raises(DBAPIError) as gone:
            READ.rows(session, ids=[1])
        session.rollback()

    assert "a secret" not in str(twice.value)
    assert not is_database_trouble(twice.value)
    assert not isinstance(naive.value, DBAPIError)
    assert not is_database_trouble(gone.value)


@pytest.mark.parametrize("store", [pytest.param("postgresql", marks=pytest.mark.services)], indirect=True)
def test_a_connection_that_is_gone_is_told_and_left(things: Store) -> None:
    with things.reading() as session:
        pid = session.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with things.engine.connect() as other:
            other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        with pytest.raises(DBAPIError) as told:
            READ.rows(session, ids=[1])

    assert told.value.connection_invalidated
    assert is_database_trouble(told.value)
    with things.reading() as session:
        assert READ.rows(session, ids=[1]) == []


def test_who_listens_to_statements_hears_these_too(things: Store) -> None:
    heard: list[str] = []
    with things.writing() as session:
        event.listen(session.connection(), "before_cursor_execute", lambda *told: heard.append(told[2]))
        ADD.run_each(session, [thing(1)])
        assert [row.id for row in READ.rows(session, ids=[1])] == [1]
        assert DROP.run(session, before=NOON) == 0

    assert [words.split()[0] for words in heard] == ["INSERT", "SELECT", "DELETE"]
