"""The start protocol in a seeded world of faults: killed anywhere, run twice at once, never a second print.

Two workers drive the real `start()` and `reconcile()`, one step at a time, against a printer in memory that behaves as
OctoPrint was seen to: lost requests and answers, uploads that land late or copy slowly, full disks, restarts and errors
without a history, owners who print, cancel and delete. Virtual time; prints take longer than a file may be sent again.
Each safety mechanism is removed once, and the world must notice.
"""

import asyncio
import hashlib
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import coroutine
from typing import Any
from uuid import UUID

import pytest

from makerhub.fleet import start as start_module
from makerhub.fleet import verdict as verdict_module
from makerhub.fleet.gateway import (
    Connection,
    FileReport,
    JobReport,
    KeyAnswer,
    KeyReport,
    KeyRequest,
    PrinterState,
    PrinterTrouble,
    Trouble,
    UploadResult,
)
from makerhub.fleet.start import reconcile, start
from makerhub.fleet.verdict import Attempt, Outcome, Reason, Verdict
from makerhub.gcode.print_file import PrintFile

SEEDS = 2000
GCODE = b"G4 P1000\nM104 S0\nM140 S0\n"
SHA1 = hashlib.sha1(GCODE, usedforsecurity=False).hexdigest()
EPOCH = datetime(2030, 1, 1, tzinfo=UTC)
CONNECTION = Connection("http://printer.invalid", "key")
LONGEST_CALL_S = 20  # a worker that hangs longer in one call is killed
LONGEST_UPLOAD_S = 100
FINAL = (Outcome.NOT_STARTED, Outcome.DONE, Outcome.FAILED)


class Killed(Exception):
    """The process ended here."""


@coroutine
def step() -> Generator[None, None, None]:
    """Let the world go on; a worker may be killed here."""
    yield


@dataclass
class StoredFile:
    arrived_at: float
    whole: bool = True
    successes: int = 0
    failures: int = 0


@dataclass
class World:
    """One printer and its owner."""

    rng: random.Random
    faults: bool = True
    never_overwrites: bool = True
    time: float = 0.0
    state: PrinterState = PrinterState.OPERATIONAL
    printing: str | None = None
    ends_at: float = 0.0
    files: dict[str, StoredFile] = field(default_factory=dict)
    late: list[tuple[float, Callable[[], object]]] = field(default_factory=list)
    prints: Counter[str] = field(default_factory=Counter)
    finished: Counter[str] = field(default_factory=Counter)

    def happens(self, probability: float) -> bool:
        return self.faults and self.rng.random() < probability

    @property
    def now(self) -> datetime:
        return EPOCH + timedelta(seconds=self.time)

    def land(self, name: str) -> UploadResult:
        """An upload reached the server whole."""
        if name in self.files and self.never_overwrites:
            raise PrinterTrouble(Trouble.REFUSED)
        self.files[name] = StoredFile(self.time)
        if self.state is not PrinterState.OPERATIONAL:
            return UploadResult(effective_print=False)
        self._begin(name)
        return UploadResult(effective_print=True)

    def land_slowly(self, name: str) -> None:
        """The server copies the file, and begins with it afterwards."""
        if name not in self.files:
            self.files[name] = StoredFile(self.time, whole=False)
            self.late.append((self.time + self.rng.uniform(1, 20), lambda: self._copied(name)))

    def fill_the_disk(self, name: str) -> None:
        if name not in self.files:
            self.files[name] = StoredFile(self.time, whole=False)

    def live(self, seconds: float) -> None:
        """Time passes, and what was to happen happens."""
        self.time += seconds
        for due in [event for event in self.late if event[0] <= self.time]:
            self.late.remove(due)
            due[1]()
        if self.printing and self.time >= self.ends_at:
            self._end(succeeded=not self.happens(0.05), history=True)
        if self.happens(0.02):
            self._mischief()
        if self.state in (PrinterState.OFFLINE, PrinterState.ERROR) and self.rng.random() < 0.05:
            self.state = PrinterState.OPERATIONAL

    def truth(self, name: str) -> Outcome | None:
        """What a person at the printer answers; None while it prints."""
        if self.printing == name:
            return None
        if not self.prints[name]:
            return Outcome.NOT_STARTED
        return Outcome.DONE if self.finished[name] else Outcome.FAILED

    def _copied(self, name: str) -> None:
        if name in self.files:
            del self.files[name]
            self.land(name)

    def _begin(self, name: str) -> None:
        self.state, self.printing = PrinterState.PRINTING, name
        self.ends_at = self.time + self.rng.uniform(300, 900)
        self.prints[name] += 1
        job = name.partition("-")[0]
        if self.prints[name] > 1 or any(done.startswith(f"{job}-") for done in self.finished):
            raise AssertionError(f"{name} or its job is printed twice")

    def _end(self, *, succeeded: bool, history: bool, state: PrinterState = PrinterState.OPERATIONAL) -> None:
        name, self.printing, self.state = self.printing, None, state
        if name is None or name == "vase.gcode":
            return
        if succeeded:
            self.finished[name] += 1
        if history:
            self.files[name].successes += succeeded
            self.files[name].failures += not succeeded

    def _mischief(self) -> None:
        match self.rng.choice(["restart", "error_while_paused", "cancel", "own_print", "delete", "off"]):
            case "restart" if self.printing:
                self._end(succeeded=False, history=False)
            case "error_while_paused" if self.printing:
                self._end(succeeded=False, history=False, state=PrinterState.ERROR)
            case "cancel" if self.printing:
                self._end(succeeded=False, history=True)
            case "own_print" if self.state is PrinterState.OPERATIONAL:
                self.state, self.printing, self.ends_at = PrinterState.PRINTING, "vase.gcode", self.time + 200
            case "off" if not self.printing:
                self.state = PrinterState.OFFLINE
            case "delete":
                old = [name for name, file in self.files.items() if self.time - file.arrived_at > 150]
                for name in set(old) - {self.printing}:
                    del self.files[name]


