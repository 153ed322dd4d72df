"""The main job with printers behind agents, while hub, agents and OctoPrint are killed at seeded moments."""

import random
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hubs import prints, wait_until
from integration.killable_agent import KillableAgent
from integration.killing import KilledPlace, Reaper, assert_all_is_well, killed_place, live_through
from sqlmodel import select

from makerhub.people.models import Person
from makerhub.printers.models import Link, Printer, PrinterState
from makerhub.production.models import Attempt
from makerhub.simulation.real_octoprint import RealOctoPrint

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGKILL here")

VICTIMS = ("hub", "agent", "agent", "both", "octoprint")
MOMENTS = ("sending", "printing", "any", "finished", "sending")


def moments(rng: random.Random, kills: int) -> list[tuple[str, str]]:
    """Every victim at every kind of moment, in an order of the seed's own."""
    pairs = [(victim, moment) for moment in MOMENTS for victim in VICTIMS]
    chosen = [pairs[number % len(pairs)] for number in range(kills)]
    rng.shuffle(chosen)
    return chosen


@pytest.fixture
def place(tmp_path: Path, two_octoprints: Sequence[RealOctoPrint]) -> Iterator[KilledPlace]:
    """Two agents, each paired by the command on its printer's page; the first maker is asked before each print."""
    with killed_place(tmp_path, two_octoprints) as place:
        makers = place.network.makers[: len(two_octoprints)]
        place.agents = [_pair(place, maker, tmp_path / f"agent-{number}") for number, maker in enumerate(makers)]
        active = (Printer.link == Link.AGENT, Printer.state == PrinterState.ACTIVE)
        try:
            wait_until(lambda: place.count(Printer, *active) == 2, "both keys to be checked by their agents", 60)
            yield place
        finally:
            for agent in place.agents:
                agent.kill()


def _pair(place: KilledPlace, maker: Person, folder: Path) -> KillableAgent:
    is_asked = maker is place.network.makers[0]
    octoprint, agent = place.crew.octoprints[maker.id], KillableAgent(folder, place.clock)
    words = place.crew.pairing_command(maker, automatic=not is_asked)
    rule = "--ask" if is_asked else "--automatic"
    said = agent.command(*words[1:], "--url", octoprint.url, "--key", octoprint.key, rule, "--no-run")
    assert f"{maker.name}'s" in said
    agent.start()
    return agent


@pytest.mark.parametrize(
    ("seed", "kills"), [(1, 20), pytest.param(2, 200, marks=pytest.mark.soak)], ids=["20 kills", "200 kills"]
)
def test_prints_behind_agents_survive(seed: int, kills: int, place: KilledPlace) -> None:
    rng = random.Random(seed)  # noqa: S311 (a failure has to be repeatable)
    reaper = Reaper(place, rng, moments(rng, kills))
    asked = live_through(place, reaper)
    print(f"seed {seed}: {asked} requests, {Counter(reaper.happened)}, {Counter(place.crew.answered)} answered")
    print(f"{place.hub.starts} starts of the hub, {[agent.starts for agent in place.agents]} of the agents")
    for agent in place.agents:
        print(agent.log()[-2000:])

    assert len(reaper.happened) == kills
    assert sum("no " not in one for one in reaper.happened) > kills // 2, "too few moments came"
    assert_all_is_well(place, asked)
    with place.database.reading() as session:
        agent_of = dict(session.exec(select(Attempt.file_name, Attempt.agent_id)).all())
    assert all(agent_of[name] for octoprint in place.octoprints for name in prints(octoprint))
