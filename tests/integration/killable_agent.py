"""An agent in a process of its own, fit to be killed at any moment and started again on the same folder."""

import asyncio
import logging
import os
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

from hubs import FastTime

from makerhub.agent.home import Home
from makerhub.agent.program import Tuning, run
from makerhub.agent.reporting import Pace
from makerhub.fleet.poll import PollIntervals

TIME_SPEED = 8.0
"""As fast as the hub's, so that leases and windows fit each other."""

ENVIRONMENT = {"PYTHONPATH": str(Path(__file__).parent.parent)}
LOOKS = PollIntervals(
    idle_s=0.4, printing_s=0.4, near_end_s=0.2, unreachable_s=0.4, unreachable_most_s=1, roster_s=0.5, tick_s=0.2
)
PACE = Pace(idle_s=8.0, printing_s=4.0, least_s=1.0)  # by the fast clock


class KillableAgent:
    """The parent's side: one process after the other, each on the folder of the one before."""

    def __init__(self, folder: Path, clock: FastTime) -> None:
        self.folder = folder
        self.starts = 0
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None

    def command(self, *words: str) -> str:
        """A command of the real program, on this folder; gives what it says."""
        program = [sys.executable, "-m", "makerhub.agent", "--home", str(self.folder), *words]
        done = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self) -> None:
        """Begin to look after the printer."""
        with (self.folder.parent / f"{self.folder.name}.log").open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "integration.killable_agent", str(self.folder), self._clock.since.isoformat()],
                env={**os.environ, **ENVIRONMENT},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
            )
        self.starts += 1

    def kill(self) -> None:
        """End it as a power cut does."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.communicate()
            self._process = None

    def log(self) -> str:
        """What all processes wrote to their log."""
        return (self.folder.parent / f"{self.folder.name}.log").read_text()


async def main(folder: Path, since: datetime) -> None:
    """Run the agent until it is killed, or its parent is."""
    clock = FastTime(TIME_SPEED, since)
    tuning = Tuning(
        pace=PACE,
        looks=LOOKS,
        tick_s=0.2,
        doubt_s=8.0,
        wall=clock,
        monotonic=lambda: TIME_SPEED * time.monotonic(),
    )
    running = asyncio.create_task(run(Home(folder), tuning=tuning))
    await asyncio.to_thread(sys.stdin.buffer.read)  # ends with the parent
    running.cancel()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    asyncio.run(main(Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2])))