@dataclass
class Gateway:
    """The printer as seen over a bad line; `PrinterGateway` in memory."""

    world: World

    async def job(self, connection: Connection) -> JobReport:
        await self._line(connection)
        printing = self.world.printing
        path = printing if printing in (None, "vase.gcode") else f"makerhub/{printing}"
        return JobReport(self.world.state, 50.0 if printing else None, path)

    async def file(self, connection: Connection, name: str) -> FileReport | None:
        await self._line(connection)
        stored = self.world.files.get(name)
        if stored is None:
            return None
        size, sha1 = (len(GCODE), SHA1) if stored.whole else (0, "da39")
        return FileReport(size, sha1, stored.successes, stored.failures)

    async def upload_and_print(self, connection: Connection, name: str, gcode: PrintFile) -> UploadResult:
        assert gcode == GCODE
        await self._line(connection)
        world = self.world
        if world.happens(0.15):
            world.late.append((world.time + world.rng.uniform(1, LONGEST_UPLOAD_S), lambda: self._land_late(name)))
            raise PrinterTrouble(Trouble.TIMED_OUT)
        if world.happens(0.1):
            world.land_slowly(name)
            raise PrinterTrouble(Trouble.TIMED_OUT)
        if world.happens(0.1):
            world.fill_the_disk(name)
            raise PrinterTrouble(Trouble.SERVER_ERROR)
        result = world.land(name)
        await step()
        if world.happens(0.2):
            raise PrinterTrouble(Trouble.UNREACHABLE)
        return result

    def _land_late(self, name: str) -> None:
        if name not in self.world.files or not self.world.never_overwrites:
            self.world.land(name)

    async def _line(self, connection: Connection) -> None:
        assert connection is CONNECTION
        await step()
        if self.world.happens(0.1):
            raise PrinterTrouble(self.world.rng.choice([Trouble.TIMED_OUT, Trouble.KEY_REFUSED, Trouble.SERVER_ERROR]))

    async def version(self, connection: Connection) -> str:
        raise NotImplementedError

    async def key_report(self, connection: Connection) -> KeyReport:
        raise NotImplementedError

    async def remove(self, connection: Connection, name: str) -> None:
        raise NotImplementedError

    async def cancel(self, connection: Connection) -> None:
        raise NotImplementedError

    async def request_key(self, url: str, app: str, user: str | None = None) -> KeyRequest:
        raise NotImplementedError

    async def poll_key(self, url: str, token: str) -> KeyAnswer:
        raise NotImplementedError


