"""From a print's end to the maker's page: a whole hub as shipped, on simulated printers in a process of their own.

Each maker's page is open in a browser, or so the hub must think: it is fetched as the page fetches itself, every three
seconds, and the clock stops when the answer says that the print is finished and asks how many pieces are good.
"""

import multiprocessing
import random
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from http import HTTPStatus
from multiprocessing.connection import Connection
from pathlib import Path

from hubs import Place, running_hub, wait_until
from visitor import Visitor

from makerhub.config import Settings, load
from makerhub.designs.slicer import Slicer
from makerhub.printers.models import Printer, PrinterState
from makerhub.production.models import Attempt, AttemptState
from makerhub.simulation.network import PASSWORD
from makerhub.simulation.octoprint import SimulatedPrinters
from makerhub.simulation.shortened import ShortenedSlicer
from makerhub.web.server import serving

PRINT_SECONDS = 60
PAGE_SECONDS = 3.0
"""Between two fetches of a page by itself."""
AHEAD_SECONDS = 6.0
"""The page is opened so long before the print ends."""


def seconds_to_page(directory: Path, prints: int) -> list[float]:
    """One print on each of so many printers: from the end of each, as the printer has it, to its maker's page."""
    with farm(prints) as printers, running_hub(settings_of(directory), slicer=_shortened) as place:
        for number, (url, key) in enumerate(printers.endpoints):
            place.add_printer(url, key, maker=number % len(place.network.makers))
        wait_until(lambda: len(place.all(Printer, Printer.state == PrinterState.ACTIVE)) == prints, "the keys", 60)
        place.ask(prints)
        with serving(place.hub.web, "127.0.0.1") as address, ThreadPoolExecutor(prints) as watching:
            pages = _Pages(place, address.removeprefix("http://"))
            watched: set[str] = set()
            shown: list[Future[tuple[str, float]]] = []
            deadline = time.monotonic() + 10 * PRINT_SECONDS
            while len(shown) < prints and time.monotonic() < deadline:
                for attempt in place.all(Attempt, Attempt.state == AttemptState.PRINTING):
                    if attempt.file_name not in watched:
                        watched.add(attempt.file_name)
                        shown.append(watching.submit(pages.watch, attempt))
                time.sleep(1)
            shown_at = dict(done.result() for done in shown)
        ended_at = printers.ended_at()
    return [shown_at[name] - ended_at[f"makerhub/{name}"] for name in shown_at]


def settings_of(directory: Path) -> Settings:
    """As shipped, but for printers on this machine, and one piece on each plate."""
    return replace(
        load(None, {}),
        data_directory=directory,
        allow_loopback_printers=True,
        secure_cookies=False,
        longest_plate_hours=0,
        probe_seconds=0,  # nobody types addresses here
    )


class _Pages:
    """The pages of the makers' printers, as their browsers fetch them."""

    def __init__(self, place: Place, server: str) -> None:
        self._place = place
        self._visitors = {maker.id: Visitor(lambda: server) for maker in place.network.makers}
        for maker in place.network.makers:
            self._visitors[maker.id].sign_in(maker.email, PASSWORD)
        self._phases = random.Random(7)  # noqa: S311 (to repeat a run, no secret)

    def watch(self, attempt: Attempt) -> tuple[str, float]:
        """The attempt's file, and when the page showed that it is finished, in seconds since 1970."""
        printer = self._place.get(Printer, attempt.printer_id)
        visitor = self._visitors[printer.owner_id]
        time.sleep(max(0.0, PRINT_SECONDS - AHEAD_SECONDS + self._phases.uniform(0, PAGE_SECONDS)))
        for _ in range(100):
            asked_at = time.monotonic()
            page = visitor.get(f"/printers/{printer.id}/now")
            if page.status == HTTPStatus.NO_CONTENT:  # something is asked: the browser fetches the whole page anew
                page = visitor.get(f"/printers/{printer.id}")
            if page.form(f"{attempt.id}/count"):
                return attempt.file_name, time.time()
            time.sleep(max(0.0, PAGE_SECONDS - (time.monotonic() - asked_at)))
        raise TimeoutError(f"the page never said that {attempt.file_name} is finished")


class Farm:
    """Simulated printers elsewhere: their addresses and keys, and when their prints ended."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.endpoints: list[tuple[str, str]] = connection.recv()

    def ended_at(self) -> dict[str, float]:
        """When each file's print ended, in seconds since 1970."""
        self._connection.send("ended")
        ended: dict[str, float] = self._connection.recv()
        return ended


@contextmanager
def farm(count: int) -> Iterator[Farm]:
    """So many simulated printers in a process of their own, in real time."""
    spawning = multiprocessing.get_context("spawn")
    ours, theirs = spawning.Pipe()
    process = spawning.Process(target=_serve, args=(count, theirs), daemon=True)
    process.start()
    try:
        yield Farm(ours)
    finally:
        ours.send("end")
        process.join()


def _serve(count: int, connection: Connection) -> None:
    with SimulatedPrinters(count) as printers:
        connection.send([(printer.url, printer.key) for printer in printers.printers])
        while connection.recv() == "ended":
            prints = [one for printer in printers.printers for one in printer.prints]
            connection.send({one.path: one.ended_at for one in prints})


def _shortened(slicer: Slicer) -> Slicer:
    return ShortenedSlicer(slicer, PRINT_SECONDS)
