"""An agent in a process of its own, fit to be killed at any moment and started again on the same folder."""

import asyncio
import logging
import subprocess
import sys
import time
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path

from hubs import FastTime
from integration.killable import KillableProcess

from makerhub.agent.home import Home
from makerhub.agent.program import Tuning, run
from makerhub.agent.reporting import Pace
from makerhub.fleet.poll import PollIntervals

TIME_SPEED = 8.0
"""As fast as the hub's, so that leases and windows fit each other."""

LOOKS = PollIntervals(
    idle_s=0.4, printing_s=0.4, near_end_s=0.2, unreachable_s=0.4, unreachable_most_s=1, roster_s=0.5, tick_s=0.2
)
PACE = Pace(idle_s=8.0, printing_s=4.0, least_s=1.0)  # by the fast clock


class KillableAgent:
    """The parent's side: one process after the other, each on the folder of the one before."""

    def __init__(self, folder: Path, clock: FastTime) -> None:
        self.folder = folder
        self._process = KillableProcess(folder.parent / f"{folder.name}.log", main, folder, clock.since)

    @property
    def starts(self) -> int:
        """How often it was started."""
        return self._process.starts

    def command(self, *words: str) -> str:
        """A command of the real program, on this folder; gives what it says."""
        program = [sys.executable, "-m", "makerhub.agent", "--home", str(self.folder), *words]
        done = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self) -> None:
        """Begin to look after the printer."""
        self._process.start()

    def kill(self) -> None:
        """End it as a power cut does."""
        self._process.kill()

    def log(self) -> str:
        """What all processes wrote to their log."""
        return self._process.log()


def main(_line: Connection, folder: Path, since: datetime) -> None:
    """Run the agent until it is killed, or its parent is."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    tuning = Tuning(
        pace=PACE,
        looks=LOOKS,
        tick_s=0.2,
        doubt_s=8.0,
        wall=FastTime(TIME_SPEED, since),
        monotonic=lambda: TIME_SPEED * time.monotonic(),
    )
    asyncio.run(run(Home(folder), tuning=tuning))
