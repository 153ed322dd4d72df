"""A hub in a process of its own, fit to be killed at any moment and started again on the same data."""

import tempfile
import threading
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path

from hubs import FastTime, quick_settings
from integration.killable import KillableProcess

from makerhub.app import assemble, prusa_slicer
from makerhub.config import Settings
from makerhub.simulation.shortened import ShortenedSlicer
from makerhub.web.server import serving

DWELL_SECONDS = 3
TIME_SPEED = 8.0
"""Doubts are asked about after minutes; nobody wants to wait for that."""


class KillableHub:
    """The parent's side: one process after the other, each on the data of the one before, at the same address."""

    def __init__(self, data: Path, clock: FastTime, port: int) -> None:
        temporary = data / "tmp"  # what a killed hub leaves there goes with the test
        temporary.mkdir(exist_ok=True)
        environment = {"TMPDIR": str(temporary)}
        self._process = KillableProcess(data / "hub.log", main, data, clock.since, port, environment=environment)
        self._server = ""

    @property
    def starts(self) -> int:
        """How often it was started."""
        return self._process.starts

    def start(self) -> None:
        """Begin to start; the pages are served a little later."""
        self._process.start()

    def kill(self) -> None:
        """End it as a power cut does."""
        self._process.kill()
        self._server = ""

    def server(self) -> str:
        """Host and port of the present one's pages; raises `ConnectionError` while it starts."""
        self._server = self._server or self._process.told() or ""
        if not self._server:
            raise ConnectionError("the hub does not serve its pages yet")
        return self._server

    def log(self) -> str:
        """What all processes wrote to their log."""
        return self._process.log()


def hub_settings(data: Path) -> Settings:
    """The same in both processes."""
    return quick_settings(data)


def main(line: Connection, data: Path, since: datetime, port: int) -> None:
    """Run the hub until it is killed, or its parent is."""
    tempfile.tempdir = None  # the environment has another one now
    settings = hub_settings(data)
    slicer = ShortenedSlicer(prusa_slicer(settings), DWELL_SECONDS)
    hub = assemble(settings, FastTime(TIME_SPEED, since), slicer)
    hub.start()
    with serving(hub.web, "127.0.0.1", port) as address:
        line.send(address.removeprefix("http://"))
        threading.Event().wait()
