"""What is seen of an attempt to print, and what it means: pure rules, from data to a verdict.

The name of the file on the printer's server is the start token: unique for ever, recorded durably before it is sent,
and never overwritten there. So the file tells what became of the attempt, and doubt ends in a question to a human.
The traps that made these rules were observed on OctoPrint 1.11.8.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from makerhub.errors import translatable
from makerhub.fleet.gateway import (
    FOLDER,
    Connection,
    FileReport,
    JobReport,
    PrinterState,
    Trouble,
    UploadResult,
)

SEND_WINDOW: Final = timedelta(minutes=2)
"""A file that is not there may be sent again this long after the first sending; later its owner may have deleted it.

One sending must take less than that: the adapter's deadline for an upload sees to it.
"""

SETTLING: Final = timedelta(seconds=60)
"""How long a server is given to write its history (15–155 ms measured) or to begin with a file that just arrived."""

_FILE_NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\.gcode")


class Outcome(StrEnum):
    """What to do about an attempt."""

    NOT_SENT = "not_sent"  # nothing was sent and nothing is recorded: the same attempt may be tried later
    SEND_AGAIN = "send_again"  # call start() again with the same attempt
    WAIT = "wait"  # nothing is known yet: look again later
    STARTED = "started"  # the print is under way
    NOT_STARTED = "not_started"  # it is known that it never will: the next attempt takes a new name
    DONE = "done"  # all lines were printed; whether the part is good is for a person to see
    FAILED = "failed"  # an error, or somebody cancelled it
    ASK_HUMAN = "ask_human"  # only a person at the printer can tell; never start again by ourselves

    @property
    def is_conclusive(self) -> bool:
        """Whether there is something to record."""
        return self not in (Outcome.NOT_SENT, Outcome.SEND_AGAIN, Outcome.WAIT)


class Reason(StrEnum):
    """Why; each with a sentence for the maker."""

    PRINTING = "printing"
    PRINTED = "printed"
    PRINT_FAILED = "print_failed"
    PRINTER_BUSY = "printer_busy"
    PRINTER_OFFLINE = "printer_offline"
    PRINTER_TROUBLE = "printer_trouble"
    CLAIMED = "claimed"
    SETTLING = "settling"
    NOT_ARRIVED = "not_arrived"
    NOT_BEGUN = "not_begun"
    DAMAGED = "damaged"
    FILE_GONE = "file_gone"
    FILE_REPLACED = "file_replaced"
    NO_HISTORY = "no_history"
    NOT_SAFE = "not_safe"
    NOT_FETCHED = "not_fetched"
    AGENT_SILENT = "agent_silent"
    STOPPED = "stopped"

    @property
    def message(self) -> str:
        """The translatable sentence for the maker."""
        return _MESSAGES[self]


_MESSAGES: Final = {
    Reason.PRINTING: translatable("The printer is printing it."),
    Reason.PRINTED: translatable("The printer has printed all of it."),
    Reason.PRINT_FAILED: translatable("The print was cancelled or ended with an error."),
    Reason.PRINTER_BUSY: translatable("The printer is busy with another print."),
    Reason.PRINTER_OFFLINE: translatable("The printer is not connected to its server."),
    Reason.PRINTER_TROUBLE: translatable("The printer could not be asked."),
    Reason.CLAIMED: translatable("It is being sent to the printer."),
    Reason.SETTLING: translatable("We are waiting for the printer to report."),
    Reason.NOT_ARRIVED: translatable("The file did not arrive at the printer."),
    Reason.NOT_BEGUN: translatable("The printer took the file and did not begin to print."),
    Reason.DAMAGED: translatable("The file did not arrive whole at the printer. Has its storage run full?"),
    Reason.FILE_GONE: translatable("The file is no longer on the printer. Please tell us what became of the print."),
    Reason.FILE_REPLACED: translatable("The file on the printer is not ours. Please tell us what became of the print."),
    Reason.NO_HISTORY: translatable("The printer does not know how the print ended. Please have a look and tell us."),
    Reason.NOT_SAFE: translatable("The agent beside the printer found the file unsafe and did not send it."),
    Reason.NOT_FETCHED: translatable("The agent beside the printer could not fetch the file."),
    Reason.AGENT_SILENT: translatable(
        "The agent beside the printer was given this print and has not been heard of since. Please have a look."
    ),
    Reason.STOPPED: translatable("Its maker stopped it before it was sent."),
}


@dataclass(frozen=True)
class Verdict:
    """What to do and why; `trouble` is set when the reason is PRINTER_TROUBLE."""

    outcome: Outcome
    reason: Reason
    trouble: Trouble | None = None


@dataclass(frozen=True)
class Attempt:
    """One attempt to print one file, as the journal knows it.

    `file_name` is the start token, `<job>-<attempt>.gcode` of lower-case letters, digits and hyphens; `size` in bytes
    and `sha1` in hex are those of the G-code. `sent_at` is the first sending and `sends` counts all of them.
    `file_seen`: the whole file, or its print, has been seen. `quiet_since`: since when the printer has had the file,
    does not print it and has no history of it.
    """

    id: UUID
    connection: Connection
    file_name: str
    size: int
    sha1: str
    sent_at: datetime | None = None
    sends: int = 0
    file_seen: bool = False
    quiet_since: datetime | None = None

    def __post_init__(self) -> None:
        if not _FILE_NAME.fullmatch(self.file_name):
            raise ValueError(f"not a start token: {self.file_name!r}")


@dataclass(frozen=True)
class Sight:
    """One look at a printer for the sake of an attempt.

    `file` is None when the file is surely not there, and also when it was not asked for: the job was no answer, or
    said it all.
    """

    job: JobReport | Trouble
    file: FileReport | Trouble | None = None

    def shows_file(self, attempt: Attempt) -> bool:
        """Whether the whole file, or its print, was seen."""
        if isinstance(self.job, JobReport) and prints_ours(self.job, attempt.file_name):
            return True
        return isinstance(self.file, FileReport) and is_whole(attempt, self.file)


def prints_ours(job: JobReport, file_name: str) -> bool:
    """Whether the print under way is that of `file_name`."""
    return job.state.is_active and job.file_path == f"{FOLDER}/{file_name}"


def is_whole(attempt: Attempt, file: FileReport) -> bool:
    """Whether the file is the attempt's, to the byte, as far as the server tells."""
    return file.size in (None, attempt.size) and file.sha1 in (None, attempt.sha1)


