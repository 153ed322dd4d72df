"""The real parts that integration tests run against, each started once a session and only when a test asks for it."""

import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack

import pytest
from integration.octoprint_target import Machine, RealMachine, SimulatedMachine, Target, target_of

from makerhub.simulation.octoprint import SimulatedPrinters
from makerhub.simulation.real_octoprint import RealOctoPrint, find_octoprint


@pytest.fixture(scope="session")
def real_octoprints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], RealOctoPrint]]:
    """A factory that starts one more real OctoPrint at each call; all of them end with the session."""
    numbers = itertools.count(1)

    with ExitStack() as running:

        def start() -> RealOctoPrint:
            executable = find_octoprint()
            if executable is None:
                pytest.fail("there is no OctoPrint to test against; `make test` installs one", pytrace=False)
            base_directory = tmp_path_factory.mktemp(f"octoprint{next(numbers)}")
            return running.enter_context(RealOctoPrint(executable, base_directory))

        yield start


@pytest.fixture(scope="session")
def octoprint_of_session(real_octoprints: Callable[[], RealOctoPrint]) -> RealOctoPrint:
    """The one server that most tests share; take `real_octoprint` instead, which hands it over clean."""
    return real_octoprints()


@pytest.fixture
def real_octoprint(octoprint_of_session: RealOctoPrint) -> RealOctoPrint:
    """A real OctoPrint whose Virtual Printer is idle: connected, nothing selected, no files."""
    octoprint_of_session.reset()
    return octoprint_of_session


@pytest.fixture(scope="session")
def second_octoprint_of_session(real_octoprints: Callable[[], RealOctoPrint]) -> RealOctoPrint:
    """One more server, for the tests of whole hubs."""
    return real_octoprints()


@pytest.fixture
def two_octoprints(
    real_octoprint: RealOctoPrint, second_octoprint_of_session: RealOctoPrint
) -> tuple[RealOctoPrint, RealOctoPrint]:
    """Two real OctoPrints whose Virtual Printers are idle."""
    second_octoprint_of_session.reset()
    return real_octoprint, second_octoprint_of_session


@pytest.fixture(params=["simulated", "real"])
async def octoprint_target(request: pytest.FixtureRequest) -> AsyncIterator[Target]:
    """The contract's counterpart: each test runs against a simulated printer and against a real OctoPrint."""
    async with SimulatedPrinters(speed=2) as farm:
        machine: Machine = SimulatedMachine(farm.printers[0])
        if request.param == "real":
            machine = RealMachine(request.getfixturevalue("real_octoprint"))
        async with target_of(machine) as target:
            yield target