@dataclass
class Journal:
    """What the hub remembers; it survives every kill, and a kill may come before any write."""

    world: World
    attempts: dict[UUID, Attempt] = field(default_factory=dict)
    outcomes: dict[UUID, Outcome] = field(default_factory=dict)

    def plan(self, job: int, number: int) -> None:
        attempt_id = UUID(int=job * 1000 + number)
        self.attempts[attempt_id] = Attempt(attempt_id, CONNECTION, f"{job}-{number}.gcode", len(GCODE), SHA1)

    def sending(self, attempt: Attempt, now: datetime) -> bool:
        self._maybe_killed()
        recorded = self.attempts[attempt.id]
        if recorded.sends != attempt.sends or self.outcomes.get(attempt.id) in FINAL:
            return False
        sent_at = recorded.sent_at or now
        self.attempts[attempt.id] = replace(recorded, sends=recorded.sends + 1, sent_at=sent_at)
        return True

    def file_seen(self, attempt_id: UUID) -> None:
        self._maybe_killed()
        self.attempts[attempt_id] = replace(self.attempts[attempt_id], file_seen=True)

    def quiet(self, attempt_id: UUID, since: datetime | None) -> None:
        self._maybe_killed()
        self.attempts[attempt_id] = replace(self.attempts[attempt_id], quiet_since=since)

    def conclude(self, attempt_id: UUID, verdict: Verdict, now: datetime) -> None:
        assert now <= self.world.now
        self._maybe_killed()
        self.settle(attempt_id, verdict.outcome)

    def settle(self, attempt_id: UUID, outcome: Outcome) -> None:
        if self.outcomes.get(attempt_id) not in FINAL:
            self.outcomes[attempt_id] = outcome

    def _maybe_killed(self) -> None:
        if self.world.happens(0.05):
            raise Killed


class Hub:
    """Two workers on one printer, three jobs, and a person who answers what they are asked."""

    def __init__(self, world: World) -> None:
        self.world, self.journal, self.gateway = world, Journal(world), Gateway(world)
        self.workers: list[tuple[float, Coroutine[Any, Any, None]] | None] = [None, None]
        self.made: list[int] = []
        self.job, self.number = 1, 1
        self.journal.plan(1, 1)

    @property
    def current(self) -> Attempt:
        return self.journal.attempts[UUID(int=self.job * 1000 + self.number)]

    def go_on(self) -> None:
        """One step of the whole."""
        world = self.world
        world.live(world.rng.choice([0.1, 1.0, 5.0]) if any(self.workers) else world.rng.choice([5.0, 60.0]))
        index = world.rng.randrange(2)
        self.workers[index] = self._advance(self.workers[index])
        self._answer()
        self._plan()

    def _advance(
        self, worker: tuple[float, Coroutine[Any, Any, None]] | None
    ) -> tuple[float, Coroutine[Any, Any, None]] | None:
        began_at, work = worker or (self.world.time, self._work(self.current))
        if self.world.time - began_at > LONGEST_CALL_S or self.world.happens(0.03):
            work.close()
            return None
        try:
            work.send(None)
        except (StopIteration, Killed):
            return None
        return began_at, work

    async def _work(self, attempt: Attempt) -> None:
        if attempt.sent_at is not None:
            verdict = await reconcile(self.gateway, self.journal, attempt, self.world.now)
            if verdict.outcome is not Outcome.SEND_AGAIN:
                return
        await start(self.gateway, self.journal, attempt, GCODE, self.world.now)

    def _answer(self) -> None:
        if self.journal.outcomes.get(self.current.id) is Outcome.ASK_HUMAN and self.world.rng.random() < 0.2:
            truth = self.world.truth(self.current.file_name)
            if truth:
                self.journal.settle(self.current.id, truth)

    def _plan(self) -> None:
        outcome = self.journal.outcomes.get(self.current.id)
        if outcome is Outcome.DONE:
            self.made.append(self.job)
            self.job, self.number = self.job + 1, 1
        elif outcome in FINAL:
            self.number += 1
        else:
            return
        self.journal.plan(self.job, self.number)

    def close(self) -> None:
        for worker in self.workers:
            if worker:
                worker[1].close()


