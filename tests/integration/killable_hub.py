"""A hub in a process of its own, fit to be killed at any moment and started again on the same data."""

import os
import signal
import subprocess
import sys
import threading
from datetime import datetime
from pathlib import Path

from hubs import FastTime, quick_settings

from makerhub.app import assemble, prusa_slicer
from makerhub.config import Settings
from makerhub.simulation.shortened import ShortenedSlicer
from makerhub.web.server import serving

DWELL_SECONDS = 3
TIME_SPEED = 8.0
"""Doubts are asked about after minutes; nobody wants to wait for that."""


class KillableHub:
    """The parent's side: one process after the other, each on the data of the one before.

    `server` is where the pages of the present one are; raises `ConnectionError` while it starts. Agents find it again
    at `port`; without one, each process takes a free one.
    """

    def __init__(self, data: Path, clock: FastTime, port: int = 0) -> None:
        self.data = data
        self._port = port
        self.starts = 0
        self._clock = clock
        self._process: subprocess.Popen[str] | None = None
        self._server = ""

    def start(self) -> None:
        """Begin to start; the pages are served a few seconds later."""
        tests = Path(__file__).parent.parent
        temporary = self.data / "tmp"  # what a killed hub leaves there goes with the test
        temporary.mkdir(exist_ok=True)
        with (self.data / "hub.log").open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "integration.killable_hub", *self._arguments()],
                env={**os.environ, "PYTHONPATH": str(tests), "TMPDIR": str(temporary)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.starts += 1
        threading.Thread(target=self._read_server, args=[self._process], daemon=True).start()

    def _arguments(self) -> tuple[str, ...]:
        return str(self.data), self._clock.since.isoformat(), str(self._port)

    def kill(self) -> None:
        """End it as a power cut does."""
        self._server = ""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.communicate()
            self._process = None

    def server(self) -> str:
        """Host and port of the pages."""
        if not self._server:
            raise ConnectionError("the hub does not serve its pages yet")
        return self._server

    def log(self) -> str:
        """What all processes wrote to their log."""
        return (self.data / "hub.log").read_text()

    def _read_server(self, process: subprocess.Popen[str]) -> None:
        line = process.stdout.readline() if process.stdout else ""
        if process is self._process:
            self._server = line.strip()


def hub_settings(data: Path) -> Settings:
    """The same in both processes."""
    return quick_settings(data)


def main(data: Path, since: datetime, port: int) -> None:
    """Run the hub until it is killed, or its parent is."""
    settings = hub_settings(data)
    slicer = ShortenedSlicer(prusa_slicer(settings), DWELL_SECONDS)
    hub = assemble(settings, FastTime(TIME_SPEED, since), slicer)
    hub.start()
    with serving(hub.web, "127.0.0.1", port) as address:
        sys.stdout.write(address.removeprefix("http://") + "\n")
        sys.stdout.flush()
        sys.stdin.read()  # ends with the parent
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2]), int(sys.argv[3]))
