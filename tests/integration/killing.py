"""Killing at seeded moments while everybody of the main job acts through the pages, and what must hold afterwards.

Nothing confirmed is lost, nothing is printed twice, every print is accounted for, and everything arrives. A failure
shows the seed, the moments of the kills, and the ends of the logs.
"""

import random
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from hubs import FastTime, found, prints, wait_until
from integration.crew import Crew
from integration.killable_agent import KillableAgent
from integration.killable_hub import TIME_SPEED, KillableHub, hub_settings
from sqlmodel import SQLModel, col, func, select

from makerhub.db import Database
from makerhub.demand.models import RequestState, SupplyRequest
from makerhub.printers.models import Printer
from makerhub.production.models import Attempt, AttemptState, JobState, PrintJob
from makerhub.simulation.network import Network
from makerhub.simulation.real_octoprint import RealOctoPrint
from makerhub.trace.invariants import breaches
from makerhub.trace.service import lots_of_request, trace

PIECES = 2
OPEN_REQUESTS = 3
"""So many are open until the last kill: with fewer a printer waits for work, and its moments come late."""
PATIENCE_SECONDS = 8.0
"""How long a moment is waited for, before the victim is killed anyway."""

FORMS = frozenset({"requests", "accept", "offer", "count", "inspect", "pack", "taken", "hand-over"})
"""The forms that each request passes; a plate is cleared with the count, and a question comes when it comes."""


@dataclass
class KilledPlace:
    """A hub in a process of its own, its database as it is on the disk, its people, and real OctoPrints.

    `agents` are those of the first makers, if their printers have any.
    """

    hub: KillableHub
    clock: FastTime
    network: Network
    database: Database
    crew: Crew
    octoprints: Sequence[RealOctoPrint]
    agents: Sequence[KillableAgent] = ()

    def count(self, model: type[SQLModel], *conditions: Any) -> int:
        """How many rows there are."""
        with self.database.reading() as session:
            return session.exec(select(func.count()).select_from(model).where(*conditions)).one()

    def unfulfilled(self) -> int:
        """How many requests have not arrived."""
        return self.count(SupplyRequest, SupplyRequest.state != RequestState.FULFILLED)

    def require_promises(self) -> None:
        """Fail where something is not so that a page has confirmed."""
        with self.database.reading() as session:
            lost = [promise.what for promise in list(self.crew.promises) if not promise.holds(session)]
        assert not lost, f"confirmed and lost: {lost}"


@contextmanager
def killed_place(directory: Path, octoprints: Sequence[RealOctoPrint]) -> Iterator[KilledPlace]:
    """A hub that serves its pages, at the same address each time, for makers who have yet to register printers."""
    network, clock, database = found(hub_settings(directory)), FastTime(TIME_SPEED), None
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    hub = KillableHub(directory, clock, port)
    hub.start()
    try:
        database = Database(hub_settings(directory).database)
        of_makers = {maker.id: octoprint for maker, octoprint in zip(network.makers, octoprints, strict=False)}
        wait_until(lambda: _serves(hub), "the hub to serve its pages", 60)
        yield KilledPlace(hub, clock, network, database, Crew(network, of_makers, hub.server), octoprints)
    finally:
        hub.kill()
        if database is not None:
            database.dispose()


