"""The main job through the pages of a hub that is killed again and again, with printers that the hub itself reaches."""

import random
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hubs import wait_until
from integration.killing import KilledPlace, Reaper, assert_all_is_well, killed_place, live_through

from makerhub.printers.models import Printer, PrinterState
from makerhub.simulation.real_octoprint import RealOctoPrint

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGKILL here")

KILLS = ("any", "any", "preparing", "printing", "finished", *["posting"] * 3, *["sending"] * 4, *["confirmed"] * 8)


def moments(rng: random.Random, kills: int) -> list[tuple[str, str]]:
    """Every kind of moment in an order of the seed's own; OctoPrint itself dies mid-print after each ten."""
    chosen = [("hub", KILLS[number % len(KILLS)]) for number in range(kills)]
    rng.shuffle(chosen)
    for number in range(5, kills, 10):
        chosen.insert(number, ("octoprint", "printing"))
    return chosen


@pytest.fixture
def place(tmp_path: Path, two_octoprints: Sequence[RealOctoPrint]) -> Iterator[KilledPlace]:
    """Two makers have registered their printers; the first wants to be asked before each print."""
    with killed_place(tmp_path, two_octoprints) as place:
        for number, maker in enumerate(place.network.makers[: len(two_octoprints)]):
            place.crew.register_printer(maker, automatic=number > 0)
        wait_until(
            lambda: place.count(Printer, Printer.state == PrinterState.ACTIVE) == 2, "both keys to be checked", 60
        )
        yield place


@pytest.mark.parametrize(
    ("seed", "kills"), [(1, 20), pytest.param(2, 200, marks=pytest.mark.soak)], ids=["20 kills", "200 kills"]
)
def test_the_main_job_survives(seed: int, kills: int, place: KilledPlace) -> None:
    rng = random.Random(seed)  # noqa: S311 (a failure has to be repeatable)
    reaper = Reaper(place, rng, moments(rng, kills))
    asked = live_through(place, reaper)
    print(f"seed {seed}: {asked} requests, {Counter(reaper.happened)}, {Counter(place.crew.answered)} answered, ")
    print(f"{reaper.found_sending} left in their sending, {len(place.crew.promises)} promises, after {reaper.struck}")
    print(place.hub.log()[-3000:])

    assert place.hub.starts == kills + 1
    assert reaper.found_sending >= kills // 10, "too few kills left an attempt in its sending"
    assert_all_is_well(place, asked)
