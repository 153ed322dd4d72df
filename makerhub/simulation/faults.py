"""What can go wrong between a client and a printer, each as something that stands before the printer's answer.

A fault is told to a printer with `printer.faults.add(Slow(3), method="POST", times=1)`. Times are real seconds.
"""

import asyncio
import gzip
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web

Proceed = Callable[[], Awaitable[web.StreamResponse]]


class Fault(Protocol):
    """Answers a request in the printer's place; `proceed` gets the printer's own answer, with its effects."""

    async def answer(self, request: web.Request, proceed: Proceed, /) -> web.StreamResponse:
        """The answer, or an aborted connection."""
        ...


@dataclass(frozen=True)
class Slow:
    """Answers rightly, after a while."""

    seconds: float

    async def answer(self, _request: web.Request, proceed: Proceed, /) -> web.StreamResponse:
        """See Fault."""
        await asyncio.sleep(self.seconds)
        return await proceed()


class Unreachable:
    """The connection breaks before the request is read: nothing has happened at the printer."""

    async def answer(self, request: web.Request, _proceed: Proceed, /) -> web.StreamResponse:
        """See Fault."""
        return _abort(request)


class LostReply:
    """The printer does what it was asked, and the connection breaks before it answers."""

    async def answer(self, request: web.Request, proceed: Proceed, /) -> web.StreamResponse:
        """See Fault."""
        await proceed()
        return _abort(request)


class Silent:
    """The printer does what it was asked and never answers."""

    async def answer(self, _request: web.Request, proceed: Proceed, /) -> web.StreamResponse:
        """See Fault."""
        answer = await proceed()
        await asyncio.Event().wait()
        return answer


@dataclass(frozen=True)
class Answers:
    """A bare status instead of the printer's answer, such as 403, 500 or 503; nothing happens at the printer."""

    status: int

    async def answer(self, _request: web.Request, _proceed: Proceed, /) -> web.StreamResponse:
        """See Fault."""
        return web.json_response({"error": f"an injected {self.status}"}, status=self.status)


@dataclass(frozen=True)
class Redirect:
    """Sends the client to another server, with whatever key it carries."""

    to: str

    async def answer(self, request: web.Request, _proceed: Proceed, /) -> web.StreamResponse:
        """See Fault."""
        return web.Response(status=302, headers={"Location": self.to.rstrip("/") + request.rel_url.path_qs})


@dataclass(frozen=True)
class HugeBody:
    """A body of `size` bytes; `zipped` sends it as a gzip bomb, a thousandth as long."""

    size: int
    zipped: bool = False

    async def answer(self, _request: web.Request, _proceed: Proceed, /) -> web.StreamResponse:
        """See Fault."""
        body = b" " * self.size
        if not self.zipped:
            return web.Response(body=body, content_type="application/json")
        return web.Response(
            body=gzip.compress(body), content_type="application/json", headers={"Content-Encoding": "gzip"}
        )


@dataclass(frozen=True)
class Drip:
    """A reply that comes one byte each `interval` and never ends; with `in_head` even its headers do not end."""

    interval: float
    in_head: bool = False

    async def answer(self, request: web.Request, _proceed: Proceed, /) -> web.StreamResponse:
        """See Fault."""
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        _write(request, head + (b"X-Drip: " if self.in_head else b"Content-Length: 1000000\r\n\r\n"))
        while request.transport is not None and not request.transport.is_closing():
            await asyncio.sleep(self.interval)
            _write(request, b" ")
        return web.Response()


@dataclass
class Injected:
    """A fault in place: for which method (None is any), under which path, and how many more times (None for ever)."""

    fault: Fault
    method: str | None
    path: str
    times: int | None

    def matches(self, request: web.Request, path: str) -> bool:
        """Whether the fault is for this request."""
        return self.times != 0 and self.method in (None, request.method) and path.startswith(self.path)


class Faults:
    """The faults of one printer; may be changed from any thread while it answers."""

    def __init__(self) -> None:
        self._injected: list[Injected] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault, *, method: str | None = None, path: str = "/", times: int | None = None) -> None:
        """Put a fault in place; `path` is a prefix such as `/api/files`."""
        with self._lock:
            self._injected.append(Injected(fault, method, path, times))

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._injected.clear()

    def take(self, request: web.Request, path: str) -> Fault | None:
        """The first fault for this request, counted as used."""
        with self._lock:
            injected = next((injected for injected in self._injected if injected.matches(request, path)), None)
            if injected is None:
                return None
            if injected.times is not None:
                injected.times -= 1
            return injected.fault


def _abort(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _write(request: web.Request, content: bytes) -> None:
    if request.transport is not None and not request.transport.is_closing():
        request.transport.write(content)
