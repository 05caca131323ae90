"""Names and passwords, checked with a brake on guessing, for the log-in page and for scripts."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from app.access.accounts import AccountOwner, authenticate_account
from app.access.attempts import Attempts
from app.access.identity import TooManyAttempts
from app.store.session import Store

REMEMBER_SECONDS = 5.0
REMEMBERED = 256


class SignIn:
    """Checks passwords. A script that sends its password with each request pays for Argon2 once in five seconds."""

    def __init__(self, store: Store, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._monotonic = monotonic
        self._attempts = Attempts(monotonic)
        self._lock = Lock()
        self._pepper = secrets.token_bytes(32)
        self._recent: OrderedDict[bytes, tuple[AccountOwner, float]] = OrderedDict()

    def authenticate(self, name: str, password: str, address: str) -> AccountOwner | None:
        """The account, or None; raises TooManyAttempts while this name and address have to wait."""
        wait = self._attempts.wait_seconds(name, address)
        if wait > 0:
            raise TooManyAttempts(wait)
        with self._store.reading() as session:
            owner = authenticate_account(session, name, password)
        if owner is None:
            self._attempts.failed(name, address)
        else:
            self._attempts.succeeded(name, address)
        return owner

    def authenticate_again(self, name: str, password: str, address: str) -> AccountOwner | None:
        """As ``authenticate``, but a success holds for some seconds; a disabled account stops within them."""
        proof = hmac.digest(self._pepper, f"{name}\0{password}".encode(), hashlib.sha256)
        with self._lock:
            owner, until = self._recent.get(proof, (None, 0.0))
        if owner is not None and self._monotonic() < until:
            return owner
        owner = self.authenticate(name, password, address)
        with self._lock:
            self._recent.pop(proof, None)
            if owner is not None:
                self._recent[proof] = (owner, self._monotonic() + REMEMBER_SECONDS)
                while len(self._recent) > REMEMBERED:
                    self._recent.popitem(last=False)
        return owner
