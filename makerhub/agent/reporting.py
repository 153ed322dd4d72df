"""Tell the hub what is new, and take its word: seldom where nothing happens, at once where something does."""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Final, Protocol, TypeVar
from uuid import UUID

import msgspec

from makerhub.agent.hub import HubTrouble, TokenRefused
from makerhub.agent.situation import Situation
from makerhub.fleet.messages import IDLE_SECONDS, PRINTING_SECONDS, PrinterNews, Reply, Report

log = logging.getLogger(__name__)

FIRST_RETRY_SECONDS: Final = 2.0
REFUSED_SECONDS: Final = 600.0
ATTENDED_SECONDS: Final = 3.0
"""Between two reports while somebody looks on at the hub."""
Value = TypeVar("Value")


@dataclass(frozen=True)
class Pace:
    """Seconds between two reports: while all printers idle, while one prints, and at least, however much is new."""

    idle_s: float = IDLE_SECONDS
    printing_s: float = PRINTING_SECONDS
    least_s: float = 1.0


class Hub(Protocol):
    """The part of `HubLine` that reporting needs."""

    async def report(self, report: Report) -> Reply:
        """Tell what is new; raises `TokenRefused` or `HubTrouble`."""


class Reporter:
    """Reports until it is cancelled. A hub that no longer knows this agent is asked again, seldom: it may come back."""

    def __init__(
        self,
        situation: Situation,
        hub: Hub,
        clock: Callable[[], datetime],
        *,
        pace: Pace = Pace(),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._situation = situation
        self._journal = situation.journal
        self._hub = hub
        self._clock = clock
        self._pace = pace
        self._monotonic = monotonic
        self._sequence = 0
        self._told: dict[UUID, PrinterNews] = {}
        self._asked_at = float("-inf")
        self._failures = 0
        self._pause_s = 0.0
        self._is_attended = False

    async def run(self) -> None:
        """Report whenever it is time."""
        while True:
            await self._wait()
            try:
                await self.report_once()
            except TokenRefused as refused:
                log.error("%s", refused)
                self._situation.lose_permission()
                self._failures, self._pause_s = 0, REFUSED_SECONDS
            except HubTrouble as trouble:
                self._failures += 1
                log.log(logging.WARNING if self._failures == 1 else logging.DEBUG, "%s It is tried again.", trouble)

    async def report_once(self) -> Reply:
        """One report and its reply; what the hub has committed is not told again."""
        now = self._clock()
        attempts, revisions = self._journal.news(now)
        printers = self._printers()
        self._sequence += 1
        self._asked_at = asked_at = self._monotonic()
        self._situation.changed.clear()
        report = Report(self._journal.boot, self._sequence, self._changed(printers), attempts, version=agent_version())
        reply = await self._hub.report(report)
        self._failures, self._pause_s, self._is_attended = 0, reply.pause_s, reply.soon
        await asyncio.to_thread(self._take, report, reply, revisions)
        if (reply.boot, reply.sequence) == (report.boot, report.sequence):
            self._told.update(printers)
        self._situation.hear(reply, asked_at)
        return reply

    def _take(self, report: Report, reply: Reply, revisions: Mapping[UUID, int]) -> None:
        """Write the reply down. One that knows of later reports than ours speaks of another start of this journal."""
        if (reply.boot, reply.sequence) == (report.boot, report.sequence):
            self._journal.acknowledge(revisions)
        elif reply.boot >= self._journal.boot:
            self._journal.boot_above(reply.boot)
            self._sequence = 0
        self._journal.take(reply.wanted, self._clock())
        self._journal.note_time(self._clock())

    def _printers(self) -> dict[UUID, PrinterNews]:
        busy = [entry.wanted.printer_id for entry in self._journal.entries()]
        return {printer.id: self._situation.news_of(printer, busy) for printer in self._situation.state.printers}

    def _changed(self, printers: Mapping[UUID, PrinterNews]) -> list[PrinterNews]:
        """What the hub does not know yet; a look is told each time, since its age is what shows that we live."""
        return [
            msgspec.structs.replace(news, stage=_if_new(news.stage, told.stage), key=_if_new(news.key, told.key))
            if (told := self._told.get(printer_id))
            else news
            for printer_id, news in printers.items()
        ]

    def is_urgent(self) -> bool:
        """Whether something happened that the hub should hear at once."""
        if self._journal.news(self._clock())[1]:
            return True
        printers = self._printers()
        return printers.keys() != self._told.keys() or any(
            _event(news) != _event(self._told[printer_id]) for printer_id, news in printers.items()
        )

    def delay_s(self) -> float:
        """Seconds from the last report until the next one is due, if nothing more happens."""
        if self._failures:
            longest = self._pace.idle_s
            return min(FIRST_RETRY_SECONDS * self._pace.least_s * 2.0 ** min(self._failures - 1, 10), longest)
        if self._pause_s != REFUSED_SECONDS and self.is_urgent():
            return self._pace.least_s
        quiet = self._pace.printing_s if self._situation.is_printing() else self._pace.idle_s
        if self._is_attended:
            quiet = min(quiet, ATTENDED_SECONDS)
        return max(quiet, self._pause_s)

    async def _wait(self) -> None:
        """Until a report is due; what happens meanwhile can bring it forward."""
        spread = random.uniform(1.0, 1.1)  # noqa: S311 - it spreads load and keeps no secret
        while (left := self._asked_at + self.delay_s() * spread - self._monotonic()) > 0:
            self._situation.changed.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._situation.changed.wait(), min(left, self._pace.printing_s))
            if self._failures:
                await asyncio.sleep(min(left, self._pace.least_s))


def agent_version() -> str:
    """The version of this program, however it was installed."""
    for name in ("makerhub-agent", "makerhub"):
        with contextlib.suppress(PackageNotFoundError):
            return version(name)
    return ""


def _if_new(value: Value, told: Value) -> Value | None:
    return None if value == told else value


def _event(news: PrinterNews) -> tuple[object, ...]:
    """What is news at once: not how far a print has come, and not how old a look is."""
    seen = news.seen
    state = (seen.state, seen.file_path, seen.trouble) if seen else None
    return news.stage, news.key, news.willing, news.unwilling, news.longest_s, state
