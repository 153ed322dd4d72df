"""Simulated printers by the ten thousand, in front of whoever looks at them: `GET /api/job` alone, over bare sockets.

A general server takes longer to answer than a hub to ask, and has connections that weigh more than the printers behind
them. What it answers is what `routes` would: a test holds one to the other.
"""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, cast

import httptools

from makerhub.simulation.replies import job_reply
from makerhub.simulation.served import ServedPrinter

_PATH: Final = "/api/job"
_BACKLOG: Final = 4096
_HEAD: Final = (
    "HTTP/1.1 {status} {phrase}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n"
    "Cache-Control: max-age=0\r\nX-Clacks-Overhead: GNU Terry Pratchett\r\nServer-Timing: app;dur=0\r\n"
    "X-Robots-Tag: noindex, nofollow, noimageindex\r\nX-Content-Type-Options: nosniff\r\n"
    "X-Frame-Options: sameorigin\r\n\r\n"
)
"""OctoPrint's own, so that they cost who reads them as much."""


class Swarm:
    """Serves `printers` on free ports of `host`, as many ports as are asked for; each printer lives under its name."""

    def __init__(self, printers: Sequence[ServedPrinter], *, host: str = "127.0.0.1", ports: int = 1) -> None:
        self._printers = {printer.name: printer for printer in printers}
        self._host = host
        self._ports = ports
        self._servers: list[asyncio.Server] = []

    async def __aenter__(self) -> "Swarm":
        loop = asyncio.get_running_loop()
        for _ in range(self._ports):
            server = await loop.create_server(lambda: _Caller(self._printers), self._host, 0, backlog=_BACKLOG)
            self._servers.append(server)
        for printer, port in zip(self._printers.values(), self._round_robin(), strict=False):
            printer.url = f"http://{self._host}:{port}/{printer.name}"
        return self

    async def __aexit__(self, *_: object) -> None:
        for server in self._servers:
            server.close()
        self._servers.clear()

    def _round_robin(self) -> Iterator[int]:
        while True:
            for server in self._servers:
                yield server.sockets[0].getsockname()[1]


class _Caller(asyncio.Protocol):
    """One connection of somebody who looks."""

    def __init__(self, printers: Mapping[str, ServedPrinter]) -> None:
        self._printers = printers
        self._parser = httptools.HttpRequestParser(self)
        self._path = b""
        self._key = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._transport.abort()

    def on_url(self, url: bytes) -> None:
        self._path, self._key = url, ""

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"x-api-key":
            self._key = value.decode("latin-1")

    def on_message_complete(self) -> None:
        status, answer = self._answer()
        body = json.dumps(answer).encode()
        head = _HEAD.format(status=status.value, phrase=status.phrase, length=len(body))
        self._transport.write(head.encode() + body)

    def _answer(self) -> tuple[HTTPStatus, dict[str, Any]]:
        name, _, path = self._path.decode("latin-1").removeprefix("/").partition("/")
        printer = self._printers.get(name)
        if printer is None or self._parser.get_method() != b"GET" or f"/{path}" != _PATH:
            return HTTPStatus.NOT_FOUND, {"error": "Only looks at printers are served here."}
        if "STATUS" not in printer.accounts.account(self._key).permissions:
            error = "You don't have the permission to access the requested resource."
            return HTTPStatus.FORBIDDEN, {"error": error}
        return HTTPStatus.OK, job_reply(printer)
