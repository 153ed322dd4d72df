"""The fleet of one process: an event loop in a thread of its own, on which all printers are asked.

It is a service and no background task: the poll loop lives here as long as the process, and tasks run their
questions on it.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

from makerhub.fleet.gateway import PrinterGateway

Result = TypeVar("Result")


class Fleet:
    """Runs questions to printers on one event loop; `opening` gives the gateway, opened on that loop."""

    def __init__(self, opening: Callable[[], AbstractAsyncContextManager[PrinterGateway]]) -> None:
        self._opening = opening
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fleet", daemon=True)
        self._context: AbstractAsyncContextManager[PrinterGateway] | None = None
        self._gateway: PrinterGateway | None = None
        self._service: asyncio.Future[None] | None = None

    def start(self, service: Callable[[PrinterGateway], Coroutine[Any, Any, None]] | None = None) -> None:
        """Open the gateway, and run `service` (the poll loop) beside everything else."""
        self._thread.start()
        self._submit(self._open())
        if service is not None and self._gateway is not None:
            self._service = asyncio.run_coroutine_threadsafe(service(self._gateway), self._loop)  # type: ignore[assignment]

    def run(self, question: Callable[[PrinterGateway], Awaitable[Result]]) -> Result:
        """Ask printers and wait for the result; never to be called from a page."""
        if self._gateway is None:
            raise RuntimeError("the fleet has not been started")
        gateway = self._gateway

        async def ask() -> Result:
            return await question(gateway)

        return self._submit(ask())

    def stop(self) -> None:
        """End the service, close the gateway and the loop."""
        if self._service is not None:
            self._service.cancel()
        self._submit(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _open(self) -> None:
        self._context = self._opening()
        self._gateway = await self._context.__aenter__()

    async def _close(self) -> None:
        if self._context is not None:
            await self._context.__aexit__(None, None, None)

    def _submit(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()
