"""The start protocol against a real OctoPrint, trap by trap. Time is an argument, so nobody waits for two minutes."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from makerhub.fleet.addresses import AddressPolicy, Reach
from makerhub.fleet.gateway import Connection, PrinterTrouble, Trouble, UploadResult
from makerhub.fleet.octoprint import OctoPrint
from makerhub.fleet.start import cancel, reconcile, start
from makerhub.fleet.transport import Transport
from makerhub.fleet.verdict import SEND_WINDOW, SETTLING, Attempt, Outcome, Reason, Verdict
from makerhub.gcode.print_file import PrintFile
from makerhub.simulation.real_octoprint import RealOctoPrint

NOW = datetime(2030, 5, 1, 12, 0, tzinfo=UTC)
SHORT = b"G4 P1000\n" * 2 + b"M104 S0\nM140 S0\n"
LONG = b"G4 P1000\n" * 120 + b"M104 S0\nM140 S0\n"


class Line(OctoPrint):
    """The real adapter over a line that can be cut at one place."""

    lose: str | None = None
    before_upload: Callable[[], object] | None = None

    async def upload_and_print(self, connection: Connection, name: str, gcode: PrintFile) -> UploadResult:
        if self.before_upload:
            await asyncio.to_thread(self.before_upload)
        if self.lose == "request":
            raise PrinterTrouble(Trouble.UNREACHABLE)
        result = await super().upload_and_print(connection, name, gcode)
        if self.lose == "answer":
            raise PrinterTrouble(Trouble.TIMED_OUT)
        return result


@dataclass
class Hub:
    """One attempt and what is remembered of it."""

    line: Line
    attempt: Attempt
    gcode: bytes
    outcomes: list[Outcome] = field(default_factory=list)

    def sending(self, attempt: Attempt, now: datetime) -> bool:
        if self.attempt.sends != attempt.sends:
            return False
        self.attempt = replace(self.attempt, sends=attempt.sends + 1, sent_at=self.attempt.sent_at or now)
        return True

    def file_seen(self, _: UUID) -> None:
        self.attempt = replace(self.attempt, file_seen=True)

    def quiet(self, _: UUID, since: datetime | None) -> None:
        self.attempt = replace(self.attempt, quiet_since=since)

    def conclude(self, _: UUID, verdict: Verdict, now: datetime) -> None:
        assert now.tzinfo
        self.outcomes.append(verdict.outcome)

    async def start(self, now: datetime = NOW) -> Verdict:
        return await start(self.line, self, self.attempt, self.gcode, now)

    async def look(self, now: datetime = NOW) -> Verdict:
        return await reconcile(self.line, self, self.attempt, now)

    async def look_until(self, *reasons: Reason) -> Verdict:
        async with asyncio.timeout(20):
            while (verdict := await self.look()).reason not in reasons:  # noqa: ASYNC110 (nobody tells)
                await asyncio.sleep(0.05)
        return verdict

    async def ask_after_silence(self) -> Verdict:
        await self.look_until(Reason.SETTLING)
        return await self.look(NOW + SETTLING)


NewHub = Callable[[bytes], Hub]


@pytest.fixture
async def new_hub(real_octoprint: RealOctoPrint) -> AsyncIterator[NewHub]:
    async with Transport(AddressPolicy(Reach.LAN, loopback_allowed=True)) as transport:
        numbers = iter(range(1, 100))

        def make(gcode: bytes) -> Hub:
            number = next(numbers)
            connection = Connection(real_octoprint.url, real_octoprint.key)
            sha1 = hashlib.sha1(gcode, usedforsecurity=False).hexdigest()
            return Hub(Line(transport), Attempt(UUID(int=1), connection, f"7f-{number}.gcode", len(gcode), sha1), gcode)

        yield make


async def test_a_print_is_started_followed_and_done(new_hub: NewHub) -> None:
    hub = new_hub(SHORT)
    assert (await hub.start()).outcome is Outcome.STARTED
    assert (await hub.look()).outcome is Outcome.STARTED
    assert (await hub.look_until(Reason.PRINTED)).outcome is Outcome.DONE
    assert hub.outcomes[0] is Outcome.STARTED
    assert hub.outcomes[-1] is Outcome.DONE


async def test_a_lost_answer_is_found_out(new_hub: NewHub) -> None:
    hub = new_hub(SHORT)
    hub.line.lose = "answer"
    assert await hub.start() == Verdict(Outcome.WAIT, Reason.PRINTER_TROUBLE, Trouble.TIMED_OUT)
    assert (await hub.look()).outcome is Outcome.STARTED
    assert (await hub.look_until(Reason.PRINTED)).outcome is Outcome.DONE
    assert (await hub.start()).outcome is Outcome.DONE  # and starting once more only looks


async def test_a_lost_request_is_sent_again_before_the_folder_exists(new_hub: NewHub) -> None:
    hub = new_hub(LONG)
    hub.line.lose = "request"
    assert (await hub.start()).outcome is Outcome.WAIT
    assert (await hub.look()).outcome is Outcome.SEND_AGAIN
    assert (await hub.look(NOW + SEND_WINDOW + timedelta(seconds=1))).outcome is Outcome.WAIT
    assert (await hub.look(NOW + 2 * SEND_WINDOW + timedelta(seconds=1))).outcome is Outcome.ASK_HUMAN
    hub.line.lose = None
    assert (await hub.start()).outcome is Outcome.STARTED
    assert await cancel(hub.line, hub.attempt)


async def test_nothing_is_sent_while_the_maker_prints(new_hub: NewHub, real_octoprint: RealOctoPrint) -> None:
    makers, hub = new_hub(LONG), new_hub(SHORT)
    await makers.start()
    assert await hub.start() == Verdict(Outcome.NOT_SENT, Reason.PRINTER_BUSY)
    assert hub.attempt.sent_at is None
    assert not (real_octoprint.uploads / "makerhub" / hub.attempt.file_name).exists()
    assert not await cancel(hub.line, hub.attempt)
    assert await cancel(makers.line, makers.attempt)


async def test_the_maker_is_quicker_by_an_instant(new_hub: NewHub, real_octoprint: RealOctoPrint) -> None:
    def print_own() -> None:
        (real_octoprint.uploads / "vase.gcode").write_bytes(LONG)
        real_octoprint.call("POST", "/api/files/local/vase.gcode", {"command": "select", "print": True})
        real_octoprint.wait_for("Printing")

    hub = new_hub(SHORT)
    hub.line.before_upload = print_own
    assert await hub.start() == Verdict(Outcome.NOT_STARTED, Reason.NOT_BEGUN)


async def test_the_owner_cancels(new_hub: NewHub, real_octoprint: RealOctoPrint) -> None:
    hub = new_hub(LONG)
    await hub.start()
    await asyncio.to_thread(real_octoprint.call, "POST", "/api/job", {"command": "cancel"})
    assert (await hub.look_until(Reason.PRINT_FAILED)).outcome is Outcome.FAILED


async def test_the_firmware_stops_while_printing(new_hub: NewHub, real_octoprint: RealOctoPrint) -> None:
    hub = new_hub(LONG)
    await hub.start()
    await asyncio.to_thread(real_octoprint.wait_for, "Printing")
    await asyncio.to_thread(real_octoprint.send, "!!DEBUG:trigger_fatal_error_marlin")
    assert (await hub.look_until(Reason.PRINT_FAILED)).outcome is Outcome.FAILED


@pytest.mark.parametrize("end", [RealOctoPrint.stop, RealOctoPrint.kill])
async def test_a_server_that_restarts_leaves_no_history(
    new_hub: NewHub, real_octoprint: RealOctoPrint, end: Callable[[RealOctoPrint], None]
) -> None:
    hub = new_hub(LONG)
    await hub.start()
    await asyncio.to_thread(end, real_octoprint)
    assert (await hub.look()).trouble is Trouble.UNREACHABLE
    await asyncio.to_thread(real_octoprint.start)
    assert await hub.ask_after_silence() == Verdict(Outcome.ASK_HUMAN, Reason.NO_HISTORY)


async def test_a_printer_lost_while_paused_leaves_no_history(new_hub: NewHub, real_octoprint: RealOctoPrint) -> None:
    hub = new_hub(LONG)
    await hub.start()
    await asyncio.to_thread(real_octoprint.wait_for, "Printing")
    await asyncio.to_thread(real_octoprint.call, "POST", "/api/job", {"command": "pause", "action": "pause"})
    await asyncio.to_thread(real_octoprint.wait_for, "Paused")
    assert (await hub.look()).outcome is Outcome.STARTED
    await asyncio.to_thread(real_octoprint.send, "!!DEBUG:trigger_fatal_error_marlin")
    await asyncio.to_thread(real_octoprint.wait_for, "Offline after error", "Error")
    offline = Verdict(Outcome.WAIT, Reason.PRINTER_OFFLINE)
    assert [await hub.look(NOW + timedelta(days=day)) for day in range(3)] == [offline] * 3
    await asyncio.to_thread(real_octoprint.call, "POST", "/api/connection", {"command": "connect"})
    await asyncio.to_thread(real_octoprint.wait_for, "Operational")
    assert await hub.ask_after_silence() == Verdict(Outcome.ASK_HUMAN, Reason.NO_HISTORY)


async def test_a_file_cut_short_was_not_started(new_hub: NewHub, real_octoprint: RealOctoPrint) -> None:
    """As after a full disk: there is an empty file, and it answers 200."""
    hub = new_hub(SHORT)
    hub.line.lose = "request"
    await hub.start()
    folder = real_octoprint.uploads / "makerhub"
    folder.mkdir()
    (folder / hub.attempt.file_name).touch()
    await hub.look_until(Reason.SETTLING)
    assert await hub.look(NOW + SETTLING) == Verdict(Outcome.NOT_STARTED, Reason.DAMAGED)


async def test_a_finished_file_that_its_owner_deleted(new_hub: NewHub, real_octoprint: RealOctoPrint) -> None:
    hub = new_hub(SHORT)
    await hub.start()
    await asyncio.to_thread(real_octoprint.wait_for, "Operational")
    path = f"/api/files/local/makerhub/{hub.attempt.file_name}"
    await asyncio.to_thread(real_octoprint.call, "DELETE", path)
    assert (await hub.look()).outcome is Outcome.WAIT
    assert await hub.look(NOW + timedelta(hours=1)) == Verdict(Outcome.ASK_HUMAN, Reason.FILE_GONE)


async def test_two_hubs_that_start_the_same_attempt_print_once(new_hub: NewHub) -> None:
    """Even without a common journal: the start token alone keeps the second away."""
    one = new_hub(SHORT)
    two = Hub(one.line, one.attempt, SHORT)
    verdicts = await asyncio.gather(one.start(), two.start())
    assert Outcome.STARTED in {verdict.outcome for verdict in verdicts} <= {Outcome.STARTED, Outcome.WAIT}
    await one.look_until(Reason.PRINTED)
    await asyncio.sleep(2.5)  # as long as a second print would take
    file = await one.line.file(one.attempt.connection, one.attempt.file_name)
    assert file
    assert file.successes == 1
