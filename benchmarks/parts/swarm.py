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
HOURS = 2
GCODE = b"; estimated printing time (normal mode) = %dh 0m 0s\n" % HOURS + b"; filling\n" * 20_000


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
    """So many printers, each in a print of two hours, begun at different times."""
    command = [sys.executable, "-m", "benchmarks.parts.swarm", str(count)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603 (our own)
    with process, cast("IO[str]", process.stdin) as commands:
        endpoints = json.loads(cast("IO[str]", process.stdout).readline())
        yield Elsewhere([(url, key) for url, key in endpoints], commands)


class Staggered(FastClock):
    """A clock that is moved on while prints are begun, so that they don't all stand at the same per cent."""

    ahead = 0.0

    def now(self) -> float:
        """See Clock."""
        return super().now() + self.ahead


async def main(count: int) -> None:
    """Serve until the input ends."""
    open_files()
    clock = Staggered()
    printers = [ServedPrinter(f"printer-{number}", clock) for number in range(count)]
    for printer in printers:
        account = printer.accounts.account(printer.key)
        printer.upload("a.gcode", GCODE, account, select=True, start=True, keep=True)
        clock.ahead += HOURS * 3600 / 2 / count
    async with Swarm(printers, ports=count // PRINTERS_A_PORT + 1):
        print(json.dumps([(printer.url, printer.key) for printer in printers]), flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            clock.speed = float(line)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(main(int(sys.argv[1])))