async def inline(function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Any:
    """`asyncio.to_thread` without a thread: the world decides what happens next."""
    await step()
    return function(*arguments, **named)


def live_through(seed: int, *, jobs: int = 3, never_overwrites: bool = True) -> None:
    """One life: faults for a while, then none; everything must come to its end, and no job be printed twice."""
    world = World(random.Random(seed), never_overwrites=never_overwrites)  # noqa: S311 (repeatable, no secret)
    hub = Hub(world)
    try:
        for number in range(1500):
            world.faults = number < 250
            hub.go_on()
            if hub.job > jobs:
                break
        assert hub.made == list(range(1, jobs + 1)), "not all came to an end"
        for attempt_id, outcome in hub.journal.outcomes.items():
            name = hub.journal.attempts[attempt_id].file_name
            assert outcome is world.truth(name), f"{name} is recorded as {outcome}"
    finally:
        hub.close()


@pytest.fixture(autouse=True)
def _no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asyncio, "to_thread", inline)


def live_through_all(*, never_overwrites: bool = True) -> None:
    """Many lives; the error names the seed of the first that goes wrong."""
    for seed in range(SEEDS):
        try:
            live_through(seed, never_overwrites=never_overwrites)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error


def test_no_job_is_printed_twice_and_none_is_lost() -> None:
    live_through_all()


def forget_the_file(journal: Journal, attempt_id: UUID) -> None:
    """A journal that remembers no sign of a file."""


def hasty(before: Reason) -> Callable[..., Verdict]:
    """Rules that take doubt for “never started”."""

    def decide(*arguments: Any) -> Verdict:
        verdict = verdict_module.decide(*arguments)
        return Verdict(Outcome.NOT_STARTED, verdict.reason) if verdict.reason is before else verdict

    return decide


def hasty_upload(result: UploadResult | Trouble) -> Verdict:
    if isinstance(result, Trouble):
        return Verdict(Outcome.NOT_STARTED, Reason.PRINTER_TROUBLE)
    return verdict_module.decide_by_upload(result)


def impatient(*arguments: Any) -> Verdict:
    verdict = verdict_module.decide(*arguments)
    waits = verdict == Verdict(Outcome.WAIT, Reason.NOT_ARRIVED)
    return Verdict(Outcome.ASK_HUMAN, Reason.FILE_GONE) if waits else verdict


MUTANTS: dict[str, list[tuple[object, str, object]]] = {
    "a trouble with the upload counts as not started": [(start_module, "decide_by_upload", hasty_upload)],
    "an absent file counts as not started": [(start_module, "decide", hasty(Reason.NOT_ARRIVED))],
    "a missing history counts as not started": [(start_module, "decide", hasty(Reason.NO_HISTORY))],
    "a file that is gone counts as not started": [(start_module, "decide", hasty(Reason.FILE_GONE))],
    "a file that settles counts as not started": [(start_module, "decide", hasty(Reason.SETTLING))],
    "a file may be sent again for ever, and no sign of it is remembered": [
        (verdict_module, "SEND_WINDOW", timedelta(days=1)),
        (Journal, "file_seen", forget_the_file),
    ],
    "a human is asked while a sending may be under way": [(start_module, "decide", impatient)],
    "a damaged file is given no time to settle": [(verdict_module, "SETTLING", timedelta(0))],
}


@pytest.mark.parametrize("name", MUTANTS)
def test_the_world_notices_when_a_safety_mechanism_is_removed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for owner, attribute, instead in MUTANTS[name]:
        monkeypatch.setattr(owner, attribute, instead)
    with pytest.raises(AssertionError):
        live_through_all()


def test_the_world_notices_a_server_that_overwrites() -> None:
    with pytest.raises(AssertionError, match="printed twice"):
        live_through_all(never_overwrites=False)
