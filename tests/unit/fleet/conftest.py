"""Servers on loopback that answer as they please, and both event loops to ask them from."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, suppress

import pytest
import uvloop
from aiohttp import web
from aiohttp.test_utils import TestServer

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
Start = Callable[[Answer], Awaitable[str]]
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
StartRaw = Callable[[Talk], Awaitable[str]]


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """What goes over the network is tried on Python's own loop and on the one that a hub uses where there is one."""
    loops: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.new_event_loop}
    if {"serve", "serve_raw", "looks"} & set(getattr(item, "fixturenames", ())):
        loops["uvloop"] = uvloop.new_event_loop
    return loops


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as things:
        yield things


@pytest.fixture
def serve(stack: AsyncExitStack) -> Start:
    """Start an HTTP server that answers everything with the given function; returns its address."""

    async def start(answer: Answer) -> str:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", answer)
        server = TestServer(application)
        await server.start_server()
        stack.push_async_callback(server.close)
        return f"http://127.0.0.1:{server.port}"

    return start


@pytest.fixture
def serve_raw(stack: AsyncExitStack) -> StartRaw:
    """Start a server that writes what it likes; returns its address."""

    talks: set[asyncio.Task[None]] = set()

    async def end_talks() -> None:
        for talk in talks:
            talk.cancel()
        await asyncio.gather(*talks, return_exceptions=True)

    async def start(talk: Talk) -> str:
        async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await talk(reader, writer)
            finally:
                writer.close()
                with suppress(ConnectionError):
                    await writer.wait_closed()

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            talks.add(asyncio.create_task(converse(reader, writer)))

        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        stack.push_async_callback(end_talks)
        stack.callback(server.close)
        return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    return start
