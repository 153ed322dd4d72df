"""The real parts that integration tests run against, each started once a session and only when a test asks for it."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

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
