"""Column types that mean the same on SQLite and PostgreSQL."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, DateTime, Integer, MetaData, Numeric, String, Table, Text, TypeDecorator
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase

from mappings.units import plain

# SQLite gives an automatic row id to INTEGER only; PostgreSQL gets 64 bits.
BigId = BigInteger().with_variant(Integer(), "sqlite")


def plain_text(length: int) -> String:
    """Text that is compared character by character, as Python and SQLite do; a PostgreSQL database may otherwise sort
    it as a dictionary of its country does."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def table_of(mapped: type[DeclarativeBase]) -> Table:
    """The bare table, for statements that are made once and executed by many threads: of a mapped class, and an alias
    of one above all, the library makes parts at first use."""
    table = mapped.__table__
    assert isinstance(table, Table)
    return table


class UtcInstant(TypeDecorator[datetime]):
    """An aware UTC instant. SQLite stores text of one fixed width, so that text order is time order."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime reached the database; pass aware UTC instants")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class JsonText(TypeDecorator[Any]):
    """A JSON document kept as text: compared, copied and shown as it was written, never queried inside."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        if value is None:
            return None
        text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        # Half characters, as a target's answer may hold them, are kept as the escapes that they came as.
        return json.dumps(value, separators=(",", ":")) if _UNSTORABLE.search(text) else text

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


class ToldText(TypeDecorator[str]):
    """Words that may quote a sender or a target, as far as a database can hold them: NUL and half characters become
    U+FFFD. Otherwise one message whose reason quotes such a character would stop every move of its batch."""

    impl: type[String] = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else _UNSTORABLE.sub("\ufffd", value)


class ToldString(ToldText):
    """The same with a bound: what is longer is cut."""

    impl = String
    cache_ok = True

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.length = length

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        text = super().process_bind_param(value, dialect)
        return None if text is None else text[: self.length]


class ExactDecimal(TypeDecorator[Decimal]):
    """A quantity, exact on both databases: NUMERIC on PostgreSQL, text on SQLite (whose NUMERIC is a float). Equal
    quantities are equal texts. Without a scale: 12.345 pounds are 5.59959780765 kilograms, and rounded movements would
    not sum up to their stock."""

    impl = Numeric()
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        return dialect.type_descriptor(String(40) if dialect.name == "sqlite" else Numeric())

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        return plain(value) if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)


class Base(DeclarativeBase):
    """All tables. Constraint names are fixed so that migrations can name them on every database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
