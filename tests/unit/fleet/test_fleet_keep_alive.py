"""The kept connections: one for each printer, used again, bounded, and never asked twice what was answered."""

import asyncio
import itertools
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st
from unit.fleet.conftest import Start, StartRaw, Talk

from makerhub.fleet.addresses import AddressPolicy, Reach
from makerhub.fleet.gateway import Connection, PrinterTrouble, Trouble
from makerhub.fleet.keep_alive import KeepAlive
from makerhub.fleet.line import LARGEST_HEAD, Line
from makerhub.fleet.transport import LARGEST_REPLY, Reply

POLICY = AddressPolicy(Reach.LAN, loopback_allowed=True)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
WHOLE = HEAD + b"{}"


@pytest.fixture
async def looks(stack: AsyncExitStack) -> KeepAlive:
    return await stack.enter_async_context(KeepAlive(POLICY, "/api/job"))


async def ask(looks: KeepAlive, url: str, key: str = "key", seconds: float = 5) -> Reply:
    return await looks.get(Connection(url, key), seconds=seconds)


async def trouble_with(looks: KeepAlive, url: str, seconds: float = 5) -> Trouble:
    with pytest.raises(PrinterTrouble) as caught:
        await ask(looks, url, seconds=seconds)
    return caught.value.trouble


class Server:
    """Answers each request on each connection by a script: bytes to send, and whether to hang up after them."""

    def __init__(self, *script: tuple[bytes, bool]) -> None:
        self.script = list(script)
        self.connections = 0
        self.requests: list[bytes] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while True:
            try:
                self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            except (asyncio.IncompleteReadError, ConnectionError):
                return
            answer, hangs_up = self.script.pop(0)
            writer.write(answer)
            if hangs_up:
                return


