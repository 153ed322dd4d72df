"""What the agent knows right now, shared by its loops: the owner's file, the last looks, and the hub's last word."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from makerhub.agent.home import Home, OwnPrinter, State
from makerhub.agent.journal import Journal
from makerhub.agent.rules import longest_seconds, may_begin, obstacle, willing
from makerhub.fleet.gateway import FOLDER, Connection, JobReport, PrinterState, Trouble
from makerhub.fleet.messages import LEASE_SECONDS, Key, PrinterNews, Reply, Seen, Unwilling, Wanted, Willing
from makerhub.fleet.poll import Observation

FRESH_SECONDS: Final = 60.0
"""How long a look counts as knowing what a printer does."""


def _local_now() -> datetime:
    return datetime.now().astimezone()


class Situation:
    """One for a running agent; only its own event loop changes it, but for the looks, which come from a thread."""

    def __init__(
        self,
        home: Home,
        journal: Journal,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        local: Callable[[], datetime] = _local_now,
    ) -> None:
        self.home = home
        self.journal = journal
        self.state: State = home.read()
        self.changed = asyncio.Event()
        self.keys: dict[UUID, Key] = {}
        self._version = home.version()
        self._monotonic = monotonic
        self._local = local
        self._looks: dict[UUID, tuple[float, JobReport | Trouble]] = {}
        self._wanted: dict[UUID, Wanted] = {}
        self._word_at = float("-inf")
        self._loop = asyncio.get_running_loop()
        journal.permit = self.may_begin

    def refresh(self) -> None:
        """Take over what a command of the owner changed in the file."""
        if (version := self.home.version()) != self._version:
            self.state, self._version = self.home.read(), version
            self.changed.set()

    def keep(self, printer: OwnPrinter) -> None:
        """Change one printer in the file, as it is there now."""
        self.home.write(self.home.read().with_printer(printer))
        self.refresh()

    def roster(self) -> Mapping[UUID, Connection]:
        """The printers for the poll loop."""
        return {printer.id: printer.connection for printer in self.state.printers if printer.connection}

    def sink(self, seen: list[Observation]) -> None:
        """The looks of the poll loop; called in a thread."""
        at = self._monotonic()
        news = [one for one in seen if _word(self.report_of(one.printer_id)) != _word(one.report)]
        self._looks.update({one.printer_id: (at, one.report) for one in seen})
        if news:
            self._loop.call_soon_threadsafe(self.changed.set)

    def report_of(self, printer_id: UUID) -> JobReport | Trouble | None:
        """The last look at the printer, however old."""
        look = self._looks.get(printer_id)
        return look[1] if look else None

    def prints(self, printer_id: UUID, file_name: str) -> bool:
        """Whether a fresh look shows this file of ours being printed."""
        at, report = self._looks.get(printer_id, (float("-inf"), None))
        is_fresh = self._monotonic() - at <= FRESH_SECONDS
        is_active = isinstance(report, JobReport) and report.state.is_active
        return is_fresh and is_active and isinstance(report, JobReport) and report.file_path == f"{FOLDER}/{file_name}"

    def is_printing(self) -> bool:
        """Whether any printer is active."""
        reports = (report for _, report in list(self._looks.values()))
        return any(isinstance(report, JobReport) and report.state.is_active for report in reports)

    def hear(self, reply: Reply, asked_at: float) -> None:
        """The hub's word, as of the moment at which it was asked."""
        self._wanted = {wanted.attempt_id: wanted for wanted in reply.wanted}
        self._word_at = asked_at
        for printer_id in reply.check:
            self.keys.pop(printer_id, None)  # it is looked at anew, and then told

    def lose_permission(self) -> None:
        """The hub knows this agent no more: nothing may begin that it gave."""
        self._wanted.clear()
        self._word_at = float("-inf")

    def may_begin(self, attempt_id: UUID) -> bool:
        """Whether the hub's word is fresh and the owner's rules let this attempt begin now."""
        wanted = self._wanted.get(attempt_id)
        is_fresh = self._monotonic() - self._word_at < LEASE_SECONDS
        return wanted is not None and wanted.may_send and not wanted.stop and is_fresh and self._rules_allow(wanted)

    def is_to_stop(self, attempt_id: UUID) -> bool:
        """Whether the maker wants this print stopped, by the hub's last word, however old."""
        wanted = self._wanted.get(attempt_id)
        return wanted is not None and wanted.stop

    def news_of(self, printer: OwnPrinter, busy: Sequence[UUID]) -> PrinterNews:
        """All that there is to tell of a printer; `busy` are the printers on which a print of ours is looked after."""
        look = self._looks.get(printer.id)
        would, why = self._willingness(printer, busy)
        return PrinterNews(
            printer_id=printer.id,
            stage=printer.stage,
            seen=Seen.of(look[1], max(0.0, self._monotonic() - look[0])) if look else None,
            key=self.keys.get(printer.id),
            willing=would,
            unwilling=why,
            longest_s=longest_seconds(self.state.rules),
        )

    def _willingness(self, printer: OwnPrinter, busy: Sequence[UUID]) -> tuple[Willing, Unwilling]:
        at, report = self._looks.get(printer.id, (float("-inf"), None))
        is_ready = isinstance(report, JobReport) and report.state is PrinterState.OPERATIONAL
        why = obstacle(self.state.rules, self._local())
        if why is Unwilling.NONE and printer.id in busy:
            why = Unwilling.OCCUPIED
        if why is Unwilling.NONE and not (is_ready and self._monotonic() - at <= FRESH_SECONDS):
            why = Unwilling.NOT_READY
        return (Willing.NOTHING, why) if why is not Unwilling.NONE else (willing(self.state.rules), why)

    def _rules_allow(self, wanted: Wanted) -> bool:
        return may_begin(self.state.rules, wanted, self._local())


def _word(report: JobReport | Trouble | None) -> str:
    """What makes a look news: another state, another file, another trouble."""
    if isinstance(report, JobReport):
        return f"{report.state} {report.file_path}"
    return str(report)
