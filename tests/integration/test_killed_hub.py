"""The main job through the pages of a hub that is killed again and again: nothing confirmed is lost, nothing is
printed twice, and everything arrives.

Failures show the seed, the moments of the kills, and the end of the hub's log.
"""

import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

import pytest
from hubs import FastTime, found, prints, wait_until
from integration.crew import Crew
from integration.killable_hub import TIME_SPEED, KillableHub, hub_settings
from sqlmodel import SQLModel, col, func, select

from makerhub.db import Database
from makerhub.demand.models import RequestState, SupplyRequest
from makerhub.printers.models import Printer, PrinterState
from makerhub.production.models import Attempt, AttemptState, JobState, PrintJob
from makerhub.simulation.network import Network
from makerhub.simulation.real_octoprint import RealOctoPrint
from makerhub.trace.invariants import breaches
from makerhub.trace.service import lots_of_request, trace

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGKILL here")

PIECES = 2
OPEN_REQUESTS = 2
PATIENCE_SECONDS = 20
"""How long a moment is waited for, before the hub is killed anyway."""


@dataclass
class Reaper:
    """Kills the hub at one moment after the other, in a thread of its own, and starts it again each time.

    A moment is a word: `any` (seconds after the start), `posting` (some milliseconds into the sending of a form),
    `confirmed` (right after its answer: once for each kind of form before the first comes again), the state of an
    attempt, or `octoprint` (which is killed instead, mid-print).
    """

    hub: KillableHub
    database: Database
    octoprint: RealOctoPrint
    rng: random.Random
    moments: Sequence[str]
    check: Callable[[], None]
    happened: list[str] = field(default_factory=list)
    found_sending: int = 0
    struck: set[str] = field(default_factory=set)
    stopped: bool = False
    _wanted: str = ""
    _seen: threading.Event = field(default_factory=threading.Event)

    def watch(self, moment: str, form: str) -> None:
        """Told by the crew what it does now."""
        if moment != self._wanted or (moment == "confirmed" and form in self.struck):
            return
        if moment == "confirmed":
            self.struck.add(form)
        self._wanted = ""
        self._seen.set()

    def run(self) -> None:
        for moment in self.moments:
            came = self._await(moment)
            if self.stopped:
                return
            if moment == "octoprint":
                self.octoprint.kill()
                self.octoprint.start()
            else:
                self.hub.kill()
                self.check()
                self.found_sending += self._is_there("sending")
                self.hub.start()
            self.happened.append(moment if came else f"no {moment}")

    def _await(self, moment: str) -> bool:
        if moment == "any":
            time.sleep(self.rng.uniform(0.1, 8))
            return True
        if moment in ("posting", "confirmed"):
            if self.struck >= FORMS:
                self.struck.clear()
            self._seen.clear()
            self._wanted = moment
            came = self._seen.wait(PATIENCE_SECONDS)
            self._wanted = ""
            if moment == "posting":
                time.sleep(self.rng.uniform(0, 0.03))
            return came
        if moment == "octoprint":
            return self._await_attempt("printing", self.octoprint.url)
        return self._await_attempt(moment)

    def _await_attempt(self, state: str, url: str = "") -> bool:
        """Look each millisecond whether an attempt is in this state on a printer at that address."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (came := self._is_there(state, url)) and time.monotonic() < deadline:
            time.sleep(0.001)
        return came

    def _is_there(self, state: str, url: str = "") -> bool:
        """Asked through the hub's own SQLite: two copies of it in one process undo each other's locks."""
        on_printer = select(Attempt).join(Printer, col(Printer.id) == Attempt.printer_id)
        with self.database.reading() as session:
            wanted = on_printer.where(Attempt.state == state, col(Printer.url).startswith(url))
            return session.exec(wanted).first() is not None


class Killing(Protocol):
    """What kills in a thread of its own, one moment after the other."""

    stopped: bool

    @property
    def moments(self) -> Sequence[object]:
        """All that are to come."""

    @property
    def happened(self) -> Sequence[str]:
        """Those that came."""

    def run(self) -> None:
        """Go through them all."""


FORMS = frozenset({"requests", "accept", "offer", "count", "inspect", "pack", "taken", "hand-over"})
"""The forms that each request passes; a plate is cleared with the count, and a question comes when it comes."""

KILLS = ("any", "any", "preparing", "printing", "finished", *["posting"] * 3, *["sending"] * 4, *["confirmed"] * 8)


def moments(rng: random.Random, kills: int) -> list[str]:
    """Every kind of moment in an order of the seed's own; OctoPrint itself dies after each ten."""
    chosen = [KILLS[number % len(KILLS)] for number in range(kills)]
    rng.shuffle(chosen)
    for place in range(5, kills, 10):
        chosen.insert(place, "octoprint")
    return chosen


@pytest.fixture
def clock() -> FastTime:
    return FastTime(TIME_SPEED)


@pytest.fixture
def network(tmp_path: Path) -> Network:
    return found(hub_settings(tmp_path))


