"""Simulated printers in a process of their own, so that the processor time of whoever asks them is that one's alone.

    with printers_elsewhere(1000) as elsewhere:
        elsewhere.endpoints, elsewhere.speed(10)

As a program: `python -m benchmarks.parts.swarm COUNT` writes the addresses and keys as one line of JSON, then takes a
speed on each line until its input ends.
"""

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, cast

from makerhub.fleet.loops import new_event_loop, open_files
from makerhub.simulation.clock import FastClock
from makerhub.simulation.served import ServedPrinter
from makerhub.simulation.swarm import Swarm

PRINTERS_A_PORT = 500
SHORTEST_MINUTES = 120
FILLING = b"; nothing\n" * 2_000


@dataclass(frozen=True)
class Elsewhere:
    """Where the printers are: a base address and a key each."""

    endpoints: list[tuple[str, str]]
    commands: IO[str]

    def speed(self, factor: float) -> None:
        """Let the printers' time run `factor` times as fast."""
        print(factor, file=self.commands, flush=True)


@contextlib.contextmanager
def printers_elsewhere(count: int) -> Iterator[Elsewhere]:
    """So many printers, each in a print of two to four hours."""
    command = [sys.executable, "-m", "benchmarks.parts.swarm", str(count)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603 (our own)
    with process, cast("IO[str]", process.stdin) as commands:
        endpoints = json.loads(cast("IO[str]", process.stdout).readline())
        yield Elsewhere([(url, key) for url, key in endpoints], commands)


async def main(count: int) -> None:
    """Serve until the input ends."""
    open_files()
    clock = FastClock()
    printers = [ServedPrinter(f"printer-{number}", clock) for number in range(count)]
    for number, printer in enumerate(printers):
        account = printer.accounts.account(printer.key)
        printer.upload("a.gcode", _gcode(number), account, select=True, start=True, keep=True)
    async with Swarm(printers, ports=count // PRINTERS_A_PORT + 1):
        print(json.dumps([(printer.url, printer.key) for printer in printers]), flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            clock.speed = float(line)


def _gcode(number: int) -> bytes:
    """Prints of different length, so that they don't all stand at the same per cent."""
    minutes = SHORTEST_MINUTES + number % SHORTEST_MINUTES
    return b"; estimated printing time (normal mode) = %dm 0s\n" % minutes + FILLING


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(main(int(sys.argv[1])))
