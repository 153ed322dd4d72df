"""Look at many printers from one loop: often where something is about to happen, seldom where not.

Due printers stand in a heap; one that fails is an observation like any other, and the sweep goes on. What was seen is
handed to a sink in batches, at once where a printer does something else than before. (A heap in one asyncio task cost
2 % of a core for 10,000 intervals, a scheduler 26 %.)
"""

import asyncio
import contextlib
import heapq
import itertools
import logging
import math
import random
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from typing import Final, Protocol
from uuid import UUID

from makerhub.fleet.gateway import Connection, JobReport, PrinterState, PrinterTrouble, Trouble

log = logging.getLogger(__name__)

NOBODYS_TURN: Final = -1
LOOKS_A_BEAT: Final = 500
"""So many begin together at most: on a slow computer all at once would keep each other beyond the deadline."""

JITTER: Final = 0.1
"""Each delay is varied by this share, so that printers that started together drift apart."""


@dataclass(frozen=True)
class PollIntervals:
    """Seconds between two looks at a printer, by what was seen last; `tick_s` between two batches for the sink,
    `roster_s` between two readings of the roster.

    An unreachable printer is asked after `unreachable_s`, then after twice that, up to `unreachable_most_s`. What falls
    within `beat_s` is done together: looks that are due, and news that would not wait for the tick.
    """

    idle_s: float = 30.0
    printing_s: float = 10.0
    near_end_s: float = 2.0
    unreachable_s: float = 15.0
    unreachable_most_s: float = 300.0
    roster_s: float = 10.0
    tick_s: float = 1.0
    beat_s: float = 0.1

    def faster(self, factor: float) -> "PollIntervals":
        """The same for a clock that runs `factor` times as fast."""
        return PollIntervals(*(seconds / factor for seconds in astuple(self)))


DEFAULT_INTERVALS: Final = PollIntervals()


@dataclass(frozen=True, slots=True)
class Observation:
    """What one look at a printer brought: a report, or why there is none."""

    printer_id: UUID
    seen_at: datetime
    report: JobReport | Trouble


class Looker(Protocol):
    """The part of `PrinterGateway` that polling needs."""

    async def job(self, connection: Connection) -> JobReport:
        """What the printer is doing; raises PrinterTrouble."""


Roster = Callable[[], Mapping[UUID, Connection]]
"""The printers to look at now; may block."""

Sink = Callable[[list[Observation]], None]
"""Takes the observations of a tick; may block."""


def delay_s(intervals: PollIntervals, report: JobReport | Trouble, failures: int) -> float:
    """Seconds until the next look, before jitter; `failures` counts the troubles in a row, this one included."""
    if isinstance(report, Trouble):
        doublings = min(failures - 1, 30)
        return min(intervals.unreachable_s * 2.0**doublings, intervals.unreachable_most_s)
    if not report.state.is_active:
        return intervals.idle_s
    return intervals.near_end_s if is_near_end(report, intervals) else intervals.printing_s


def is_near_end(report: JobReport, intervals: PollIntervals) -> bool:
    """Whether the print may end before the next ordinary look."""
    left = report.print_time_left_s
    if left is not None:
        return left <= intervals.printing_s
    return (report.completion or 0.0) >= 99.0


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True, eq=False)
class _Watched:
    """A printer of the roster: its turn is the one entry of the heap that counts, or the look under way."""

    printer_id: UUID
    connection: Connection
    turn: int = NOBODYS_TURN
    doing: PrinterState | Trouble | None = None
    failures: int = 0  # in a row