def always(said: bytes) -> Talk:
    """Answer once, and keep the connection."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        await reader.read()

    return talk


async def test_a_connection_is_used_again(serve_raw: StartRaw, looks: KeepAlive) -> None:
    server = Server(*[(WHOLE, False)] * 3)
    url = await serve_raw(server)
    assert [await ask(looks, url) for _ in range(3)] == [Reply(200, b"{}")] * 3
    assert server.connections == 1


async def test_what_is_asked(serve_raw: StartRaw, looks: KeepAlive) -> None:
    server = Server((WHOLE, False))
    url = await serve_raw(server)
    await ask(looks, f"{url}/behind/", "0123456789")
    first, *headers = server.requests[0].decode().strip().split("\r\n")
    assert first == "GET /behind/api/job HTTP/1.1"
    assert set(headers) == {
        f"Host: {url.removeprefix('http://')}",
        "X-Api-Key: 0123456789",
        "User-Agent: makerhub",
        "Accept: application/json",
        "Accept-Encoding: identity",
    }


async def test_without_a_key_none_is_sent(serve_raw: StartRaw, looks: KeepAlive) -> None:
    server = Server((WHOLE, False))
    await ask(looks, await serve_raw(server), "")
    assert b"X-Api-Key" not in server.requests[0]


async def test_a_kept_connection_that_has_ended_is_replaced(serve_raw: StartRaw, looks: KeepAlive) -> None:
    server = Server((WHOLE, True), (WHOLE, False))
    url = await serve_raw(server)
    await ask(looks, url)
    assert await ask(looks, url) == Reply(200, b"{}")
    assert server.connections == 2


async def test_a_kept_connection_that_ends_at_the_question_is_replaced_once(
    serve_raw: StartRaw, looks: KeepAlive
) -> None:
    server = Server((WHOLE, False), (b"", True), (b"", True), (WHOLE, False))
    url = await serve_raw(server)
    await ask(looks, url)
    assert await trouble_with(looks, url) is Trouble.UNREACHABLE
    assert (server.connections, len(server.requests)) == (2, 3)


async def test_half_an_answer_is_not_asked_for_again(serve_raw: StartRaw, looks: KeepAlive) -> None:
    server = Server((WHOLE, False), (HEAD + b"{", True))
    url = await serve_raw(server)
    await ask(looks, url)
    assert await trouble_with(looks, url) is Trouble.BAD_REPLY
    assert server.connections == 1


async def test_a_new_connection_that_ends_is_not_asked_again(serve_raw: StartRaw, looks: KeepAlive) -> None:
    server = Server((b"", True))
    assert await trouble_with(looks, await serve_raw(server)) is Trouble.UNREACHABLE
    assert server.connections == 1


async def test_last_words_of_a_kept_connection_are_no_answer(serve_raw: StartRaw, looks: KeepAlive) -> None:
    """Proxies say 408 before they hang up."""
    late = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    server = Server((WHOLE + late, True), (WHOLE, False))
    url = await serve_raw(server)
    assert [(await ask(looks, url)).status for _ in range(2)] == [200, 200]
    assert server.connections == 2


async def test_a_late_answer_does_not_answer_the_next_question(serve_raw: StartRaw, looks: KeepAlive) -> None:
    async def late_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.2)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate")
        await reader.read()

    url = await serve_raw(late_once)
    assert await trouble_with(looks, url, seconds=0.1) is Trouble.TIMED_OUT
    assert (await ask(looks, url)).body == b"late"


async def test_connection_close_is_heeded(serve_raw: StartRaw, looks: KeepAlive) -> None:
    closing = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"
    server = Server((closing, False), (closing, False))
    url = await serve_raw(server)
    await ask(looks, url)
    await ask(looks, url)
    assert server.connections == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\n\r\n{}",
        b"HTTP/1.0 200 OK\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1;why=not\r\n}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX-Trailer: 1\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + WHOLE,
        b"HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nContent-Length: 2\r\n\r\n{}",
    ],
    ids=["until-the-end", "http-1.0", "closed", "chunked", "trailers", "early-hints", "identity"],
)
async def test_every_framing_of_http_is_read(serve_raw: StartRaw, looks: KeepAlive, answer: bytes) -> None:
    assert await ask(looks, await serve_raw(Server((answer, True)))) == Reply(200, b"{}")


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", Trouble.BAD_REPLY),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n{}", Trouble.BAD_REPLY),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\n{}", Trouble.BAD_REPLY),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Trouble.BAD_REPLY),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", Trouble.BAD_REPLY),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n{}", Trouble.BAD_REPLY),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n{}", Trouble.REPLY_TOO_LARGE),
        (b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", Trouble.BAD_REPLY),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", Trouble.BAD_REPLY),
        (b"HTTP/1.1 200 OK\r\n" + b"X-A: %s\r\n" % (b"a" * LARGEST_HEAD) + b"\r\n", Trouble.BAD_REPLY),
        (b"HTTP/1.1 200 OK\r\n" + b"X-A: a\r\n" * LARGEST_HEAD + b"\r\n", Trouble.BAD_REPLY),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"X-A: a\r\n" * 80_000 + b"\r\n",
            Trouble.REPLY_TOO_LARGE,
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\n \r\n" * 200_000 + b"0\r\n\r\n",
            Trouble.REPLY_TOO_LARGE,
        ),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b" " * (LARGEST_REPLY + 1), Trouble.REPLY_TOO_LARGE),
        (b"HTTP/2 200\r\n\r\n", Trouble.BAD_REPLY),
        (b"\0" * 100, Trouble.BAD_REPLY),
    ],
)
async def test_what_http_does_not_allow_is_a_bad_reply(
    serve_raw: StartRaw, looks: KeepAlive, answer: bytes, trouble: Trouble
) -> None:
    assert await trouble_with(looks, await serve_raw(always(answer))) is trouble


async def test_early_hints_for_ever_are_bounded(serve_raw: StartRaw, looks: KeepAlive) -> None:
    async def hint(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        while True:
            writer.write(b"HTTP/1.1 103 Early Hints\r\nX-A: a\r\n\r\n" * 100)
            await writer.drain()

    assert await trouble_with(looks, await serve_raw(hint)) is Trouble.REPLY_TOO_LARGE


async def test_two_questions_at_once_leave_one_connection(serve: Start, looks: KeepAlive) -> None:
    transports = set()

    async def answer(request: web.Request) -> web.StreamResponse:
        transports.add(request.transport)
        await asyncio.sleep(0.05)
        return web.Response(body=b"{}")

    url = await serve(answer)
    await asyncio.gather(*(ask(looks, url) for _ in range(2)))
    assert len(transports) == 2
    await ask(looks, url)
    assert len(transports) == 2
    assert sum(not transport.is_closing() for transport in transports if transport) == 1


async def test_each_key_has_its_own_connection(serve_raw: StartRaw, looks: KeepAlive) -> None:
    server = Server(*[(WHOLE, False)] * 2)
    url = await serve_raw(server)
    await ask(looks, url, "one-key")
    await ask(looks, url, "another-key")
    assert server.connections == 2
    assert b"X-Api-Key: another-key" in server.requests[1]


async def test_only_the_latest_connections_are_kept(serve_raw: StartRaw, stack: AsyncExitStack) -> None:
    looks = await stack.enter_async_context(KeepAlive(POLICY, "/api/job", most_kept=2))
    servers = [Server(*[(WHOLE, False)] * 3) for _ in range(3)]
    urls = [await serve_raw(server) for server in servers]
    for number in (0, 1, 0, 2, 0, 1):
        await ask(looks, urls[number])
    assert [server.connections for server in servers] == [1, 2, 1]


async def test_a_cancelled_question_closes_its_connection(serve_raw: StartRaw, looks: KeepAlive) -> None:
    ended = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await reader.read()
        except ConnectionError:
            pass
        ended.set()

    question = asyncio.create_task(ask(looks, await serve_raw(silent), seconds=60))
    await asyncio.sleep(0.05)
    question.cancel()
    await asyncio.wait_for(ended.wait(), 5)
    with pytest.raises(asyncio.CancelledError):
        await question


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1", "http://2130706433", "http://127.1", "http://0x7f.1", "http://localhost", "http://[::1]"],
)
async def test_a_forbidden_address_is_not_connected(
    url: str, unused_tcp_port: int, stack: AsyncExitStack, serve_raw: StartRaw
) -> None:
    """However it is written; the canary behind it hears nothing."""
    canary = Server((WHOLE, False))
    port = int((await serve_raw(canary)).rpartition(":")[2]) if "[" not in url else unused_tcp_port
    looks = await stack.enter_async_context(KeepAlive(AddressPolicy(Reach.LAN), "/api/job"))
    assert await trouble_with(looks, f"{url}:{port}") is Trouble.FORBIDDEN_ADDRESS
    assert canary.connections == 0


async def test_a_name_that_is_bound_anew_is_judged_anew(
    serve_raw: StartRaw, stack: AsyncExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name points elsewhere after the first connection; the second is judged by where it goes."""
    server = Server((WHOLE, True), (WHOLE, True))
    port = int((await serve_raw(server)).rpartition(":")[2])
    answers = iter(["127.0.0.1", "169.254.169.254"])

    def resolve(_host: str, port: int, *_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    policy = AddressPolicy(Reach.LAN, (ip_network("169.254.0.0/16"),), loopback_allowed=True)
    looks = await stack.enter_async_context(KeepAlive(policy, "/api/job"))
    url = f"http://rebinding.example:{port}"
    assert await ask(looks, url) == Reply(200, b"{}")
    assert await trouble_with(looks, url) is Trouble.FORBIDDEN_ADDRESS


async def test_names_that_nobody_knows_hold_up_no_known_one(
    serve_raw: StartRaw, looks: KeepAlive, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(*[(WHOLE, True)] * 2)
    url = (await serve_raw(server)).replace("127.0.0.1", "known.example")
    asleep = threading.Event()

    def resolve(host: str, port: int, *_: Any) -> list[Any]:
        if host != "known.example":
            asleep.wait(20)
            raise socket.gaierror
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    await ask(looks, url)
    dead = [asyncio.create_task(trouble_with(looks, f"http://dead{number}.example", 20)) for number in range(100)]
    await asyncio.sleep(0.05)
    try:
        assert await ask(looks, url) == Reply(200, b"{}")
    finally:
        asleep.set()
        assert set(await asyncio.gather(*dead)) == {Trouble.UNREACHABLE}


async def test_an_address_that_swallows_everything_ends_at_the_deadline(looks: KeepAlive) -> None:
    """A backlog that is full is how a firewall that drops packets looks from here."""
    with socket.socket() as listening, socket.socket() as one, socket.socket() as two:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        address = listening.getsockname()
        for caller in (one, two):
            caller.setblocking(False)
            caller.connect_ex(address)
        assert await trouble_with(looks, f"http://127.0.0.1:{address[1]}", seconds=0.3) is Trouble.TIMED_OUT


async def test_https_is_asked_the_same_way(
    stack: AsyncExitStack, looks: KeepAlive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = self_signed(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    transports = set()

    async def answer(request: web.Request) -> web.StreamResponse:
        transports.add(request.transport)
        return web.Response(body=b"{}")

    application = web.Application()
    application.router.add_get("/api/job", answer)
    server = TestServer(application)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    await server.start_server(ssl=context)
    stack.push_async_callback(server.close)
    for _ in range(2):
        assert await ask(looks, f"https://localhost:{server.port}") == Reply(200, b"{}")
    assert len(transports) == 1
    assert await trouble_with(looks, f"https://127.0.0.1:{server.port}") is Trouble.UNTRUSTED_CERTIFICATE


def self_signed(folder: Path) -> Path:
    """A certificate for `localhost`, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    file = folder / "certificate.pem"
    file.write_bytes(
        certificate.public_bytes(encoding)
        + key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return file


class Wire(asyncio.Transport):
    """What a line is connected to: keeps what is written, and knows whether it was broken off."""

    def __init__(self) -> None:
        super().__init__()
        self.is_broken = False

    def write(self, data: object) -> None:
        """Nobody reads it."""

    def abort(self) -> None:
        """See asyncio.Transport."""
        self.is_broken = True


async def fed(pieces: list[bytes], end: Callable[[Line], None] = lambda line: line.connection_lost(None)) -> Reply:
    """What a line makes of pieces that come one after the other."""
    line = Line(b"")
    line.connection_made(Wire())
    question = asyncio.ensure_future(line.ask(asyncio.get_running_loop().time() + 60))
    await asyncio.sleep(0)
    for piece in pieces:
        line.data_received(piece)
    end(line)
    return await question


@given(
    body=st.binary(max_size=300),
    chunked=st.booleans(),
    cuts=st.lists(st.integers(0, 600), max_size=12),
    early=st.booleans(),
)
def test_where_an_answer_is_cut_does_not_matter(body: bytes, chunked: bool, cuts: list[int], early: bool) -> None:
    framing = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % len(body)
    framed = (b"%x\r\n%s\r\n" % (len(body), body) if body else b"") + b"0\r\n\r\n" if chunked else body
    hints = b"HTTP/1.1 103 Early Hints\r\n\r\n" if early else b""
    answer = hints + b"HTTP/1.1 200 OK\r\nServer: x\r\n" + framing + b"\r\n\r\n" + framed
    places = sorted({0, len(answer), *(cut for cut in cuts if cut < len(answer))})
    pieces = [answer[start:end] for start, end in itertools.pairwise(places)]
    assert asyncio.run(fed(pieces)) == Reply(200, body)


@given(st.lists(st.binary(max_size=200), max_size=5), st.booleans())
def test_noise_is_a_trouble_and_never_an_answer_or_a_crash(pieces: list[bytes], has_begun: bool) -> None:
    noise = [b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n", *pieces] if has_begun else pieces
    with pytest.raises(PrinterTrouble):
        asyncio.run(fed(noise))
