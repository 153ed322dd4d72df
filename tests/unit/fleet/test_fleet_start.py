"""What the driver of the start protocol asks and records, apart from faults."""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import UUID

import pytest

from makerhub.fleet.gateway import (
    Connection,
    FileReport,
    JobReport,
    PrinterGateway,
    PrinterState,
    PrinterTrouble,
    Trouble,
    UploadResult,
)
from makerhub.fleet.start import WrongFile, cancel, reconcile, start
from makerhub.fleet.verdict import SETTLING, Attempt, Outcome, Reason, Verdict

NOW = datetime(2030, 5, 1, 12, 0, tzinfo=UTC)
GCODE = b"G4 P1000\nM104 S0\nM140 S0\n"
SHA1 = hashlib.sha1(GCODE, usedforsecurity=False).hexdigest()
NEW = Attempt(UUID(int=1), Connection("http://octopi.local", "key"), "7f-1.gcode", len(GCODE), SHA1)
SENT = replace(NEW, sent_at=NOW, sends=1)

IDLE = JobReport(PrinterState.OPERATIONAL)
OURS = JobReport(PrinterState.PRINTING, 40.0, "makerhub/7f-1.gcode")
OTHERS = JobReport(PrinterState.PRINTING, 40.0, "vase.gcode")
WHOLE = FileReport(len(GCODE), SHA1)


@dataclass
class Printer:
    """Answers as told, and writes down what was asked: a stand-in for the line, not for OctoPrint."""

    job_answer: JobReport | Trouble = IDLE
    file_answer: FileReport | Trouble | None = None
    upload_answer: UploadResult | Trouble = field(default_factory=lambda: UploadResult(effective_print=True))
    asked: list[str] = field(default_factory=list)

    async def job(self, _: Connection) -> JobReport:
        self.asked.append("job")
        if isinstance(self.job_answer, Trouble):
            raise PrinterTrouble(self.job_answer)
        return self.job_answer

    async def file(self, _: Connection, name: str) -> FileReport | None:
        self.asked.append(f"file {name}")
        if isinstance(self.file_answer, Trouble):
            raise PrinterTrouble(self.file_answer)
        return self.file_answer

    async def upload_and_print(self, _: Connection, name: str, gcode: bytes) -> UploadResult:
        self.asked.append(f"upload {name} {len(gcode)}")
        if isinstance(self.upload_answer, Trouble):
            raise PrinterTrouble(self.upload_answer)
        return self.upload_answer

    async def cancel(self, _: Connection) -> None:
        self.asked.append("cancel")

    def __call__(self) -> PrinterGateway:
        return cast("PrinterGateway", self)


@dataclass
class Notebook:
    """A journal that lists what it was told."""

    claimed: bool = True
    lines: list[object] = field(default_factory=list)

    def sending(self, attempt: Attempt, now: datetime) -> bool:
        self.lines.append(("sending", attempt.sends, now))
        return self.claimed

    def file_seen(self, attempt_id: UUID) -> None:
        assert attempt_id == NEW.id
        self.lines.append("file seen")

    def quiet(self, attempt_id: UUID, since: datetime | None) -> None:
        assert attempt_id == NEW.id
        self.lines.append(("quiet", since))

    def conclude(self, attempt_id: UUID, verdict: Verdict, now: datetime) -> None:
        assert (attempt_id, now) == (NEW.id, NOW)
        self.lines.append(verdict.outcome)


async def test_a_ready_printer_is_sent_the_file_after_the_claim() -> None:
    printer, journal = Printer(), Notebook()
    verdict = await start(printer(), journal, NEW, GCODE, NOW)
    assert verdict == Verdict(Outcome.STARTED, Reason.PRINTING)
    assert printer.asked == ["job", "upload 7f-1.gcode 25"]
    assert journal.lines == [("sending", 0, NOW), "file seen", Outcome.STARTED]


@pytest.mark.parametrize("job", [OTHERS, JobReport(PrinterState.OFFLINE), Trouble.TIMED_OUT])
async def test_nothing_is_sent_or_recorded_when_the_printer_is_not_ready(job: JobReport | Trouble) -> None:
    printer, journal = Printer(job), Notebook()
    assert (await start(printer(), journal, NEW, GCODE, NOW)).outcome is Outcome.NOT_SENT
    assert printer.asked == ["job"]
    assert journal.lines == []


