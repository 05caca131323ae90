"""Owners are told of business exceptions by e-mail: over TLS, after a log-in, within a bounded time."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from app.business_exceptions.channels import Channels
from app.store.session import Store
from config.exception_policy import Channel, ExceptionPolicy, MailServer, Owner
from config.settings import load_settings
from tests.exception_desk import Desk

PASSWORD = "never to be shown"
CERTIFICATE = Path(__file__).parents[1] / "mail_server.pem"
"""Of 127.0.0.1, signed by itself; its key protects nothing."""


class Letters:
    """What a mail server took."""

    def __init__(self) -> None:
        self.taken: list[Any] = []
        self.sessions: list[Any] = []
        self.refuses = False

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if self.refuses:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.taken.append(envelope)
        self.sessions.append(session)
        return "250 OK"


class OnAnyPort(Controller):
    """Listens on a port that the system chooses, and knows which."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        super()._trigger_server()


@contextmanager
def mail_server(letters: Letters) -> Iterator[int]:
    def let_in(server: Any, session: Any, envelope: Any, mechanism: Any, data: Any) -> AuthResult:
        good = (data.login, data.password) == (b"lineside", PASSWORD.encode())
        return AuthResult(success=good, handled=good)

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE)
    controller = OnAnyPort(
        letters, hostname="127.0.0.1", port=0, tls_context=context, require_starttls=True, authenticator=let_in
    )
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def by_mail(port: int, **server: Any) -> ExceptionPolicy:
    channel = Channel("e-mail example.com", email="shift@example.com")
    values = {
        "host": "127.0.0.1",
        "sender": "lineside@example.com",
        "port": port,
        "login": "lineside",
        "secret": "smtp",
    }
    email = MailServer(**{**values, "timeout_seconds": 5.0, **server})
    return ExceptionPolicy(owner="shift", owners={"shift": Owner("shift", (channel,))}, email=email)


def test_an_e_mail_goes_out_over_tls_after_a_log_in(store: Store, tmp_path: Path) -> None:
    letters = Letters()
    settings = load_settings({"LINESIDE_HOME": str(tmp_path), "LINESIDE_SECRET_SMTP": PASSWORD})
    with mail_server(letters) as port:
        policy = by_mail(port)
        here = Desk(store, policy)
        here.raise_("line 1\nBcc: all@example.com")
        taken = here.tell(sender=Channels(policy, settings, str(CERTIFICATE)))

    (letter,) = letters.taken
    text = letter.content.decode()
    assert (taken, letter.rcpt_tos) == (1, ["shift@example.com"])
    assert letters.sessions[0].ssl is not None
    assert "Subject: Lineside: Business exception 1, serious: source_silent in P100" in text
    assert "Bcc" not in text.partition("\r\n\r\n")[0]
    assert "Value at risk: unknown" in text


@pytest.mark.parametrize(
    ("fault", "told", "state"),
    [
        ("password", "the server refused the log-in", "waiting"),
        ("authority", "TLS failed", "waiting"),
        ("recipient", "the server refused the recipient (550)", "dead"),
        ("server", "no connection, or it was lost", "waiting"),
    ],
)
def test_an_e_mail_that_is_not_taken_says_why_and_tells_no_secret(
    sqlite_store: Store, tmp_path: Path, fault: str, told: str, state: str
) -> None:
    letters = Letters()
    letters.refuses = fault == "recipient"
    password = "wrong" if fault == "password" else PASSWORD
    settings = load_settings({"LINESIDE_HOME": str(tmp_path), "LINESIDE_SECRET_SMTP": password})
    with mail_server(letters) as port, structlog.testing.capture_logs() as logs:
        policy = by_mail(1 if fault == "server" else port)
        here = Desk(sqlite_store, policy)
        here.raise_("line 1")
        here.tell(sender=Channels(policy, settings, None if fault == "authority" else str(CERTIFICATE)))

    (notice,) = here.notices()
    assert (notice.trouble, notice.state) == (told, state)
    assert letters.taken == []
    assert password not in str(logs)


def test_a_mail_server_that_never_comes_to_an_end_is_cut_off(sqlite_store: Store, tmp_path: Path) -> None:
    """It greets one byte at a time, each within the time-out."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def drip() -> None:
        connection, _ = listener.accept()
        with connection:
            while not stop.wait(0.05):
                try:
                    connection.send(b"2")
                except OSError:
                    return

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    policy = by_mail(listener.getsockname()[1], login=None, secret=None, security="none", timeout_seconds=0.3)
    here = Desk(sqlite_store, policy)
    here.raise_("line 1")
    here.tell(sender=Channels(policy, load_settings({"LINESIDE_HOME": str(tmp_path)})))
    stop.set()
    thread.join(10)
    listener.close()

    (notice,) = here.notices()
    assert (notice.state, notice.tries) == ("waiting", 1)
    assert notice.trouble
