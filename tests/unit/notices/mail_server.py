"""A small mail server on 127.0.0.1, with TLS and passwords, that answers as it is told."""

import socketserver
import ssl
import threading
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "hub", "a password of the post"


class MailServer(socketserver.ThreadingTCPServer):
    """Keeps what it was given; `answers` maps a verb to what is said instead of the usual."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, folder: Path, security: str, *, wants_sign_in: bool, offers_tls: bool) -> None:
        self.security = security
        self.wants_sign_in = wants_sign_in
        self.offers_tls = offers_tls
        self.answers: dict[str, str] = {}
        self.mails: list[bytes] = []
        self.tls, self.client = _contexts(folder)
        super().__init__(("127.0.0.1", 0), _Conversation)

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Conversation(socketserver.StreamRequestHandler):
    server: MailServer
    is_secret = False
    has_signed_in = False

    def handle(self) -> None:
        if self.server.security == "tls":
            self._encrypt()
        self._say("220 post")
        verbs: dict[str, Callable[[str], bool]] = {
            "EHLO": self._hello, "STARTTLS": self._start_tls, "AUTH": self._sign_in,
            "MAIL": self._begin, "DATA": self._take, "QUIT": self._leave,
        }  # fmt: skip
        while line := self.rfile.readline().decode():
            verb = line.split()[0].upper()
            if verb in self.server.answers:
                self._say(self.server.answers[verb])
            elif not verbs.get(verb, self._fine)(line):
                return

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())

    def _fine(self, _line: str) -> bool:
        self._say("250 fine")
        return True

    def _hello(self, _line: str) -> bool:
        offers = ["post", "AUTH PLAIN"] + (["STARTTLS"] if self.server.offers_tls and not self.is_secret else [])
        for offer in offers[:-1]:
            self._say(f"250-{offer}")
        self._say(f"250 {offers[-1]}")
        return True

    def _start_tls(self, _line: str) -> bool:
        self._say("220 go on")
        self._encrypt()
        return True

    def _encrypt(self) -> None:
        self.connection = self.server.tls.wrap_socket(self.connection, server_side=True)
        self.setup()
        self.is_secret = True

    def setup(self) -> None:
        """At the beginning, and again when the conversation goes on in secret."""
        self.request = getattr(self, "connection", self.request)
        super().setup()

    def finish(self) -> None:
        super().finish()
        self.connection.close()

    def _sign_in(self, line: str) -> bool:
        given = b64decode(line.split()[2]).decode().split("\0")[1:]
        self.has_signed_in = given == [USER, PASSWORD]
        self._say("235 welcome" if self.has_signed_in else "535 who are you")
        return True

    def _begin(self, line: str) -> bool:
        if self.server.wants_sign_in and not self.has_signed_in:
            self._say("530 sign in first")
            return True
        return self._fine(line)

    def _take(self, line: str) -> bool:
        self._say("354 speak")
        text = b""
        while (part := self.rfile.readline()) != b".\r\n":
            text += part.removeprefix(b".")  # a dot was added where a line began with one
        self.server.mails.append(text)
        return self._fine(line)

    def _leave(self, _line: str) -> bool:
        self._say("221 bye")
        return False


@contextmanager
def mail_server(
    folder: Path, security: str = "starttls", *, wants_sign_in: bool = False, offers_tls: bool = True
) -> Iterator[MailServer]:
    """The server, for as long as the block lasts."""
    with MailServer(folder, security, wants_sign_in=wants_sign_in, offers_tls=offers_tls) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


def _contexts(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """One for the server, with a certificate of its own, and one for a client that trusts it."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "post")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "post.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return server, ssl.create_default_context(cafile=str(file))
