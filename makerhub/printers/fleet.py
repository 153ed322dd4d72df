"""The fleet of one process: an event loop in a thread of its own, on which all printers are asked.

It is a service and no background task: the poll loop lives here as long as the process, and tasks run their
questions on it.
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Awaitable, Callable, Coroutine, Hashable
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

from makerhub.fleet.gateway import PrinterGateway
from makerhub.fleet.loops import collect_garbage_seldom, new_event_loop

Result = TypeVar("Result")
Service = Callable[[PrinterGateway], Coroutine[Any, Any, None]]

log = logging.getLogger(__name__)


class Fleet:
    """Runs questions to printers on one event loop; `opening` gives the gateway, opened on that loop."""

    def __init__(self, opening: Callable[[], AbstractAsyncContextManager[PrinterGateway]]) -> None:
        self._opening = opening
        self._loop = new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fleet", daemon=True)
        self._resources = contextlib.AsyncExitStack()
        self._gateway: PrinterGateway | None = None
        self._kept: dict[Hashable, asyncio.Task[None]] = {}

    def start(self, service: Service | None = None) -> None:
        """Open the gateway, and run `service` (the poll loop) beside everything else."""
        collect_garbage_seldom()
        self._thread.start()
        self._submit(self._open(service))

    def run(self, question: Callable[[PrinterGateway], Awaitable[Result]]) -> Result:
        """Ask printers and wait for the result; never to be called from a page."""
        if self._gateway is None:
            raise RuntimeError("the fleet has not been started")
        gateway = self._gateway

        async def ask() -> Result:
            return await question(gateway)

        return self._submit(ask())

    def keep(self, name: Hashable, service: Service) -> None:
        """Run something long beside everything else; does nothing while the last one of that `name` runs."""
        if self._gateway is None:
            raise RuntimeError("the fleet has not been started")
        self._loop.call_soon_threadsafe(self._keep, name, service, self._gateway)

    def stop(self) -> None:
        """Have the service end, then close the gateway and the loop."""
        if self._thread.is_alive():
            self._submit(self._close())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._loop.close()

    def _keep(self, name: Hashable, service: Service, gateway: PrinterGateway) -> None:
        if name not in self._kept:
            running = self._loop.create_task(_logged(service(gateway)))
            running.add_done_callback(lambda _: self._kept.pop(name, None))
            self._kept[name] = running

    async def _close(self) -> None:
        for running in list(self._kept.values()):
            await _ended(running)
        await self._resources.aclose()

    async def _open(self, service: Service | None) -> None:
        self._gateway = await self._resources.enter_async_context(self._opening())
        if service is not None:
            running = asyncio.create_task(_logged(service(self._gateway)))
            self._resources.push_async_callback(_ended, running)

    def _submit(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()


async def _logged(service: Coroutine[Any, Any, None]) -> None:
    try:
        await service
    except Exception:
        log.exception("A service of the fleet has failed")


async def _ended(service: asyncio.Task[None]) -> None:
    service.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await service
