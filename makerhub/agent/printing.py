"""Begin what the hub wants and the owner allows, and find out what became of it: the hub's own start protocol."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Protocol
from uuid import UUID

from makerhub.agent.hub import HubTrouble
from makerhub.agent.journal import Entry
from makerhub.agent.situation import Situation
from makerhub.errors import MakerhubError
from makerhub.fleet.gateway import PrinterGateway, PrinterTrouble, Trouble
from makerhub.fleet.messages import Wanted
from makerhub.fleet.start import cancel, reconcile, start
from makerhub.fleet.trial import is_trial
from makerhub.fleet.verdict import Attempt, Outcome, Reason, Verdict
from makerhub.gcode.plain_guard import check
from makerhub.gcode.print_file import PrintFile

log = logging.getLogger(__name__)

GIVE_UP: Final = timedelta(minutes=5)
"""A print that was given to the agent and could not be sent for so long goes back to the hub."""


class Source(Protocol):
    """The part of `HubLine` that printing needs."""

    async def fetch(self, wanted: Wanted, folder: Path) -> PrintFile:
        """The G-code; raises `HubTrouble`."""


class PrintDesk:
    """Looks after every live attempt of the journal, one after the other: a home has few printers."""

    def __init__(
        self,
        situation: Situation,
        gateway: PrinterGateway,
        source: Source,
        clock: Callable[[], datetime],
        *,
        tick_s: float = 2.0,
        doubt_s: float = 30.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._situation = situation
        self._journal = situation.journal
        self._gateway = gateway
        self._source = source
        self._clock = clock
        self._tick_s = tick_s
        self._doubt_s = doubt_s
        self._monotonic = monotonic
        self._later: dict[UUID, float] = {}
        self._safe: set[str] = set()
        self._removed: set[UUID] = set()

    async def run(self) -> None:
        """Look after prints until cancelled."""
        while True:
            await self.look_once()
            await asyncio.sleep(self._tick_s)

    async def look_once(self) -> None:
        """One round over all live attempts; what goes wrong with one leaves the others alone."""
        everything = await asyncio.to_thread(self._journal.entries, live=False)
        entries = [entry for entry in everything if entry.is_live]
        for entry in entries:
            if self._monotonic() < self._later.get(entry.wanted.attempt_id, float("-inf")):
                continue
            try:
                await self._look_after(entry)
            except Exception:
                log.exception("%s could not be looked after; it is tried again", entry.wanted.file_name)
                self._wait_longer(entry)
        await asyncio.to_thread(self._tidy, {entry.wanted.sha256 for entry in entries})
        await self._remove_trials(everything)

    async def _look_after(self, entry: Entry) -> None:
        printer = self._situation.state.printer(entry.wanted.printer_id)
        if printer is None or printer.connection is None:
            await self._give_up_late(entry, Reason.PRINTER_OFFLINE)
            return
        attempt = entry.attempt(printer.connection)
        is_to_stop = self._situation.is_to_stop(attempt.id)
        if entry.sent_at is None and is_to_stop:
            await self._conclude(attempt.id, Reason.STOPPED)
        elif entry.sent_at is None:
            await self._begin(entry, attempt)
        elif is_to_stop:
            await self._stop(attempt)
            await self._follow(entry, attempt)
        elif not (entry.outcome is Outcome.STARTED and self._situation.prints(printer.id, attempt.file_name)):
            await self._follow(entry, attempt)

    async def _begin(self, entry: Entry, attempt: Attempt) -> None:
        """The first sending, if it may be; what stands in its way for long sends the print back to the hub."""
        reason = Reason.CLAIMED
        if self._situation.may_begin(attempt.id):
            verdict = await self._send(entry, attempt)
            log.info("%s: %s, %s", attempt.file_name, verdict.outcome, verdict.reason)
            reason = verdict.reason
            if verdict.outcome.is_conclusive:
                self._situation.changed.set()
                return
        await self._give_up_late(entry, reason)

    async def _follow(self, entry: Entry, attempt: Attempt) -> None:
        verdict = await reconcile(self._gateway, self._journal, attempt, self._clock())
        may_send = entry.wanted.may_send and not self._situation.is_to_stop(attempt.id)
        if verdict.outcome is Outcome.SEND_AGAIN and may_send:
            verdict = await self._send(entry, attempt)
        if verdict.outcome is Outcome.ASK_HUMAN or verdict.trouble is not None:
            self._wait_longer(entry)
        if verdict.outcome.is_conclusive and verdict.outcome is not entry.outcome:
            log.info("%s: %s, %s", attempt.file_name, verdict.outcome, verdict.reason)
            self._situation.changed.set()

    async def _stop(self, attempt: Attempt) -> None:
        """Cancel it if it prints; a printer that does not answer is asked again in the next round."""
        try:
            if await cancel(self._gateway, attempt):
                log.info("%s: cancelled, since its maker stopped it at the hub", attempt.file_name)
        except PrinterTrouble as trouble:
            log.info("%s could not be stopped yet: %s", attempt.file_name, trouble)

    async def _send(self, entry: Entry, attempt: Attempt) -> Verdict:
        try:
            gcode = await self._source.fetch(entry.wanted, self._situation.home.gcode)
        except HubTrouble as trouble:
            log.warning("%s: %s", attempt.file_name, trouble)
            return Verdict(Outcome.NOT_SENT, Reason.NOT_FETCHED)
        if not await self._is_safe(entry, gcode):
            return await self._conclude(attempt.id, Reason.NOT_SAFE)
        try:
            return await start(self._gateway, self._journal, attempt, gcode, self._clock())
        except MakerhubError as error:  # the file is not the one that the hub described
            log.error("%s: %s", attempt.file_name, error)
            return await self._conclude(attempt.id, Reason.NOT_SAFE)

    async def _is_safe(self, entry: Entry, gcode: PrintFile) -> bool:
        """Hold the file against the guard, here too, with the limits that were agreed when the agent was paired."""
        printer = self._situation.state.printer(entry.wanted.printer_id)
        if printer is None:
            return False
        if entry.wanted.sha256 in self._safe:
            return True
        findings = await asyncio.to_thread(check, gcode, printer.limits)
        for finding in findings[:3]:
            log.error("%s line %d: %s %r", entry.wanted.file_name, finding.line, finding.reason, finding.excerpt)
        if not findings:
            self._safe.add(entry.wanted.sha256)
        return not findings

    async def _give_up_late(self, entry: Entry, reason: Reason) -> None:
        if entry.sends == 0 and entry.wanted.may_send and self._clock() - entry.given_at > GIVE_UP:
            await self._conclude(entry.wanted.attempt_id, reason)

    async def _conclude(self, attempt_id: UUID, reason: Reason) -> Verdict:
        """Nothing was sent, and nothing will be: only this loop sends."""
        verdict = Verdict(Outcome.NOT_STARTED, reason)
        await asyncio.to_thread(self._journal.conclude, attempt_id, verdict, self._clock())
        self._situation.changed.set()
        return verdict

    def _wait_longer(self, entry: Entry) -> None:
        self._later[entry.wanted.attempt_id] = self._monotonic() + self._doubt_s

    async def _remove_trials(self, entries: Sequence[Entry]) -> None:
        """Remove the files of test prints that are over from OctoPrint, where the key may; once in each run."""
        for entry in entries:
            attempt_id, name = entry.wanted.attempt_id, entry.wanted.file_name
            if entry.is_live or not entry.sends or attempt_id in self._removed or not is_trial(name):
                continue
            printer = self._situation.state.printer(entry.wanted.printer_id)
            if printer is None or printer.connection is None:
                continue
            if self._monotonic() < self._later.get(attempt_id, float("-inf")):
                continue
            try:
                await self._gateway.remove(printer.connection, name)
            except PrinterTrouble as trouble:
                if trouble.trouble is not Trouble.KEY_REFUSED:
                    self._wait_longer(entry)
                    continue
            self._removed.add(attempt_id)

    def _tidy(self, needed: set[str]) -> None:
        """Forget the files of what is over."""
        folder = self._situation.home.gcode
        for file in folder.iterdir() if folder.is_dir() else ():
            if file.name.partition(".")[0] not in needed:
                file.unlink(missing_ok=True)
                self._safe.discard(file.name)
