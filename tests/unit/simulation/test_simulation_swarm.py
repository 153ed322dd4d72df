"""Simulated printers behind bare sockets answer as those behind the whole interface do."""

import asyncio
import contextlib
import json
import tracemalloc
from urllib.parse import urlsplit

import aiohttp
import pytest

from makerhub.simulation.clock import ManualClock
from makerhub.simulation.octoprint import SimulatedPrinters
from makerhub.simulation.served import ServedPrinter
from makerhub.simulation.swarm import Swarm

GCODE = b"; estimated printing time (normal mode) = 1h 0m 0s\nM104 S0\nM140 S0\n"


async def look(session: aiohttp.ClientSession, url: str, key: str, path: str = "/api/job") -> tuple[int, object]:
    async with session.get(url + path, headers={"X-Api-Key": key}) as reply:
        return reply.status, json.loads(await reply.text())


async def test_both_say_the_same_of_a_printer() -> None:
    clock = ManualClock()
    async with SimulatedPrinters(2, clock=clock) as farm, aiohttp.ClientSession() as session:
        whole = {printer.name: printer.url for printer in farm.printers}
        printer = farm.printers[0]
        async with Swarm(farm.printers, ports=2):
            assert len({one.url.rpartition("/")[0] for one in farm.printers}) == 2
            for moment in range(5):
                for one in farm.printers:
                    assert await look(session, one.url, one.key) == await look(session, whole[one.name], one.key)
                if moment == 0:
                    print_on(printer)
                clock.advance(1000)
            assert await look(session, printer.url, "wrong") == await look(session, whole[printer.name], "wrong")


async def test_nothing_else_is_there() -> None:
    printer = ServedPrinter("printer-1", ManualClock())
    async with Swarm([printer]), aiohttp.ClientSession() as session:
        for path in ("/api/version", "/api/jobs", ""):
            assert (await look(session, printer.url, printer.key, path))[0] == 404
        elsewhere = printer.url.replace("printer-1", "printer-2")
        assert (await look(session, elsewhere, printer.key))[0] == 404


def test_a_printer_takes_little_memory() -> None:
    """Ten thousand of them, each with a file and a print under way, fit beside everything else."""
    clock = ManualClock()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        printers = [ServedPrinter(f"printer-{number}", clock) for number in range(200)]
        for printer in printers:
            print_on(printer)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (after - before) / len(printers) < 12_000


async def test_noise_is_hung_up_on() -> None:
    printer = ServedPrinter("printer-1", ManualClock())
    async with Swarm([printer]):
        address = urlsplit(printer.url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        writer.write(b"\0\0\0\0\r\n\r\n")
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


def print_on(printer: ServedPrinter) -> None:
    account = printer.accounts.account(printer.key)
    printer.upload("a.gcode", GCODE, account, select=True, start=True, keep=False)
