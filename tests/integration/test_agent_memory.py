"""How much memory an agent takes for a large print: fetched, held against the guard, and sent to a real OctoPrint."""

import hashlib
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hubs import Place, quick_settings, running_hub, wait_until
from integration.installed_agent import environment, install

from makerhub.designs.slicer import PlateOrder, SlicedPlate, Slicer, input_hash
from makerhub.printers import agents
from makerhub.printers.models import Link, Printer, PrinterState
from makerhub.production.models import Attempt, AttemptState
from makerhub.simulation.real_octoprint import RealOctoPrint
from makerhub.web.agent_wheel import agent_wheel
from makerhub.web.server import serving

MOST_OF_MEMORY_KB = 60_000
LARGE = 25_000_000
MOVES = b"".join(b"G1 X%d.%03d Y%d.500 F3000\n" % (row % 200 + 10, row % 1000, row % 190 + 5) for row in range(1000))

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="there is no /proc here")


class LargePlates:
    """Slices as the real one does, and gives the file that many bytes of moves which lay nothing down."""

    def __init__(self, real: Slicer) -> None:
        self._real = real

    def version(self) -> str:
        return f"{self._real.version()} made large"

    def slice(self, order: PlateOrder) -> SlicedPlate:
        plate = self._real.slice(order)
        moves = MOVES * (LARGE // len(MOVES) + 1)
        gcode = b"G4 P1000\n" * 30 + b"G21\nG90\nG28\nG1 Z20 F600\n" + moves + b"M104 S0\nM140 S0\n"
        return replace(
            plate,
            gcode=gcode,
            sha256=hashlib.sha256(gcode).hexdigest(),
            sha1=hashlib.sha1(gcode, usedforsecurity=False).hexdigest(),
            input_hash=input_hash(order, self.version()),
            slicer_version=self.version(),
        )


@contextmanager
def agent(python: Path, home: Path, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [str(python), "-I", "-m", "makerhub.agent", "--home", str(home), *words]
    with (home.parent / "agent.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(10)


def peak_kb(process: subprocess.Popen[bytes]) -> int:
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])


def code_for(place: Place) -> tuple[Printer, str]:
    """A printer that waits for its agent, and the code on its page."""
    printer = place.add_printer("http://127.0.0.1:9", "0" * 32)
    with place.hub.database.changing() as session:
        row = session.get_one(Printer, printer.id)
        return row, agents.new_code(session, row, now=place.hub.clock())


def test_a_large_print_takes_no_more_memory_than_a_small_one(tmp_path: Path, real_octoprint: RealOctoPrint) -> None:
    python = environment(tmp_path / "installed")
    wheel = tmp_path / agent_wheel().filename
    wheel.write_bytes(agent_wheel().content)
    install(python, wheel)
    settings = quick_settings(tmp_path)
    with running_hub(settings, slicer=LargePlates) as place, serving(place.hub.web, "127.0.0.1") as address:
        printer, code = code_for(place)
        words = ["pair", address, code, "--url", real_octoprint.url, "--key", real_octoprint.key, "--automatic"]
        with agent(python, tmp_path / "home", *words) as process:
            wait_until(lambda: place.get(Printer, printer.id).state is PrinterState.ACTIVE, "the printer to be seen")
            assert place.get(Printer, printer.id).link is Link.AGENT
            idle = peak_kb(process)
            place.ask(1)
            wait_until(
                lambda: place.all(Attempt, Attempt.state == AttemptState.PRINTING),
                "the large print to begin",
                seconds=150,
            )
            peak = peak_kb(process)
            real_octoprint.call("POST", "/api/job", {"command": "cancel"})
    print(f"peak memory {idle / 1000:.1f} MB idle, {peak / 1000:.1f} MB with {LARGE / 1e6:.0f} MB of G-code")
    assert peak < MOST_OF_MEMORY_KB
    assert peak - idle < LARGE / 2 / 1000, "it is not held as a whole"
