"""A channel to a mail server, by SMTP over TLS."""

import os
import smtplib
import ssl
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from uuid import UUID

from makerhub.errors import translatable
from makerhub.notices.channel import AddressRefused, ChannelDown, Undelivered, Written
from makerhub.notices.message import message

Security = Literal["starttls", "tls", "none"]
SECONDS = 20.0
"""For each answer of the server; a whole mail takes nine."""
PERMANENT = 500
CLOSING = (421, -1)

NO_SIGN_IN = translatable("The mail server does not accept the hub's user name and password.")
NO_TLS = translatable("The mail server can not be spoken to in secret: its certificate or its TLS is not in order.")
OPEN_PASSWORD = translatable("Other users of this machine can read the file with the mail server's password.")
NO_PASSWORD = translatable("The file with the mail server's password can not be read.")
NO_SENDER = translatable("The mail server does not let the hub send under its address.")
LATER = translatable("The mail server wants to be asked again later.")
REFUSED = translatable("The mail server refuses the mail.")


@dataclass(frozen=True)
class Server:
    """A mail server; without a `user` the hub does not sign in. Nobody but the hub may be able to read the password."""

    host: str
    port: int
    security: Security
    user: str = ""
    password_file: Path = Path()


class SmtpChannel:
    """A `Channel` to one server; each mail has a connection of its own. It keeps nothing."""

    def __init__(self, server: Server, sender: str, *, context: ssl.SSLContext | None = None) -> None:
        self._server = server
        self._sender = sender
        self._context = context or ssl.create_default_context()

    def send(self, mail: Written) -> None:
        """Give the mail to the server, which takes over from there."""
        letter = message(mail, self._sender)
        try:
            with self._connected() as connection:
                connection.send_message(letter)
        except smtplib.SMTPRecipientsRefused as error:
            [(code, _)] = error.recipients.values()
            raise (AddressRefused() if code >= PERMANENT else Undelivered(LATER)) from error
        except smtplib.SMTPNotSupportedError as error:
            raise AddressRefused(REFUSED) from error
        except smtplib.SMTPAuthenticationError as error:
            raise ChannelDown(NO_SIGN_IN) from error
        except smtplib.SMTPResponseException as error:
            raise _trouble(error) from error
        except ssl.SSLError as error:
            raise ChannelDown(NO_TLS) from error
        except (smtplib.SMTPException, OSError) as error:
            raise ChannelDown from error

    def kept(self, mail_id: UUID) -> str | None:  # noqa: ARG002 - the port's signature
        """None: the server has it."""
        return None

    def forget(self, mail_id: UUID) -> None:
        """Nothing is kept."""

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        server = self._server
        password = _password(server) if server.user else ""
        with self._open() as connection:
            if server.security == "starttls":
                _start_tls(connection, self._context)
            if server.user:
                connection.login(server.user, password)
            yield connection

    def _open(self) -> smtplib.SMTP:
        server = self._server
        if server.security == "tls":
            return smtplib.SMTP_SSL(server.host, server.port, timeout=SECONDS, context=self._context)
        return smtplib.SMTP(server.host, server.port, timeout=SECONDS)


def _trouble(error: smtplib.SMTPResponseException) -> Undelivered:
    """What an answer means: that of the greeting or about the hub itself concerns every mail."""
    if error.smtp_code in CLOSING or isinstance(error, smtplib.SMTPHeloError | smtplib.SMTPConnectError):
        return ChannelDown()
    if error.smtp_code < PERMANENT:
        return Undelivered(LATER)
    return ChannelDown(NO_SENDER) if isinstance(error, smtplib.SMTPSenderRefused) else AddressRefused(REFUSED)


def _start_tls(connection: smtplib.SMTP, context: ssl.SSLContext) -> None:
    """A server that offers no TLS is refused: somebody between us and it could have taken the offer away."""
    try:
        connection.starttls(context=context)
    except (smtplib.SMTPNotSupportedError, smtplib.SMTPResponseException) as error:
        raise ChannelDown(NO_TLS) from error


def _password(server: Server) -> str:
    file = server.password_file
    try:
        if os.name == "posix" and stat.S_IMODE(file.stat().st_mode) & 0o077:
            raise ChannelDown(OPEN_PASSWORD)
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ChannelDown(NO_PASSWORD) from error
