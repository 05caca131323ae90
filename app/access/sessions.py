"""The browser's session: a signed cookie that names an account and ends with its password."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask
from flask_login import LoginManager, UserMixin

from app.access.accounts import AccountOwner, load_account
from app.access.installation import installation_secret
from app.store.session import Store
from config.settings import Settings

SESSION_HOURS = 12


class SignedIn(UserMixin):  # type: ignore[misc]
    """A person in a browser. The session keeps the name and the password's stamp."""

    def __init__(self, owner: AccountOwner) -> None:
        self.owner = owner

    def get_id(self) -> str:
        return f"{self.owner.stamp}:{self.owner.name}"


def use_sessions(app: Flask, settings: Settings, store: Store) -> None:
    """Sessions in a cookie that no script reads and no other site sends."""
    app.config.update(
        SECRET_KEY=settings.secret_key or installation_secret(settings.home),
        SESSION_COOKIE_NAME="lineside_session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(hours=SESSION_HOURS),
        WTF_CSRF_TIME_LIMIT=SESSION_HOURS * 3600,
    )
    login = LoginManager()
    login.session_protection = "strong"

    def load_signed_in(session_id: str) -> SignedIn | None:
        stamp, _, name = session_id.partition(":")
        with store.reading() as session:
            owner = load_account(session, name)
        return SignedIn(owner) if owner is not None and owner.stamp == stamp else None

    login.user_loader(load_signed_in)
    login.init_app(app)
