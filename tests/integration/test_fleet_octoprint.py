"""The adapter against a real OctoPrint."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from makerhub.fleet.addresses import AddressPolicy, Reach
from makerhub.fleet.gateway import (
    Connection,
    FileReport,
    JobReport,
    KeyDecision,
    KeyVerdict,
    Permission,
    PrinterGateway,
    PrinterState,
    PrinterTrouble,
    Trouble,
    UploadResult,
)
from makerhub.fleet.octoprint import OctoPrint
from makerhub.fleet.poll import DEFAULT_INTERVALS, Observation, PollLoop
from makerhub.fleet.transport import Transport
from makerhub.simulation.real_octoprint import RealOctoPrint

POLICY = AddressPolicy(Reach.LAN, loopback_allowed=True)


def gcode(seconds: int) -> bytes:
    """A print that takes that long, moves nothing and ends cold."""
    return b"G4 P1000\n" * seconds + b"M104 S0\nM140 S0\n"


@pytest.fixture
async def octoprint() -> AsyncIterator[PrinterGateway]:
    async with Transport(POLICY) as transport:
        yield OctoPrint(transport)


@pytest.fixture
def connection(real_octoprint: RealOctoPrint) -> Connection:
    return Connection(real_octoprint.url, real_octoprint.key)


async def wait_for(octoprint: PrinterGateway, connection: Connection, *states: PrinterState) -> JobReport:
    async with asyncio.timeout(20):
        while (report := await octoprint.job(connection)).state not in states:  # noqa: ASYNC110 (nobody tells)
            await asyncio.sleep(0.05)
    return report


async def history_of(octoprint: PrinterGateway, connection: Connection, name: str) -> FileReport:
    async with asyncio.timeout(5):
        while not (file := await octoprint.file(connection, name)) or not (file.successes or file.failures):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return file


async def trouble_of(call: object) -> Trouble:
    with pytest.raises(PrinterTrouble) as caught:
        await call  # type: ignore[misc]  # any of the gateway's calls
    return caught.value.trouble


async def test_a_print_from_upload_to_history(octoprint: PrinterGateway, connection: Connection) -> None:
    assert await octoprint.job(connection) == JobReport(PrinterState.OPERATIONAL)
    content = gcode(3)
    assert await octoprint.upload_and_print(connection, "7f-1.gcode", content) == UploadResult(effective_print=True)
    report = await wait_for(octoprint, connection, PrinterState.PRINTING)
    assert report.file_path == "makerhub/7f-1.gcode"
    while report.completion is None:  # it is not told before the first line has gone
        report = await octoprint.job(connection)
        assert report.state is PrinterState.PRINTING
    file = await octoprint.file(connection, "7f-1.gcode")
    assert file == FileReport(len(content), hashlib.sha1(content, usedforsecurity=False).hexdigest())

    over = await wait_for(octoprint, connection, PrinterState.OPERATIONAL)
    assert (over.completion, over.file_path) == (100.0, "makerhub/7f-1.gcode")
    history = await history_of(octoprint, connection, "7f-1.gcode")
    assert (history.successes, history.failures, history.last_success) == (1, 0, True)
    assert history.last_ended_at
    assert abs(datetime.now(UTC) - history.last_ended_at) < timedelta(minutes=1)


async def test_a_cancelled_print_is_a_failure(octoprint: PrinterGateway, connection: Connection) -> None:
    assert await trouble_of(octoprint.cancel(connection)) is Trouble.REFUSED
    await octoprint.upload_and_print(connection, "7f-2.gcode", gcode(60))
    await wait_for(octoprint, connection, PrinterState.PRINTING)
    await octoprint.cancel(connection)
    assert (await wait_for(octoprint, connection, PrinterState.OPERATIONAL)).completion is None
    history = await history_of(octoprint, connection, "7f-2.gcode")
    assert (history.successes, history.failures, history.last_success) == (0, 1, False)


async def test_an_upload_to_a_busy_printer_does_not_print(octoprint: PrinterGateway, connection: Connection) -> None:
    await octoprint.upload_and_print(connection, "7f-3.gcode", gcode(60))
    later = await octoprint.upload_and_print(connection, "7f-4.gcode", gcode(1))
    assert later == UploadResult(effective_print=False)
    await octoprint.cancel(connection)


async def test_racing_uploads_print_once(octoprint: PrinterGateway, connection: Connection) -> None:
    """Now and then two are told yes, but the second finds the printer busy."""
    uploads = [octoprint.upload_and_print(connection, "7f-5.gcode", gcode(2)) for _ in range(12)]
    results = await asyncio.gather(*uploads, return_exceptions=True)
    accepted = [result for result in results if isinstance(result, UploadResult)]
    assert 1 <= len(accepted) <= 2
    assert all(isinstance(result, UploadResult | PrinterTrouble) for result in results)
    await wait_for(octoprint, connection, PrinterState.OPERATIONAL)
    await asyncio.sleep(2.5)  # as long as a second print would take
    assert (await history_of(octoprint, connection, "7f-5.gcode")).successes == 1


async def test_nothing_is_overwritten(octoprint: PrinterGateway, connection: Connection) -> None:
    content = gcode(1)
    await octoprint.upload_and_print(connection, "7f-6.gcode", content)
    await wait_for(octoprint, connection, PrinterState.OPERATIONAL)
    again = octoprint.upload_and_print(connection, "7f-6.gcode", gcode(2))
    assert await trouble_of(again) is Trouble.REFUSED
    file = await octoprint.file(connection, "7f-6.gcode")
    assert file
    assert file.size == len(content)


async def test_a_file_is_absent_before_and_after_the_folder_exists(
    octoprint: PrinterGateway, connection: Connection, real_octoprint: RealOctoPrint
) -> None:
    assert not (real_octoprint.uploads / "makerhub").exists()
    assert await octoprint.file(connection, "7f-7.gcode") is None
    await octoprint.upload_and_print(connection, "7f-8.gcode", gcode(1))
    assert await octoprint.file(connection, "7f-7.gcode") is None


async def test_a_wrong_key_is_refused_everywhere(octoprint: PrinterGateway, real_octoprint: RealOctoPrint) -> None:
    wrong = Connection(real_octoprint.url, "0" * 32)
    for call in (octoprint.job, octoprint.version, octoprint.key_report):
        assert await trouble_of(call(wrong)) is Trouble.KEY_REFUSED
    assert await trouble_of(octoprint.file(wrong, "7f-1.gcode")) is Trouble.KEY_REFUSED
    # Without a key that it knows, OctoPrint takes what is posted for a browser's and misses the CSRF token: 400.
    assert await trouble_of(octoprint.upload_and_print(wrong, "7f-1.gcode", gcode(1))) is Trouble.REFUSED


async def test_a_key_tells_what_it_can_do(octoprint: PrinterGateway, real_octoprint: RealOctoPrint) -> None:
    reports = [
        await octoprint.key_report(Connection(real_octoprint.url, key))
        for key in (real_octoprint.key, real_octoprint.maker.key, real_octoprint.admin_key)
    ]
    verdicts = [report.verdict for report in reports]
    assert verdicts == [KeyVerdict.FITTING, KeyVerdict.FITTING, KeyVerdict.TOO_MIGHTY]
    assert {Permission.ADMIN, Permission.SETTINGS, Permission.CONTROL, Permission.FILES_DELETE} <= set(
        reports[2].excess
    )


async def test_the_version(octoprint: PrinterGateway, connection: Connection) -> None:
    assert (await octoprint.version(connection)).startswith("1.")


@pytest.mark.parametrize(
    ("command", "state"),
    [("!!DEBUG:trigger_fatal_error_marlin", PrinterState.ERROR), ("M112", PrinterState.ERROR)],
)
async def test_a_printer_with_an_error_still_answers(
    octoprint: PrinterGateway, connection: Connection, real_octoprint: RealOctoPrint, command: str, state: PrinterState
) -> None:
    await asyncio.to_thread(real_octoprint.send, command)
    report = await wait_for(octoprint, connection, state)
    assert report.error
    assert report.error not in repr(report)


async def test_a_disconnected_printer_is_offline(
    octoprint: PrinterGateway, connection: Connection, real_octoprint: RealOctoPrint
) -> None:
    await asyncio.to_thread(real_octoprint.call, "POST", "/api/connection", {"command": "disconnect"})
    assert await wait_for(octoprint, connection, PrinterState.OFFLINE) == JobReport(PrinterState.OFFLINE)


@pytest.fixture(scope="module")
def octoprint_for_keys(real_octoprints: Callable[[], RealOctoPrint]) -> RealOctoPrint:
    """A server of its own: only three requests a minute are allowed."""
    return real_octoprints()


async def test_a_key_by_a_click_of_the_maker(octoprint: PrinterGateway, octoprint_for_keys: RealOctoPrint) -> None:
    request = await octoprint.request_key(octoprint_for_keys.url, "makerhub", "maker")
    assert request.dialog_url == f"{octoprint_for_keys.url}/plugin/appkeys/auth/{request.token}?user=maker"
    pending = await octoprint.poll_key(octoprint_for_keys.url, request.token)
    assert (pending.decision, pending.key) == (KeyDecision.PENDING, None)

    await asyncio.to_thread(octoprint_for_keys.decide, "makerhub", allow=True)
    granted = await octoprint.poll_key(octoprint_for_keys.url, request.token)
    assert granted.decision is KeyDecision.GRANTED
    assert granted.key
    report = await octoprint.key_report(Connection(octoprint_for_keys.url, granted.key))
    assert report.verdict is KeyVerdict.FITTING


async def test_a_key_that_the_maker_denies(octoprint: PrinterGateway, octoprint_for_keys: RealOctoPrint) -> None:
    request = await octoprint.request_key(octoprint_for_keys.url, "makerhub", "maker")
    await asyncio.to_thread(octoprint_for_keys.decide, "makerhub", allow=False)
    denied = await octoprint.poll_key(octoprint_for_keys.url, request.token)
    assert (denied.decision, denied.key) == (KeyDecision.DENIED, None)


async def test_the_poll_loop_sees_a_print_come_and_go(
    octoprint: PrinterGateway, connection: Connection, unused_tcp_port: int
) -> None:
    """One real printer and one that is away; the second does not hold up the first."""
    here, away = UUID(int=1), UUID(int=2)
    roster = {here: connection, away: Connection(f"http://127.0.0.1:{unused_tcp_port}", "key")}
    seen: list[Observation] = []
    loop = PollLoop(octoprint, lambda: roster, seen.extend, intervals=DEFAULT_INTERVALS.faster(50))
    running = asyncio.create_task(loop.run())
    await octoprint.upload_and_print(connection, "7f-9.gcode", gcode(2))
    await history_of(octoprint, connection, "7f-9.gcode")
    await asyncio.sleep(1)
    loop.stop()
    await running
    states = [o.report.state for o in seen if o.printer_id == here and isinstance(o.report, JobReport)]
    assert PrinterState.PRINTING in states
    assert states[-1] is PrinterState.OPERATIONAL
    assert {o.report for o in seen if o.printer_id == away} == {Trouble.UNREACHABLE}