async def test_nothing_is_sent_when_somebody_else_has_the_claim() -> None:
    printer, journal = Printer(), Notebook(claimed=False)
    assert await start(printer(), journal, NEW, GCODE, NOW) == Verdict(Outcome.WAIT, Reason.CLAIMED)
    assert printer.asked == ["job"]


async def test_an_unclear_answer_leaves_the_attempt_sent() -> None:
    printer, journal = Printer(upload_answer=Trouble.TIMED_OUT), Notebook()
    verdict = await start(printer(), journal, NEW, GCODE, NOW)
    assert verdict == Verdict(Outcome.WAIT, Reason.PRINTER_TROUBLE, Trouble.TIMED_OUT)
    assert journal.lines == [("sending", 0, NOW)]


async def test_a_file_that_was_taken_and_not_begun_is_not_started() -> None:
    journal = Notebook()
    await start(Printer(upload_answer=UploadResult(effective_print=False))(), journal, NEW, GCODE, NOW)
    assert journal.lines[-1] is Outcome.NOT_STARTED


async def test_sending_again_looks_first() -> None:
    printer = Printer()
    assert (await start(printer(), Notebook(), SENT, GCODE, NOW)).outcome is Outcome.STARTED
    assert printer.asked == ["job", "file 7f-1.gcode", "upload 7f-1.gcode 25"]


async def test_what_was_sent_is_not_sent_again_two_minutes_later() -> None:
    printer = Printer()
    late = replace(SENT, sent_at=NOW - timedelta(seconds=121))
    assert (await start(printer(), Notebook(), late, GCODE, NOW)).outcome is Outcome.WAIT
    assert printer.asked == ["job", "file 7f-1.gcode"]


@pytest.mark.parametrize("gcode", [GCODE + b"\n", GCODE[:-1], GCODE.replace(b"1", b"2")])
async def test_the_wrong_file_is_not_sent(gcode: bytes) -> None:
    printer = Printer()
    with pytest.raises(WrongFile):
        await start(printer(), Notebook(), NEW, gcode, NOW)
    assert printer.asked == []


async def test_a_print_under_way_is_recorded_without_asking_for_the_file() -> None:
    printer, journal = Printer(OURS), Notebook()
    await reconcile(printer(), journal, replace(SENT, quiet_since=NOW), NOW)
    assert printer.asked == ["job"]
    assert journal.lines == ["file seen", ("quiet", None), Outcome.STARTED]


async def test_silence_is_recorded_once_and_ends_in_a_question() -> None:
    journal = Notebook()
    await reconcile(Printer(file_answer=WHOLE)(), journal, SENT, NOW)
    await reconcile(Printer(file_answer=WHOLE)(), journal, replace(SENT, file_seen=True, quiet_since=NOW), NOW)
    asked = replace(SENT, file_seen=True, quiet_since=NOW - SETTLING)
    await reconcile(Printer(file_answer=WHOLE)(), journal, asked, NOW)
    assert journal.lines == ["file seen", ("quiet", NOW), Outcome.ASK_HUMAN]


@pytest.mark.parametrize("answer", [Trouble.KEY_REFUSED, Trouble.SERVER_ERROR])
async def test_a_trouble_records_nothing(answer: Trouble) -> None:
    journal = Notebook()
    await reconcile(Printer(file_answer=answer)(), journal, SENT, NOW)
    await reconcile(Printer(answer)(), journal, SENT, NOW)
    assert journal.lines == []


async def test_what_was_never_sent_can_not_be_reconciled() -> None:
    with pytest.raises(ValueError, match="never sent"):
        await reconcile(Printer()(), Notebook(), NEW, NOW)


@pytest.mark.parametrize(("job", "cancelled"), [(OURS, True), (OTHERS, False), (IDLE, False)])
async def test_only_our_own_print_is_cancelled(job: JobReport, cancelled: bool) -> None:
    printer = Printer(job)
    assert await cancel(printer(), SENT) is cancelled
    assert ("cancel" in printer.asked) is cancelled