class PollLoop:
    """Polls the printers of `roster` until `stop()`, and hands what it sees to `sink`.

    At most `concurrency` looks go on at once; one at an address that swallows everything takes as long as the
    gateway's deadline, so there have to be many. Roster and sink are called in a thread, the sink once at a time; one
    that raises is logged and the loop goes on: the next look makes up for observations that were lost.
    """

    def __init__(
        self,
        gateway: Looker,
        roster: Roster,
        sink: Sink,
        *,
        intervals: PollIntervals = DEFAULT_INTERVALS,
        concurrency: int = 1000,
        now: Callable[[], datetime] = _utc_now,
        rng: random.Random | None = None,
    ) -> None:
        self._gateway = gateway
        self._roster = roster
        self._sink = sink
        self._intervals = intervals
        self._concurrency = concurrency
        self._now = now
        self._rng = rng or random.Random()  # noqa: S311 (it spreads load and keeps no secret)
        self._stopping = asyncio.Event()
        self._due = asyncio.Event()
        self._news = asyncio.Event()
        self._watched: dict[UUID, _Watched] = {}
        self._heap: list[tuple[float, int, _Watched]] = []
        self._wakes_at = -math.inf
        self._numbers = itertools.count()
        self._looks: set[asyncio.Task[None]] = set()
        self._seen: list[Observation] = []

    def stop(self) -> None:
        """Let `run()` return soon: looks under way are dropped, what was seen is still handed over."""
        self._stopping.set()
        self._due.set()
        self._news.set()

    async def run(self) -> None:
        """Poll until `stop()` is called or the task is cancelled."""
        workers = [asyncio.create_task(self._keep_roster()), asyncio.create_task(self._keep_handing_over())]
        for worker in workers:
            worker.add_done_callback(lambda _: self.stop())
        try:
            while not self._stopping.is_set():
                self._begin_due_looks()
                await self._until_due()
        finally:
            self.stop()
            for look in self._looks:
                look.cancel()
            await asyncio.gather(*workers)

    # The roster

    async def _keep_roster(self) -> None:
        while not self._stopping.is_set():
            await self._refresh_roster()
            await _within(self._intervals.roster_s, self._stopping)

    async def _refresh_roster(self) -> None:
        try:
            self._take_over(await asyncio.to_thread(self._roster))
        except Exception:  # the loop outlives a database that is away
            log.exception("the printers to look at can not be listed; the last list stays")

    def _take_over(self, printers: Mapping[UUID, Connection]) -> None:
        """A printer that is new, or whose address or key changed, is looked at at once."""
        for gone in self._watched.keys() - printers.keys():
            self._watched.pop(gone).turn = NOBODYS_TURN
        for printer_id, connection in printers.items():
            watched = self._watched.get(printer_id)
            if watched is None or watched.connection != connection:
                if watched is not None:
                    watched.turn = NOBODYS_TURN
                self._watched[printer_id] = watched = _Watched(printer_id, connection)
                self._schedule(watched, 0.0)

    # The looks

    def _schedule(self, watched: _Watched, delay: float) -> None:
        due_at, watched.turn = _loop_time() + delay, next(self._numbers)
        heapq.heappush(self._heap, (due_at, watched.turn, watched))
        if due_at < self._wakes_at:
            self._due.set()

    async def _until_due(self) -> None:
        """Sleep until a look is due and may begin; at least for a beat, so that looks begin in batches."""
        is_full = len(self._looks) >= self._concurrency
        next_at = self._heap[0][0] if self._heap and not is_full else math.inf
        wait = next_at - _loop_time()
        if wait <= self._intervals.beat_s:
            await asyncio.sleep(self._intervals.beat_s)
        else:
            self._wakes_at = next_at
            self._due.clear()
            await _within(wait, self._due)
            self._wakes_at = -math.inf

    def _begin_due_looks(self) -> None:
        time, most = _loop_time(), min(self._concurrency, len(self._looks) + LOOKS_A_BEAT)
        while self._heap and self._heap[0][0] <= time and len(self._looks) < most:
            _, turn, watched = heapq.heappop(self._heap)
            if watched.turn == turn:
                look = asyncio.create_task(self._look(watched))
                self._looks.add(look)
                look.add_done_callback(self._end)

    def _end(self, look: asyncio.Task[None]) -> None:
        """A slot is free: what waited for one begins."""
        was_full = len(self._looks) >= self._concurrency
        self._looks.discard(look)
        if was_full and not self._stopping.is_set():
            self._begin_due_looks()
            self._due.set()

    async def _look(self, watched: _Watched) -> None:
        report = await self._ask(watched)
        if watched.turn == NOBODYS_TURN:
            return  # it left, or its connection changed, while we asked
        self._note(watched, report)
        delay = delay_s(self._intervals, report, watched.failures)
        self._schedule(watched, delay * self._rng.uniform(1 - JITTER, 1 + JITTER))

    async def _ask(self, watched: _Watched) -> JobReport | Trouble:
        try:
            return await self._gateway.job(watched.connection)
        except PrinterTrouble as trouble:
            return trouble.trouble
        except Exception:  # one printer must not end the sweep of all
            log.exception("looking at printer %s failed", watched.printer_id)
            return Trouble.UNEXPECTED

    def _note(self, watched: _Watched, report: JobReport | Trouble) -> None:
        self._seen.append(Observation(watched.printer_id, self._now(), report))
        if isinstance(report, Trouble):
            watched.failures += 1
            doing: PrinterState | Trouble = report
        else:
            watched.failures = 0
            doing = report.state
        if watched.doing is not doing:
            watched.doing = doing
            self._news.set()

    # What was seen

    async def _keep_handing_over(self) -> None:
        while not self._stopping.is_set():
            await _within(self._intervals.tick_s, self._news)
            await _within(self._intervals.beat_s, self._stopping)
            self._news.clear()
            await self._hand_over()
        await asyncio.gather(*self._looks, return_exceptions=True)
        await self._hand_over()

    async def _hand_over(self) -> None:
        seen, self._seen = self._seen, []
        if not seen:
            return
        try:
            await asyncio.to_thread(self._sink, seen)
        except Exception:  # observations can be made again
            log.exception("%d observations are lost", len(seen))


async def _within(seconds: float, event: asyncio.Event) -> None:
    """Wait for the event, for ever if `seconds` is infinite."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds if math.isfinite(seconds) else None):
            await event.wait()


def _loop_time() -> float:
    return asyncio.get_running_loop().time()