def decide_before_sending(job: JobReport | Trouble) -> Verdict | None:
    """None when the printer is ready for a first sending, else why nothing is sent."""
    match job:
        case Trouble():
            return Verdict(Outcome.NOT_SENT, Reason.PRINTER_TROUBLE, job)
        case JobReport(state=PrinterState.OPERATIONAL):
            return None
        case _:
            return Verdict(Outcome.NOT_SENT, _why_not_ready(job))


def decide_by_upload(result: UploadResult | Trouble) -> Verdict:
    """What the answer to the upload says. Only a clear yes or no concludes anything (trap: busy is a 201, too)."""
    match result:
        case Trouble():
            return Verdict(Outcome.WAIT, Reason.PRINTER_TROUBLE, result)
        case UploadResult(effective_print=True):
            return Verdict(Outcome.STARTED, Reason.PRINTING)
        case _:
            return Verdict(Outcome.NOT_STARTED, Reason.NOT_BEGUN)


def decide(attempt: Attempt, sight: Sight, now: datetime) -> Verdict:
    """What became of an attempt that was sent, be it in doubt or printing."""
    job, file = sight.job, sight.file
    if isinstance(job, Trouble):
        return Verdict(Outcome.WAIT, Reason.PRINTER_TROUBLE, job)
    if prints_ours(job, attempt.file_name):
        return Verdict(Outcome.STARTED, Reason.PRINTING)
    match file:
        case Trouble():
            return Verdict(Outcome.WAIT, Reason.PRINTER_TROUBLE, file)
        case None:
            return _decide_absent(attempt, job, now)
        case FileReport() if not is_whole(attempt, file):
            return _decide_damaged(attempt, file, now)
        case FileReport() if file.successes:
            return Verdict(Outcome.DONE, Reason.PRINTED)
        case FileReport() if file.failures:
            return Verdict(Outcome.FAILED, Reason.PRINT_FAILED)
    return _decide_without_history(attempt, job, now)


def _decide_absent(attempt: Attempt, job: JobReport, now: datetime) -> Verdict:
    """Send again only what surely never arrived: its owner may have deleted a file that was printed.

    A human is asked only when no sending can be under way any more, lest a second print follows their answer.
    """
    existed = attempt.file_seen or attempt.quiet_since is not None
    if not _is_within(2 * SEND_WINDOW, attempt, now):
        return Verdict(Outcome.ASK_HUMAN, Reason.FILE_GONE)
    if existed or not _is_within(SEND_WINDOW, attempt, now):
        return Verdict(Outcome.WAIT, Reason.NOT_ARRIVED)
    if job.state is PrinterState.OPERATIONAL:
        return Verdict(Outcome.SEND_AGAIN, Reason.NOT_ARRIVED)
    return Verdict(Outcome.WAIT, _why_not_ready(job))


def _decide_damaged(attempt: Attempt, file: FileReport, now: datetime) -> Verdict:
    """Trap: a full disk leaves an empty file. A server may also be copying what arrived, so it gets time to settle."""
    if attempt.file_seen or file.successes or file.failures:
        return Verdict(Outcome.ASK_HUMAN, Reason.FILE_REPLACED)
    if _has_settled(attempt, now):
        return Verdict(Outcome.NOT_STARTED, Reason.DAMAGED)
    return Verdict(Outcome.WAIT, Reason.SETTLING)


def _decide_without_history(attempt: Attempt, job: JobReport, now: datetime) -> Verdict:
    """Traps: a server that restarts, and a printer lost while paused, leave no history at all."""
    if job.state is not PrinterState.OPERATIONAL and not _prints_another(attempt, job):
        return Verdict(Outcome.WAIT, Reason.PRINTER_OFFLINE)
    if _has_settled(attempt, now):
        return Verdict(Outcome.ASK_HUMAN, Reason.NO_HISTORY)
    return Verdict(Outcome.WAIT, Reason.SETTLING)


def _why_not_ready(job: JobReport) -> Reason:
    return Reason.PRINTER_BUSY if job.state.is_active else Reason.PRINTER_OFFLINE


def _prints_another(attempt: Attempt, job: JobReport) -> bool:
    return job.state.is_active and job.file_path is not None and not prints_ours(job, attempt.file_name)


def _is_within(time: timedelta, attempt: Attempt, now: datetime) -> bool:
    """Whether the first sending was at most `time` ago; a clock that was set back gives no second chance."""
    return attempt.sent_at is not None and timedelta(0) <= now - attempt.sent_at <= time


def _has_settled(attempt: Attempt, now: datetime) -> bool:
    return attempt.quiet_since is not None and now - attempt.quiet_since >= SETTLING
