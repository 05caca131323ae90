"""One e-mail by an SMTP server, within a time-out, and over TLS wherever a password goes out."""

from __future__ import annotations

import smtplib
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

from config.exception_policy import MailServer


class MailNotTaken(Exception):
    """``is_final``: the server said that it never will take it."""

    def __init__(self, reason: str, *, is_final: bool) -> None:
        super().__init__(reason)
        self.reason, self.is_final = reason, is_final


@dataclass(frozen=True)
class MailBox:
    """``password`` is that of the server's ``login``; ``ca_file``: authorities to trust instead of the system's."""

    server: MailServer
    password: str | None = field(default=None, repr=False)
    ca_file: str | None = None

    def send(self, message: EmailMessage) -> None:
        """Raises MailNotTaken; what the server had taken when the connection broke off may come twice."""
        try:
            client = self._connect()
            try:
                self._hand_over(client, message)
            finally:
                client.close()
        except smtplib.SMTPAuthenticationError:
            raise MailNotTaken("the server refused the log-in", is_final=False) from None
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            told = f"the server refused the recipient ({codes[0] if codes else 'no code'})"
            raise MailNotTaken(told, is_final=bool(codes) and all(500 <= code < 600 for code in codes)) from None
        except smtplib.SMTPResponseException as error:
            told = f"the server answered {error.smtp_code}"
            raise MailNotTaken(told, is_final=500 <= error.smtp_code < 600) from None
        except ssl.SSLError:
            raise MailNotTaken("TLS failed", is_final=False) from None
        except (smtplib.SMTPException, OSError) as error:
            raise MailNotTaken(_reason(error), is_final=False) from None

    def _hand_over(self, client: smtplib.SMTP, message: EmailMessage) -> None:
        if self.server.login:
            client.login(self.server.login, self.password or "")
        client.send_message(message)
        with suppress(smtplib.SMTPException, OSError):  # it is taken, however the two part
            client.quit()

    def _connect(self) -> smtplib.SMTP:
        server, context = self.server, ssl.create_default_context(cafile=self.ca_file)
        if server.security == "tls":
            return _TlsClient(server.host, server.port, timeout=server.timeout_seconds, context=context)
        client = _EndsInTime(server.host, server.port, timeout=server.timeout_seconds)
        if server.security == "starttls":
            try:
                client.starttls(context=context)
            except BaseException:
                client.close()
                raise
        return client


class _EndsInTime(smtplib.SMTP):
    """The time-out of a socket bounds each silence only, so that a server which sends one byte at a time would hold its
    caller for ever. Here the connection is cut once the whole time is over."""

    _cutter: threading.Timer | None = None

    def connect(self, *arguments: Any, **named: Any) -> tuple[int, bytes]:
        self._cutter = threading.Timer(float(self.timeout or 0.0), self._cut)
        self._cutter.daemon = True
        self._cutter.start()
        return super().connect(*arguments, **named)

    def close(self) -> None:
        if self._cutter is not None:
            self._cutter.cancel()
        super().close()

    def _cut(self) -> None:
        with suppress(OSError):
            if self.sock is not None:
                self.sock.shutdown(socket.SHUT_RDWR)


class _TlsClient(smtplib.SMTP_SSL, _EndsInTime):
    """From the first byte on."""


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer within the time-out"
    if isinstance(error, socket.gaierror):
        return "the host has no address"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "the server offers no TLS, or no log-in"
    return "no connection, or it was lost"


def written(sender: str, recipient: str, subject: str, text: str, message_id: str, at: Any) -> EmailMessage:
    """A plain text message. ``message_id`` is the same for every try, so that mail programs show a repeat once."""
    message = EmailMessage()
    message["From"], message["To"] = sender, recipient
    message["Subject"] = " ".join(subject.split())[:200]
    message["Message-ID"] = f"<{message_id}@{sender.rpartition('@')[2]}>"
    message["Date"] = format_datetime(at)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    return message
