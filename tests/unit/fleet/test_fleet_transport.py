"""Servers that mean harm, on loopback: each must end as a trouble, soon, and without our key elsewhere."""

import asyncio
import gzip
import time
import tracemalloc
from contextlib import AsyncExitStack

import pytest
from aiohttp import web
from unit.fleet.conftest import Answer, Start, StartRaw, Talk

from makerhub.fleet.addresses import AddressPolicy, Reach
from makerhub.fleet.gateway import Connection, JobReport, PrinterTrouble, Trouble
from makerhub.fleet.keep_alive import KeepAlive
from makerhub.fleet.octoprint import JOB_PATH, OctoPrint
from makerhub.fleet.transport import LARGEST_REPLY, Transport

POLICY = AddressPolicy(Reach.LAN, loopback_allowed=True)
DEADLINE_S = 0.5


@pytest.fixture(params=["keep_alive", "transport"])
async def looks(stack: AsyncExitStack, request: pytest.FixtureRequest) -> KeepAlive | None:
    """Looks at a printer go either way; everything else goes through the transport."""
    return await stack.enter_async_context(KeepAlive(POLICY, JOB_PATH)) if request.param == "keep_alive" else None


@pytest.fixture
async def octoprint(stack: AsyncExitStack, looks: KeepAlive | None) -> OctoPrint:
    return OctoPrint(await stack.enter_async_context(Transport(POLICY)), looks)


@pytest.fixture
async def hasty(stack: AsyncExitStack, looks: KeepAlive | None) -> OctoPrint:
    return OctoPrint(await stack.enter_async_context(Transport(POLICY)), looks, answer_seconds=DEADLINE_S)


async def trouble_with(octoprint: OctoPrint, url: str) -> Trouble:
    with pytest.raises(PrinterTrouble) as caught:
        await octoprint.job(Connection(url, "secret-key"))
    assert "secret" not in str(caught.value)
    return caught.value.trouble


def reply(status: int = 200, body: bytes = b"", **headers: str) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, body=body, headers=named)

    return answer


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirection_does_not_take_the_key_elsewhere(serve: Start, octoprint: OctoPrint, status: int) -> None:
    keys: list[str | None] = []

    async def elsewhere(request: web.Request) -> web.StreamResponse:
        keys.append(request.headers.get("X-Api-Key"))
        return web.json_response({"state": "Operational"})

    other = await serve(elsewhere)
    url = await serve(reply(status, Location=f"{other}/api/job"))
    assert await trouble_with(octoprint, url) is Trouble.REDIRECTED
    assert keys == []


async def test_compressed_replies_are_neither_asked_for_nor_unpacked(serve: Start, octoprint: OctoPrint) -> None:
    bomb = gzip.compress(bytes(200_000_000), 9)
    asked: list[str | None] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append(request.headers.get("Accept-Encoding"))
        return web.Response(body=bomb, headers={"Content-Encoding": "gzip"})

    url = await serve(answer)
    tracemalloc.start()
    try:
        assert await trouble_with(octoprint, url) is Trouble.BAD_REPLY
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()
    assert asked == ["identity"]


async def test_a_large_reply_is_refused_by_its_announced_length(serve: Start, octoprint: OctoPrint) -> None:
    url = await serve(reply(body=b" " * (LARGEST_REPLY + 1)))
    assert await trouble_with(octoprint, url) is Trouble.REPLY_TOO_LARGE


async def test_an_endless_reply_is_cut_off(serve: Start, octoprint: OctoPrint) -> None:
    sent = 0

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" " * 16384)
            sent += 16384

    assert await trouble_with(octoprint, await serve(answer)) is Trouble.REPLY_TOO_LARGE
    assert sent < 20 * LARGEST_REPLY


async def test_a_reply_of_the_largest_size_is_read(serve: Start, octoprint: OctoPrint) -> None:
    body = b'{"state": "Operational"}'
    url = await serve(reply(body=body + b" " * (LARGEST_REPLY - len(body))))
    assert isinstance(await octoprint.job(Connection(url, "key")), JobReport)


