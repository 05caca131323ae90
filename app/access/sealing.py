"""Secrets that Lineside has to use again, kept so that a copy of the database gives none of them away.

They are encrypted (Fernet: AES-128-CBC with HMAC-SHA256) with a key that is derived from the installation's secret,
``LINESIDE_SECRET_KEY`` or ``secret.key`` in LINESIDE_HOME, which the database does not hold.
"""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.access.installation import installation_secret
from config.settings import Settings


class CannotOpen(Exception):
    """The secret was sealed with another installation's secret, or is torn."""


class Seal:
    """Seals and opens. ``purpose`` keeps what is sealed for one thing from being opened as another."""

    def __init__(self, settings: Settings, purpose: str) -> None:
        secret = settings.secret_key or installation_secret(settings.home)
        derived = HKDF(SHA256(), 32, salt=None, info=f"lineside {purpose}".encode()).derive(secret.encode())
        self._fernet = Fernet(base64.urlsafe_b64encode(derived))

    def close(self, plain: str) -> str:
        return self._fernet.encrypt(plain.encode()).decode()

    def open(self, sealed: str) -> str:
        """Raises CannotOpen."""
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken:
            reason = "it was sealed with another installation secret; set LINESIDE_SECRET_KEY to that one, or rotate"
            raise CannotOpen(reason) from None
