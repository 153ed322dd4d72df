"""Start a print at most once, and find out what became of it.

`start()` and `reconcile()` only look, ask the rules of `verdict`, and write into a journal. They may be killed anywhere
and may run twice at once: the same start token can't begin a second print.
"""

import asyncio
from collections.abc import Awaitable
from datetime import datetime
from typing import Protocol, TypeVar
from uuid import UUID

from makerhub.errors import MakerhubError, translatable
from makerhub.fleet.gateway import PrinterGateway, PrinterTrouble, Trouble, UploadResult
from makerhub.fleet.verdict import (
    Attempt,
    Outcome,
    Reason,
    Sight,
    Verdict,
    decide,
    decide_before_sending,
    decide_by_upload,
    prints_ours,
)
from makerhub.gcode.print_file import PrintFile, digest_of, size_of

T = TypeVar("T")


class StartJournal(Protocol):
    """What is remembered of attempts.

    Each call is durable when it returns, may block (it is called in a thread), and may be repeated to no effect.
    """

    def sending(self, attempt: Attempt, now: datetime) -> bool:
        """Claim the next sending: count it and set `sent_at` to `now` if it is the first.

        False, and nothing changed, if the recorded `sends` is no longer `attempt.sends` or the attempt is over.
        """

    def file_seen(self, attempt_id: UUID) -> None:
        """Remember for ever that the file was seen."""

    def quiet(self, attempt_id: UUID, since: datetime | None) -> None:
        """Remember since when nothing has been heard of the print; None when it was seen again."""

    def conclude(self, attempt_id: UUID, verdict: Verdict, now: datetime) -> None:
        """Record STARTED, NOT_STARTED, DONE, FAILED or ASK_HUMAN; later calls may say more (STARTED, then DONE).

        A verdict that comes too late for the record (STARTED after DONE) changes nothing.
        """


class WrongFile(MakerhubError):
    """The G-code is not the file that the attempt was made for."""

    template = translatable("The stored print file has changed since the print was planned.")


async def start(
    gateway: PrinterGateway, journal: StartJournal, attempt: Attempt, gcode: PrintFile, now: datetime
) -> Verdict:
    """Send an attempt's file and have it printed; also again, after the verdict SEND_AGAIN.

    1. Look whether the printer is ready; if the attempt was sent before, whether it may be sent again.
    2. Claim the sending in the journal.
    3. One request. Only a clear answer is recorded; after anything else the attempt stays sent, for `reconcile()`.

    NOT_SENT leaves the attempt as it was. Raises WrongFile if `gcode` is not the attempt's.
    """
    if size_of(gcode) != attempt.size or await asyncio.to_thread(digest_of, gcode, "sha1") != attempt.sha1:
        raise WrongFile
    if (obstacle := await _look_before_sending(gateway, journal, attempt, now)) is not None:
        return obstacle
    if not await asyncio.to_thread(journal.sending, attempt, now):
        return Verdict(Outcome.WAIT, Reason.CLAIMED)
    result = await _ask(gateway.upload_and_print(attempt.connection, attempt.file_name, gcode))
    verdict = decide_by_upload(result)
    await asyncio.to_thread(_record, journal, attempt, verdict, now, seen=isinstance(result, UploadResult))
    return verdict


async def reconcile(gateway: PrinterGateway, journal: StartJournal, attempt: Attempt, now: datetime) -> Verdict:
    """Find out what became of an attempt that was sent, by looking at the printer; never sends anything.

    It serves an attempt in doubt, one that prints, and one that a human was asked about: a late history answers for
    them. Call it until the verdict is NOT_STARTED, DONE or FAILED.
    """
    if attempt.sent_at is None:
        raise ValueError("the attempt was never sent")
    sight = await _look(gateway, attempt)
    verdict = decide(attempt, sight, now)
    await asyncio.to_thread(_record, journal, attempt, verdict, now, seen=sight.shows_file(attempt))
    return verdict


async def cancel(gateway: PrinterGateway, attempt: Attempt) -> bool:
    """Cancel the attempt's print; False, and nothing done, when the printer is not printing it."""
    if not prints_ours(await gateway.job(attempt.connection), attempt.file_name):
        return False
    await gateway.cancel(attempt.connection)
    return True


async def _look_before_sending(
    gateway: PrinterGateway, journal: StartJournal, attempt: Attempt, now: datetime
) -> Verdict | None:
    if attempt.sent_at is None:
        return decide_before_sending(await _ask(gateway.job(attempt.connection)))
    verdict = await reconcile(gateway, journal, attempt, now)
    return None if verdict.outcome is Outcome.SEND_AGAIN else verdict


async def _look(gateway: PrinterGateway, attempt: Attempt) -> Sight:
    """The job first, then the file: a print that ends between the two has its history by then."""
    job = await _ask(gateway.job(attempt.connection))
    if isinstance(job, Trouble) or prints_ours(job, attempt.file_name):
        return Sight(job)
    return Sight(job, await _ask(gateway.file(attempt.connection, attempt.file_name)))


async def _ask(answer: Awaitable[T]) -> T | Trouble:
    try:
        return await answer
    except PrinterTrouble as trouble:
        return trouble.trouble


def _record(journal: StartJournal, attempt: Attempt, verdict: Verdict, now: datetime, *, seen: bool) -> None:
    """The sight of the file comes first: a crash after it only costs another look."""
    if seen and not attempt.file_seen:
        journal.file_seen(attempt.id)
    if verdict.reason is Reason.SETTLING and attempt.quiet_since is None:
        journal.quiet(attempt.id, now)
    if verdict.outcome is Outcome.STARTED and attempt.quiet_since is not None:
        journal.quiet(attempt.id, None)
    if verdict.outcome.is_conclusive:
        journal.conclude(attempt.id, verdict, now)
