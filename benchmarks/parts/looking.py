"""A hub that does nothing but look at printers, in a process of its own: what that costs, and how soon all were seen.

It is put together as `makerhub serve` does it: the gateway, the poll loop, and a database that is written.
"""

import gc
import multiprocessing
import os
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import event, insert

from makerhub.app import Makerhub, assemble, poll_intervals, utc_now
from makerhub.config import Settings, load
from makerhub.db import Database
from makerhub.fleet.gateway import PrinterGateway
from makerhub.fleet.loops import looks_at_once
from makerhub.fleet.poll import Observation, PollLoop
from makerhub.keys.box import KeyBox
from makerhub.migrations import migrate
from makerhub.printers.models import Printer, PrinterState
from makerhub.printers.polling import Watch
from makerhub.printers.service import key_place
from makerhub.simulation.network import settle

PATIENCE_SECONDS = 120.0


@dataclass(frozen=True)
class Looked:
    """What looking at so many printers took: seconds to the first sweep's end, then microseconds for one look, and the
    share of looks that were written; kilobytes for one printer above the start.
    """

    printers: int
    first_sweep_s: float
    looks_per_s: float = 0.0
    microseconds: float = 0.0
    written_share: float = 0.0
    kilobytes: float = 0.0


def seed(directory: Path, endpoints: Sequence[tuple[str, str]]) -> None:
    """A database with these printers, their keys sealed as always."""
    settings = settings_of(directory)
    directory.mkdir(parents=True)
    database, key_box = Database(settings.database), KeyBox(settings.key_file)
    migrate(database)
    with database.changing() as session:
        network = settle(session, settings.time_zone, utc_now())
        rows = [_row(number, endpoint, key_box) for number, endpoint in enumerate(endpoints)]
        owned = {"owner_id": network.makers[0].id, "hub_id": network.hub.id}
        session.execute(insert(Printer), [row | owned for row in rows])
    database.dispose()


def settings_of(directory: Path) -> Settings:
    """A hub whose printers stand on this machine; everything else is as shipped."""
    return replace(load(None, {}), data_directory=directory, allow_loopback_printers=True, secure_cookies=False)


def look(directory: Path, seconds: float, factor: float = 1.0) -> Looked:
    """Look at all printers of a seeded database in a new process, and after the first sweep for so many seconds.

    `factor` is how fast the hub's time runs: with 10, a thousand printers are as much work as ten thousand.
    """
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawning) as process:
        return process.submit(_look, directory, seconds, factor).result()


def _look(directory: Path, seconds: float, factor: float) -> Looked:
    hub = assemble(settings_of(directory))
    looking = _Looking(hub, factor)
    gc.collect()
    memory, began = _kilobytes(), time.monotonic()
    hub.fleet.start(looking.poll)
    try:
        looking.wait_for_all()
        swept = Looked(looking.count, time.monotonic() - began)
        return looking.measure(swept, seconds, memory) if seconds else swept
    finally:
        hub.fleet.stop()
        hub.database.dispose()


class _Looking:
    """The poll loop of a hub, with a sink that counts."""

    def __init__(self, hub: Makerhub, factor: float) -> None:
        self._since = utc_now()
        self._factor = factor
        self._intervals = poll_intervals(hub.settings).faster(factor)
        self._watch = Watch(hub.database, hub.key_box, lambda: None)
        self.count = len(self._watch.roster())
        self._seen: set[UUID] = set()
        self._all_seen = threading.Event()
        self.looks = self.written = 0
        event.listen(hub.database.engine, "after_cursor_execute", self._count_written)

    async def poll(self, gateway: PrinterGateway) -> None:
        """As `makerhub.app` runs it, but for the time that goes faster."""
        loop = PollLoop(
            gateway,
            self._watch.roster,
            self._sink,
            intervals=self._intervals,
            concurrency=looks_at_once(),
            now=lambda: self._since + self._factor * (utc_now() - self._since),
        )
        await loop.run()

    def wait_for_all(self) -> None:
        """Until every printer's first observation is in the database."""
        if not self._all_seen.wait(PATIENCE_SECONDS):
            raise TimeoutError(f"only {len(self._seen)} of {self.count} printers were seen")

    def measure(self, swept: Looked, seconds: float, memory: float) -> Looked:
        """Processor time of the whole process over so many seconds of looking on, after a pause for what lingers."""
        time.sleep(seconds / 3)
        looks, written, cpu, began = self.looks, self.written, time.process_time(), time.monotonic()
        time.sleep(seconds)
        looks, written = self.looks - looks, self.written - written
        cpu, took = time.process_time() - cpu, time.monotonic() - began
        return replace(
            swept,
            looks_per_s=looks / took,
            microseconds=cpu / looks * 1e6,
            written_share=written / looks,
            kilobytes=(_kilobytes() - memory) / self.count,
        )

    def _sink(self, seen: list[Observation]) -> None:
        self._watch.sink(seen)
        self.looks += len(seen)
        if not self._all_seen.is_set():
            self._seen.update(one.printer_id for one in seen)
            if len(self._seen) == self.count:
                self._all_seen.set()

    def _count_written(self, _connection: object, _cursor: object, statement: str, rows: Any, *_: object) -> None:
        if statement.startswith("INSERT INTO observation"):
            self.written += len(rows) if isinstance(rows, list) else 1


def _row(number: int, endpoint: tuple[str, str], key_box: KeyBox) -> dict[str, object]:
    printer_id = uuid4()
    url, key = endpoint
    return {
        "id": printer_id,
        "name": f"Printer {number}",
        "profile": "prusa-mk3s",
        "material": "PETG",
        "url": url,
        "encrypted_key": key_box.seal(key, key_place(printer_id)),
        "state": PrinterState.ACTIVE,
        "registered_at": utc_now(),
    }


def _kilobytes() -> float:
    """Memory that this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024
