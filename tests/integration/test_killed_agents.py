"""The main job with printers behind agents, while hub, agents and OctoPrint are killed at seeded moments.

Nothing is printed twice, every print is accounted for, nothing confirmed is lost, and everything arrives.
"""

import random
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hubs import FastTime, found, prints, wait_until
from integration.crew import Crew
from integration.killable_agent import KillableAgent
from integration.killable_hub import TIME_SPEED, KillableHub, hub_settings
from integration.test_killed_hub import assert_everything_arrived, assert_nothing_was_printed_twice, live_through
from sqlmodel import col, func, select

from makerhub.db import Database
from makerhub.printers.models import Link, Printer, PrinterState
from makerhub.production.models import Attempt
from makerhub.simulation.network import Network
from makerhub.simulation.real_octoprint import RealOctoPrint

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGKILL here")

PATIENCE_SECONDS = 8.0
VICTIMS = ("hub", "agent", "agent", "both", "octoprint")
MOMENTS = ("sending", "printing", "any", "finished", "sending")


@dataclass
class Reaper:
    """Kills one victim at one moment after the other, in a thread of its own, and starts it again each time."""

    hub: KillableHub
    agents: Sequence[KillableAgent]
    octoprints: Sequence[RealOctoPrint]
    database: Database
    rng: random.Random
    moments: Sequence[tuple[str, str]]
    check: Callable[[], None]
    happened: list[str] = field(default_factory=list)
    stopped: bool = False

    def run(self) -> None:
        for victim, moment in self.moments:
            came = self._await(moment)
            if self.stopped:
                return
            time.sleep(self.rng.uniform(0, 0.4))
            self._kill(victim)
            self.happened.append(f"{victim} {moment}" if came else f"{victim} no {moment}")

    def _kill(self, victim: str) -> None:
        number = self.rng.randrange(len(self.agents))
        if victim == "octoprint":
            self.octoprints[number].kill()
            self.octoprints[number].start()
            return
        if victim in ("agent", "both"):
            self.agents[number].kill()
        if victim in ("hub", "both"):
            self.hub.kill()
            self.check()
        time.sleep(self.rng.uniform(0, 2))
        if victim in ("hub", "both"):
            self.hub.start()
        if victim in ("agent", "both"):
            self.agents[number].start()

    def _await(self, moment: str) -> bool:
        if moment == "any":
            time.sleep(self.rng.uniform(0.1, 5))
            return True
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (came := self._is_there(moment)) and time.monotonic() < deadline and not self.stopped:
            time.sleep(0.005)
        return came

    def _is_there(self, state: str) -> bool:
        with self.database.reading() as session:
            return session.exec(select(Attempt.id).where(Attempt.state == state)).first() is not None


def moments(rng: random.Random, kills: int) -> list[tuple[str, str]]:
    """Every victim at every kind of moment, in an order of the seed's own."""
    pairs = [(victim, moment) for moment in MOMENTS for victim in VICTIMS]
    chosen = [pairs[number % len(pairs)] for number in range(kills)]
    rng.shuffle(chosen)
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
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    hub = KillableHub(tmp_path, clock, port)
    hub.start()
    yield hub
    hub.kill()


@pytest.fixture
def crew(network: Network, killable: KillableHub, two_octoprints: Sequence[RealOctoPrint]) -> Crew:
    makers = network.makers[: len(two_octoprints)]
    crew = Crew(network, dict(zip((maker.id for maker in makers), two_octoprints, strict=True)), killable.server)
    wait_until(lambda: _serves(killable), "the hub to serve its pages")
    return crew


@pytest.fixture
def agents(tmp_path: Path, crew: Crew, clock: FastTime, database: Database) -> Iterator[list[KillableAgent]]:
    """Two agents, each paired by the command on its printer's page; the first maker is asked before each print."""
    made = []
    for number, maker in enumerate(crew.network.makers[: len(crew.octoprints)]):
        octoprint = crew.octoprints[maker.id]
        words = crew.pairing_command(maker, automatic=number > 0)
        agent = KillableAgent(tmp_path / f"agent-{number}", clock)
        rule = "--automatic" if number else "--ask"
        said = agent.command(*words[1:], "--url", octoprint.url, "--key", octoprint.key, rule, "--no-run")
        assert f"{maker.name}'s" in said
        agent.start()
        made.append(agent)
    wait_until(lambda: _active(database) == len(made), "both keys to be checked by their agents")
    yield made
    for agent in made:
        agent.kill()


@pytest.mark.parametrize(
    ("seed", "kills"), [(1, 20), pytest.param(2, 200, marks=pytest.mark.soak)], ids=["20 kills", "200 kills"]
)
def test_prints_behind_agents_survive(
    seed: int, kills: int, crew: Crew, killable: KillableHub, agents: Sequence[KillableAgent], database: Database
) -> None:
    rng = random.Random(seed)  # noqa: S311 (a failure has to be repeatable)

    def check() -> None:
        with database.reading() as session:
            lost = [promise.what for promise in list(crew.promises) if not promise.holds(session)]
        assert not lost, f"confirmed and lost: {lost}"

    octoprints = list(crew.octoprints.values())
    reaper = Reaper(killable, agents, octoprints, database, rng, moments(rng, kills), check)
    asked = live_through(crew, reaper, database)
    print(f"seed {seed}: {asked} requests, {Counter(reaper.happened)}, {Counter(crew.answered)} answered")
    print(f"{killable.starts} starts of the hub, {[agent.starts for agent in agents]} of the agents")
    for agent in agents:
        print(agent.log()[-2000:])

    check()
    assert len(reaper.happened) == kills
    assert sum("no " not in one for one in reaper.happened) > kills // 2, "too few moments came"
    assert_everything_arrived(database, asked)
    assert_nothing_was_printed_twice(database, crew.octoprints)
    assert_every_print_is_accounted_for(database, octoprints)


def assert_every_print_is_accounted_for(database: Database, octoprints: Sequence[RealOctoPrint]) -> None:
    """Each file on an OctoPrint is an attempt that has ended at the hub, and was handed to that printer's agent."""
    with database.reading() as session:
        ended = {attempt.file_name: attempt for attempt in session.exec(select(Attempt)) if attempt.ended_at}
    names = [name for octoprint in octoprints for name in prints(octoprint)]
    assert [name for name in names if name not in ended] == []
    assert all(ended[name].agent_id for name in names)


def _serves(hub: KillableHub) -> bool:
    try:
        return bool(hub.server())
    except ConnectionError:
        return False


def _active(database: Database) -> int:
    wanted = select(func.count()).where(col(Printer.link) == Link.AGENT, col(Printer.state) == PrinterState.ACTIVE)
    with database.reading() as session:
        return session.exec(wanted).one()