@dataclass
class Reaper:
    """Kills one victim at one moment after the other, in a thread of its own, and starts it again each time.

    A victim is `hub`, `agent`, `both` or `octoprint`. A moment is `any` (within seconds), `posting` (some milliseconds
    into the sending of a form), `confirmed` (right after its answer: once for each kind of form before the first comes
    again), or the state of an attempt.
    """

    place: KilledPlace
    rng: random.Random
    moments: Sequence[tuple[str, str]]
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
        """Go through all moments."""
        for victim, moment in self.moments:
            came = self._await(moment)
            if self.stopped:
                return
            self._kill(victim)
            self.happened.append(f"{victim} {moment}" if came else f"{victim} no {moment}")

    def _kill(self, victim: str) -> None:
        if victim == "octoprint":
            octoprint = self._busy_octoprint()
            octoprint.kill()
            octoprint.start()
            return
        hub, agents = self.place.hub, self.place.agents
        agent = self.rng.choice(agents) if victim in ("agent", "both") else None
        if agent is not None:
            agent.kill()
        if victim in ("hub", "both"):
            hub.kill()
            self.place.require_promises()
            self.found_sending += self._is_there(AttemptState.SENDING)
        time.sleep(self.rng.uniform(0, 1))
        if victim in ("hub", "both"):
            hub.start()
        if agent is not None:
            agent.start()

    def _busy_octoprint(self) -> RealOctoPrint:
        """One that prints for us, or any."""
        printing = select(Printer.owner_id).join(Attempt, col(Attempt.printer_id) == Printer.id)
        with self.place.database.reading() as session:
            owner = session.exec(printing.where(Attempt.state == AttemptState.PRINTING)).first()
        mine = self.place.crew.octoprints.get(owner) if owner else None
        return mine or self.rng.choice(self.place.octoprints)

    def _await(self, moment: str) -> bool:
        if moment == "any":
            time.sleep(self.rng.uniform(0.1, 5))
            return True
        if moment in ("posting", "confirmed"):
            return self._await_form(moment)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (came := self._is_there(moment)) and time.monotonic() < deadline and not self.stopped:
            time.sleep(0.001)
        return came

    def _await_form(self, moment: str) -> bool:
        if self.struck >= FORMS:
            self.struck.clear()
        self._seen.clear()
        self._wanted = moment
        came = self._seen.wait(PATIENCE_SECONDS)
        self._wanted = ""
        if moment == "posting":
            time.sleep(self.rng.uniform(0, 0.03))
        return came

    def _is_there(self, state: str) -> bool:
        """Asked through the hub's own SQLite: two copies of it in one process undo each other's locks."""
        with self.place.database.reading() as session:
            return session.exec(select(Attempt.id).where(Attempt.state == state)).first() is not None


def live_through(place: KilledPlace, reaper: Reaper) -> int:
    """Ask, make and deliver while the reaper goes about, and to the end afterwards; gives the number of requests."""
    asked = 0
    place.crew.watch = reaper.watch
    deadline = time.monotonic() + 120 + 30 * len(reaper.moments)
    with ThreadPoolExecutor(1, "reaper") as pool:
        reaping = pool.submit(reaper.run)
        try:
            while not reaping.done() or place.unfulfilled():
                assert time.monotonic() < deadline, f"not everything arrived; killed at {reaper.happened}"
                if not reaping.done() and place.unfulfilled() < OPEN_REQUESTS:
                    asked += place.crew.ask(PIECES)
                place.crew.act()
                time.sleep(0.02)
                if reaping.done():
                    reaping.result()
        finally:
            reaper.stopped = True
    return asked


def assert_all_is_well(place: KilledPlace, asked: int) -> None:
    """Nothing confirmed is lost, everything has arrived, nothing was printed twice, and each print is known."""
    place.require_promises()
    _assert_everything_arrived(place.database, asked)
    _assert_nothing_was_printed_twice(place.database, place.crew.octoprints)


def _assert_everything_arrived(database: Database, asked: int) -> None:
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


def _assert_nothing_was_printed_twice(database: Database, octoprints: Mapping[UUID, RealOctoPrint]) -> None:
    """By OctoPrint's own histories; what is on an OctoPrint is an attempt that has ended at the hub."""
    histories = {name: counts for octoprint in octoprints.values() for name, counts in prints(octoprint).items()}
    with database.reading() as session:
        attempts = {attempt.file_name: attempt for attempt in session.exec(select(Attempt))}
    assert [name for name in histories if name not in attempts or attempts[name].ended_at is None] == []
    assert [name for name, (successes, failures) in histories.items() if successes + failures > 1] == []
    printed = {name for name, (successes, _) in histories.items() if successes}
    assert printed == {name for name, attempt in attempts.items() if attempt.state is AttemptState.COUNTED}


def _serves(hub: KillableHub) -> bool:
    try:
        return bool(hub.server())
    except ConnectionError:
        return False
