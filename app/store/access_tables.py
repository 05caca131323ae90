"""Who may: keys of sources, accounts of people, and the trail of what was done."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.store.base import Base, BigId, JsonText, UtcInstant, plain_text


class ApiKey(Base):
    """A source's key, by its SHA-256 only: 256 random bits need no slow hash. ``plants`` is a list of plant codes."""

    __tablename__ = "api_keys"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    label: Mapped[str] = mapped_column(String(120))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    source: Mapped[str] = mapped_column(String(64), index=True)
    plants: Mapped[Any] = mapped_column(JsonText)
    created_at: Mapped[datetime] = mapped_column(UtcInstant)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcInstant)


class PartyKey(Base):
    """A key of a supplier or a customer (``kind``), who sees what is its own and nothing else; by its SHA-256 only.
    ``party`` is the code by which events name it."""

    __tablename__ = "party_keys"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    label: Mapped[str] = mapped_column(String(120))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    kind: Mapped[str] = mapped_column(String(10))
    party: Mapped[str] = mapped_column(plain_text(80))
    created_at: Mapped[datetime] = mapped_column(UtcInstant)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcInstant)


class Account(Base):
    """A person who may use the console and the admin routes. ``password_hash`` is Argon2id."""

    __tablename__ = "accounts"

    name: Mapped[str] = mapped_column(String(120), primary_key=True)
    password_hash: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[datetime] = mapped_column(UtcInstant)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcInstant)


class AuditEntry(Base):
    """One thing that a person or a program did to the installation; rows are only ever added."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(UtcInstant)
    actor: Mapped[str] = mapped_column(String(120))
    action: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str] = mapped_column(String(300))
    detail: Mapped[Any] = mapped_column(JsonText, nullable=True)

    __table_args__ = (Index("ix_audit_actor", "actor", "id"), Index("ix_audit_action", "action", "id"))


class Lease(Base):
    """A named right that one process holds at a time (the relay, a drop folder)."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(String(120), primary_key=True)
    token: Mapped[str | None] = mapped_column(String(32))
    until: Mapped[datetime] = mapped_column(UtcInstant)
