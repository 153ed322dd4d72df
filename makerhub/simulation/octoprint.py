"""Simulated OctoPrints behind one port, for the demo, load tests and tests.

    with SimulatedPrinters(count=3, speed=600) as farm:
        print(farm.printers[0].url, farm.printers[0].key)

They take real G-code, work out its print time and run it on a clock of their own; `tests/integration/contract`
holds them to the behaviour of a real server.
"""

import asyncio
import threading
from typing import Any, Self

from aiohttp import web

from makerhub.simulation.clock import Clock, FastClock
from makerhub.simulation.routes import application
from makerhub.simulation.served import ServedPrinter


class SimulatedPrinters:
    """`count` printers named printer-1, printer-2, … on one clock, `speed` times as fast as the wall's.

    Serves on `host`:`port` (0 takes a free one) inside `with`, from a thread of its own, or inside `async with`,
    on the running loop. `settings` go to each printer: reliability, timings, capacity. Printers may be used
    from any thread.
    """

    def __init__(
        self,
        count: int = 1,
        *,
        speed: float = 1.0,
        seed: int = 0,
        clock: Clock | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        **settings: Any,
    ) -> None:
        self.clock = clock or FastClock(speed)
        self.host = host
        self.port = port
        self.printers: list[ServedPrinter] = []
        self._by_name: dict[str, ServedPrinter] = {}
        self._seed = seed
        self._settings = settings
        self._runner: web.AppRunner | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        for _ in range(count):
            self.add()

    def add(self) -> ServedPrinter:
        """One more printer, also while serving."""
        name = f"printer-{len(self.printers) + 1}"
        printer = ServedPrinter(name, self.clock, seed=self._seed, **self._settings)
        self.printers.append(printer)
        self._by_name[name] = printer
        if self._runner is not None:
            printer.url = self._url(printer)
        return printer

    async def __aenter__(self) -> Self:
        self._runner = web.AppRunner(application(self._by_name), access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.host, self.port, backlog=1024)
        await site.start()
        self.port = self._runner.addresses[0][1]
        for printer in self.printers:
            printer.url = self._url(printer)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="simulated-printers", daemon=True)
        self._thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self.__aenter__(), self._loop).result()
        except BaseException:
            self._end_thread()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._loop is not None:
            asyncio.run_coroutine_threadsafe(self.__aexit__(), self._loop).result()
            self._end_thread()

    def _end_thread(self) -> None:
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
            self._loop = self._thread = None

    def _url(self, printer: ServedPrinter) -> str:
        return f"http://{self.host}:{self.port}/{printer.name}"