def drip(preamble: bytes, drop: bytes) -> Talk:
    """Send the preamble, then a drop every 50 ms for ever: no single read takes long."""

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(preamble)
        while True:
            writer.write(drop)
            await writer.drain()
            await asyncio.sleep(0.05)

    return talk


@pytest.mark.parametrize(
    ("preamble", "drop"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b" "),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (b"HTTP/1.1 200 OK\r\n", b"X-Drop: 1\r\n"),
        (b"", b"H"),
        (b"", b""),
    ],
    ids=["body", "chunks", "headers", "status", "silence"],
)
async def test_a_drip_ends_at_the_total_deadline(
    serve_raw: StartRaw, hasty: OctoPrint, preamble: bytes, drop: bytes
) -> None:
    url = await serve_raw(drip(preamble, drop))
    began_at = time.monotonic()
    assert await trouble_with(hasty, url) in (Trouble.TIMED_OUT, Trouble.BAD_REPLY)
    assert time.monotonic() - began_at < DEADLINE_S + 0.5


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        (reply(401), Trouble.KEY_REFUSED),
        (reply(403), Trouble.KEY_REFUSED),
        (reply(404), Trouble.NOT_OCTOPRINT),
        (reply(409), Trouble.REFUSED),
        (reply(500), Trouble.SERVER_ERROR),
        (reply(503), Trouble.SERVER_ERROR),
        (reply(204), Trouble.BAD_REPLY),
        (reply(body=b""), Trouble.BAD_REPLY),
        (reply(body=b"<html>welcome</html>"), Trouble.BAD_REPLY),
        (reply(body=b'{"state": 7}'), Trouble.BAD_REPLY),
        (reply(body=b'{"state": "Operational", "progress": {"completion": NaN}}'), Trouble.BAD_REPLY),
        (reply(body=b'{"state": "\xff\xfe"}'), Trouble.BAD_REPLY),
        (reply(body=b"[" * 200_000), Trouble.BAD_REPLY),
        (reply(body=b'{"x": ' * 40_000), Trouble.BAD_REPLY),
        (reply(body=b'{"state": "Printing", "progress": {"completion": 1e999}}'), Trouble.BAD_REPLY),
    ],
)
async def test_a_bad_answer_is_a_trouble(serve: Start, octoprint: OctoPrint, answer: Answer, trouble: Trouble) -> None:
    assert await trouble_with(octoprint, await serve(answer)) is trouble