@pytest.fixture
def database(tmp_path: Path, network: Network) -> Iterator[Database]:
    assert network
    database = Database(hub_settings(tmp_path).database)
    yield database
    database.dispose()


@pytest.fixture
def killable(tmp_path: Path, clock: FastTime, network: Network) -> Iterator[KillableHub]:
    assert network
    hub = KillableHub(tmp_path, clock)
    hub.start()
    yield hub
    hub.kill()


@pytest.fixture
def crew(network: Network, killable: KillableHub, two_octoprints: Sequence[RealOctoPrint], database: Database) -> Crew:
    """Two makers have registered their printers; the first wants to be asked before each print."""
    makers = network.makers[: len(two_octoprints)]
    crew = Crew(network, dict(zip((maker.id for maker in makers), two_octoprints, strict=True)), killable.server)
    wait_until(lambda: _serves(killable), "the hub to serve its pages")
    for number, maker in enumerate(makers):
        crew.register_printer(maker, automatic=number > 0)
    wait_until(lambda: _count(database, Printer, Printer.state == PrinterState.ACTIVE) == 2, "both keys to be checked")
    return crew


@pytest.mark.parametrize(
    ("seed", "kills"), [(1, 20), pytest.param(2, 200, marks=pytest.mark.soak)], ids=["20 kills", "200 kills"]
)
def test_the_main_job_survives(seed: int, kills: int, crew: Crew, killable: KillableHub, database: Database) -> None:
    rng = random.Random(seed)  # noqa: S311 (a failure has to be repeatable)
    first_printer = next(iter(crew.octoprints.values()))

    def check() -> None:
        with database.reading() as session:
            lost = [promise.what for promise in list(crew.promises) if not promise.holds(session)]
        assert not lost, f"confirmed and lost: {lost}"

    reaper = Reaper(killable, database, first_printer, rng, moments(rng, kills), check)
    crew.watch = reaper.watch
    asked = live_through(crew, reaper, database)
    print(f"seed {seed}: {asked} requests, {Counter(reaper.happened)}, {Counter(crew.answered)} answered, ")
    print(f"{reaper.found_sending} left in their sending, {len(crew.promises)} promises, killed after {reaper.struck}")
    print(killable.log()[-3000:])

    check()
    assert killable.starts == kills + 1
    assert reaper.found_sending >= kills // 10, "too few kills left an attempt in its sending"
    assert_everything_arrived(database, asked)
    assert_nothing_was_printed_twice(database, crew.octoprints)


def live_through(crew: Crew, reaper: Killing, database: Database) -> int:
    """Ask, make and deliver while the reaper goes about, and to the end afterwards; gives the number of requests."""
    asked = 0
    deadline = time.monotonic() + 60 + 30 * len(reaper.moments)
    with ThreadPoolExecutor(1, "reaper") as pool:
        reaping = pool.submit(reaper.run)
        try:
            while not reaping.done() or unfulfilled(database):
                assert time.monotonic() < deadline, f"not everything arrived; killed at {reaper.happened}"
                if not reaping.done() and unfulfilled(database) < OPEN_REQUESTS:
                    asked += crew.ask(PIECES)
                crew.act()
                time.sleep(0.1)
                if reaping.done():
                    reaping.result()
        finally:
            reaper.stopped = True
    return asked


def unfulfilled(database: Database) -> int:
    return _count(database, SupplyRequest, SupplyRequest.state != RequestState.FULFILLED)


def assert_everything_arrived(database: Database, asked: int) -> None:
    with database.reading() as session:
        assert breaches(session) == []
        requests = session.exec(select(SupplyRequest)).all()
        assert len(requests) == asked
        assert {request.state for request in requests} == {RequestState.FULFILLED}
        assert {job.state for job in session.exec(select(PrintJob))} <= {JobState.DONE, JobState.CANCELLED}
        for request in requests:
            traces = [trace(session, lot.label) for lot in lots_of_request(session, request.id)]
            mine = [to for found in traces for to in found.recipients if to.request_id == request.id]
            assert all(found.is_complete for found in traces)
            assert sum(to.quantity for to in mine) == PIECES


def assert_nothing_was_printed_twice(database: Database, octoprints: Mapping[UUID, RealOctoPrint]) -> None:
    histories = {name: counts for octoprint in octoprints.values() for name, counts in prints(octoprint).items()}
    with database.reading() as session:
        attempts = {attempt.file_name: attempt.state for attempt in session.exec(select(Attempt))}
    assert histories.keys() <= attempts.keys()
    assert [name for name, (successes, failures) in histories.items() if successes + failures > 1] == []
    printed = {name for name, (successes, _) in histories.items() if successes}
    assert printed == {name for name, state in attempts.items() if state is AttemptState.COUNTED}


def _serves(hub: KillableHub) -> bool:
    try:
        return bool(hub.server())
    except ConnectionError:
        return False


def _count(database: Database, model: type[SQLModel], condition: Any) -> int:
    with database.reading() as session:
        return session.exec(select(func.count()).select_from(model).where(condition)).one()
