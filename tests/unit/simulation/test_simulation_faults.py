"""What a client meets on the way to a simulated printer, and many printers at once."""

import asyncio
import gzip
import time
import urllib.request
from collections.abc import AsyncIterator

import aiohttp
import pytest

from makerhub.simulation.clock import ManualClock
from makerhub.simulation.faults import Answers, Drip, HugeBody, LostReply, Redirect, Silent, Slow, Unreachable
from makerhub.simulation.octoprint import SimulatedPrinters
from makerhub.simulation.served import ServedPrinter

GCODE = b"G4 P1000\n" * 60


@pytest.fixture
async def printer() -> AsyncIterator[ServedPrinter]:
    async with SimulatedPrinters(clock=ManualClock()) as farm:
        yield farm.printers[0]


@pytest.fixture
async def session(printer: ServedPrinter) -> AsyncIterator[aiohttp.ClientSession]:
    timeout = aiohttp.ClientTimeout(total=0.5)
    headers = {"X-Api-Key": printer.key}
    async with aiohttp.ClientSession(timeout=timeout, headers=headers, auto_decompress=False) as session:
        yield session


async def status(session: aiohttp.ClientSession, printer: ServedPrinter) -> int:
    async with session.get(f"{printer.url}/api/job", allow_redirects=False) as reply:
        await reply.read()
        return reply.status


async def upload(session: aiohttp.ClientSession, printer: ServedPrinter) -> int:
    form = aiohttp.FormData({"path": "makerhub", "select": "true", "print": "true", "noOverwrite": "true"})
    form.add_field("file", GCODE, filename="a.gcode")
    async with session.post(f"{printer.url}/api/files/local", data=form) as reply:
        return reply.status


async def test_slow(session: aiohttp.ClientSession, printer: ServedPrinter) -> None:
    printer.faults.add(Slow(0.1))
    began = time.monotonic()
    assert await status(session, printer) == 200
    assert time.monotonic() - began >= 0.1


async def test_unreachable_leaves_no_trace(session: aiohttp.ClientSession, printer: ServedPrinter) -> None:
    printer.faults.add(Unreachable())
    with pytest.raises(aiohttp.ClientConnectionError):
        await upload(session, printer)
    assert printer.files.get("makerhub/a.gcode") is None


@pytest.mark.parametrize(("fault", "error"), [(LostReply(), aiohttp.ClientConnectionError), (Silent(), TimeoutError)])
async def test_a_lost_reply_has_had_its_effect(
    session: aiohttp.ClientSession, printer: ServedPrinter, fault: LostReply | Silent, error: type[Exception]
) -> None:
    printer.faults.add(fault, method="POST")
    with pytest.raises(error):
        await upload(session, printer)
    assert printer.job is not None
    assert await status(session, printer) == 200, "only the POST was hit"


@pytest.mark.parametrize("code", [403, 500, 503])
async def test_a_status_of_its_own_a_number_of_times(
    session: aiohttp.ClientSession, printer: ServedPrinter, code: int
) -> None:
    printer.faults.add(Answers(code), path="/api/job", times=2)
    assert [await status(session, printer) for _ in range(3)] == [code, code, 200]


async def test_redirect(session: aiohttp.ClientSession, printer: ServedPrinter) -> None:
    printer.faults.add(Redirect("http://127.0.0.2:9/elsewhere/"))
    async with session.get(f"{printer.url}/api/job", allow_redirects=False) as reply:
        assert reply.status == 302
        assert reply.headers["Location"] == f"http://127.0.0.2:9/elsewhere/{printer.name}/api/job"


async def test_a_huge_body_and_its_zipped_form(session: aiohttp.ClientSession, printer: ServedPrinter) -> None:
    printer.faults.add(HugeBody(1_000_000), times=1)
    printer.faults.add(HugeBody(1_000_000, zipped=True))
    async with session.get(f"{printer.url}/api/job") as reply:
        assert len(await reply.read()) == 1_000_000
    async with session.get(f"{printer.url}/api/job") as reply:
        assert reply.headers["Content-Encoding"] == "gzip"
        body = await reply.read()
    assert len(body) < 5000
    assert len(gzip.decompress(body)) == 1_000_000


@pytest.mark.parametrize("in_head", [False, True])
async def test_a_drip_outlasts_a_pause_between_bytes(printer: ServedPrinter, in_head: bool) -> None:
    printer.faults.add(Drip(0.02, in_head=in_head))
    timeout = aiohttp.ClientTimeout(total=0.5, sock_read=0.2)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            await status(session, printer)
    assert time.monotonic() - began >= 0.45, "the total time ended it, not the time between two bytes"


async def test_cleared_faults_are_gone(session: aiohttp.ClientSession, printer: ServedPrinter) -> None:
    printer.faults.add(Answers(500))
    printer.faults.clear()
    assert await status(session, printer) == 200


async def test_a_printer_without_power_does_not_answer(session: aiohttp.ClientSession, printer: ServedPrinter) -> None:
    printer.power_off()
    with pytest.raises(aiohttp.ClientConnectionError):
        await status(session, printer)
    printer.power_on()
    assert await status(session, printer) == 200


async def test_a_fault_of_one_printer_leaves_the_others_alone() -> None:
    async with SimulatedPrinters(count=3) as farm, aiohttp.ClientSession() as session:
        farm.printers[1].faults.add(Answers(503))
        urls = [f"{printer.url}/api/job" for printer in farm.printers]
        keys = [{"X-Api-Key": printer.key} for printer in farm.printers]
        replies = [await session.get(url, headers=key) for url, key in zip(urls, keys, strict=True)]
        assert [reply.status for reply in replies] == [200, 503, 200]
        reply = await session.get(urls[0], headers=keys[1])
        assert reply.status == 403, "a key is one printer's only"


async def test_a_thousand_printers_behind_one_port() -> None:
    async with SimulatedPrinters(count=1000) as farm, aiohttp.ClientSession() as session:

        async def poll(printer: ServedPrinter) -> int:
            async with session.get(f"{printer.url}/api/job", headers={"X-Api-Key": printer.key}) as reply:
                return reply.status

        assert await asyncio.gather(*map(poll, farm.printers)) == [200] * 1000


def test_from_a_thread_of_its_own() -> None:
    with SimulatedPrinters(count=2, seed=7) as farm:
        added = farm.add()
        assert len({printer.url for printer in (*farm.printers, added)}) == 3
        reply = urllib.request.urlopen(f"{added.url}/plugin/appkeys/probe", timeout=5)  # noqa: S310 (our own address)
        assert reply.status == 204
    assert [printer.key for printer in SimulatedPrinters(count=2, seed=7).printers] == [
        printer.key for printer in farm.printers[:2]
    ]