@pytest.mark.parametrize("said", [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"])
async def test_what_does_not_speak_http_is_a_trouble(serve_raw: StartRaw, octoprint: OctoPrint, said: bytes) -> None:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)

    assert await trouble_with(octoprint, await serve_raw(talk)) in (Trouble.UNREACHABLE, Trouble.BAD_REPLY)


async def test_a_closed_port_and_an_unknown_name_are_unreachable(octoprint: OctoPrint, unused_tcp_port: int) -> None:
    assert await trouble_with(octoprint, f"http://127.0.0.1:{unused_tcp_port}") is Trouble.UNREACHABLE


async def test_plain_http_behind_https_is_an_untrusted_certificate(serve: Start, octoprint: OctoPrint) -> None:
    url = await serve(reply())
    assert await trouble_with(octoprint, url.replace("http:", "https:")) is Trouble.UNTRUSTED_CERTIFICATE


@pytest.mark.parametrize("key", ["line\r\nX-Evil: 1", "schlüssel", "nul\0"])
async def test_a_key_can_not_smuggle_a_header(serve: Start, octoprint: OctoPrint, key: str) -> None:
    url = await serve(reply(body=b'{"state": "Operational"}'))
    with pytest.raises(PrinterTrouble) as caught:
        await octoprint.job(Connection(url, key))
    assert caught.value.trouble is Trouble.KEY_REFUSED


async def test_the_environments_proxy_is_not_used(
    serve: Start, octoprint: OctoPrint, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{unused_tcp_port}")
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{unused_tcp_port}")
    url = await serve(reply(body=b'{"state": "Operational"}'))
    assert isinstance(await octoprint.job(Connection(url, "key")), JobReport)


async def test_cookies_are_not_kept(serve: Start, octoprint: OctoPrint) -> None:
    seen: list[str | None] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        seen.append(request.headers.get("Cookie"))
        return web.json_response({"state": "Operational"}, headers={"Set-Cookie": "session=1"})

    url = await serve(answer)
    for _ in range(2):
        await octoprint.job(Connection(url, "key"))
    assert seen == [None, None]


async def test_a_lost_connection_does_not_repeat_the_upload(serve: Start, octoprint: OctoPrint) -> None:
    """A client that retries by itself would take the start token out of our hands."""
    uploads = 0

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal uploads
        if request.method == "GET":
            return web.json_response({"state": "Operational"})
        uploads += 1
        assert request.transport
        request.transport.abort()
        return web.Response()

    url = await serve(answer)
    await octoprint.job(Connection(url, "key"))
    with pytest.raises(PrinterTrouble) as caught:
        await octoprint.upload_and_print(Connection(url, "key"), "7f-1.gcode", b"G4 P1")
    assert caught.value.trouble is Trouble.UNREACHABLE
    assert uploads == 1


@pytest.mark.parametrize(
    ("status", "body", "trouble"),
    [
        (200, b'{"effectivePrint": true}', Trouble.BAD_REPLY),
        (201, b"{}", Trouble.BAD_REPLY),
        (201, b'{"effectivePrint": null}', Trouble.BAD_REPLY),
        (409, b"{}", Trouble.REFUSED),
        (413, b"", Trouble.REFUSED),
    ],
)
async def test_an_unclear_answer_to_an_upload_is_a_trouble(
    serve: Start, octoprint: OctoPrint, status: int, body: bytes, trouble: Trouble
) -> None:
    url = await serve(reply(status, body))
    with pytest.raises(PrinterTrouble) as caught:
        await octoprint.upload_and_print(Connection(url, "key"), "7f-1.gcode", b"G4 P1")
    assert caught.value.trouble is trouble


async def test_only_octoprints_own_404_means_that_a_file_is_absent(serve: Start, octoprint: OctoPrint) -> None:
    own = await serve(reply(404, b'{"error": "not found"}'))
    assert await octoprint.file(Connection(own, "key"), "7f-1.gcode") is None
    proxy = await serve(reply(404, b"<h1>Not Found</h1>"))
    with pytest.raises(PrinterTrouble):
        await octoprint.file(Connection(proxy, "key"), "7f-1.gcode")


@pytest.mark.parametrize("text", ["OctoPrint (Moonraker v0.3.1)", "PrusaLink 0.7.0", "", "OctoPrint"])
async def test_only_octoprint_itself_passes(serve: Start, octoprint: OctoPrint, text: str) -> None:
    url = await serve(reply(body=b'{"text": "%s"}' % text.encode()))
    with pytest.raises(PrinterTrouble) as caught:
        await octoprint.version(Connection(url, "key"))
    assert caught.value.trouble is Trouble.NOT_OCTOPRINT


@pytest.mark.parametrize("token", ["short", "../../api/settings", "a" * 200, 'a"onclick="alert(1)'])
async def test_a_token_that_is_no_token_goes_nowhere(serve: Start, octoprint: OctoPrint, token: str) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("probe"):
            return web.Response(status=204)
        return web.json_response({"app_token": token, "auth_dialog": "http://evil.example"}, status=201)

    with pytest.raises(PrinterTrouble) as caught:
        await octoprint.request_key(await serve(answer), "makerhub")
    assert caught.value.trouble is Trouble.BAD_REPLY
