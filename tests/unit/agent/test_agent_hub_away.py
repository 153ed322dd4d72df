"""The owner's word holds while the hub is away: what may begin, and the stop of a print that is under way."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from builders import World
from click.testing import CliRunner, Result
from unit.agent.rehearsal import GCODE, Rehearsal, Time

from makerhub.agent import program
from makerhub.agent.cli import agent
from makerhub.agent.home import QuietHours
from makerhub.agent.journal import Entry
from makerhub.agent.stopping import stop_prints
from makerhub.fleet.octoprint import OctoPrint
from makerhub.fleet.transport import Transport
from makerhub.production.models import Attempt, AttemptState
from makerhub.simulation.accounts import MINIMAL
from makerhub.simulation.job import State
from makerhub.simulation.octoprint import SimulatedPrinters
from makerhub.simulation.replies import job_reply
from makerhub.simulation.served import ServedPrinter

LONG = GCODE.replace(b"M104 S0\n", b"M104 S0\n; estimated printing time (normal mode) = 2h 0m 0s\n")
NIGHT = QuietHours(22 * 60, 7 * 60)


@pytest.fixture
def home(world: World, tmp_path: Path) -> Rehearsal:
    rehearsal = Rehearsal(world, tmp_path)
    rehearsal.connect()
    return rehearsal


def set_rules(home: Rehearsal, **rules: object) -> None:
    """As the command does it, in the owner's file."""
    state = home.home.read()
    home.home.write(msgspec.structs.replace(state, rules=msgspec.structs.replace(state.rules, **rules)))
    home.run(home.situation.refresh)


def command(home: Rehearsal, *words: str) -> Result:
    return CliRunner().invoke(agent, ["--home", str(home.home.folder), *words])


def given(home: Rehearsal) -> Attempt:
    """A print of an hour that was handed over, before the hub went away."""
    attempt = home.ready(LONG)
    home.report()
    assert home.state(attempt) is AttemptState.SENDING
    home.report("lost")
    return attempt


@pytest.mark.parametrize(
    "rules",
    [{"paused": True}, {"automatic": False}, {"longest_minutes": 59}, {"quiet": QuietHours(0, 24 * 60 - 1)}],
    ids=lambda rules: next(iter(rules)),
)
def test_what_the_owner_forbids_does_not_begin_and_goes_back_when_the_hub_is_there_again(
    home: Rehearsal, rules: dict[str, object]
) -> None:
    attempt = given(home)
    set_rules(home, **rules)
    for _ in range(4):
        home.work()
        home.report("lost")
        home.pass_by(100)
    home.work()
    assert home.printer.prints == {}
    home.report()
    assert home.state(attempt) is AttemptState.NOT_STARTED


def test_what_the_owner_allows_begins_without_the_hub(home: Rehearsal) -> None:
    attempt = given(home)
    set_rules(home, longest_minutes=60)
    home.work()
    assert home.printer.prints == {attempt.file_name: 1}


@pytest.mark.parametrize(("hour", "begins"), [(21, True), (22, False), (23, False), (6, False), (7, True)])
def test_quiet_hours_are_those_of_the_computer_at_home(world: World, tmp_path: Path, hour: int, begins: bool) -> None:
    time = Time()
    home = Rehearsal(world, tmp_path, time)
    home.connect()
    given(home)
    set_rules(home, quiet=NIGHT)
    time.wall_offset_s = ((hour - time.hub().hour) * 60 - time.hub().minute + 30) * 60.0
    home.work()
    assert bool(home.printer.prints) is begins


# The stop of a print


@contextmanager
def served(home: Rehearsal) -> Iterator[ServedPrinter]:
    """The home's printer is a simulated OctoPrint from now on, on which nothing prints yet."""
    with SimulatedPrinters(1) as farm:
        (printer,) = farm.printers
        own = home.home.read().printers[0]
        home.home.write(home.home.read().with_printer(msgspec.structs.replace(own, url=printer.url, key=printer.key)))
        yield printer


def prints(printer: ServedPrinter) -> bool:
    return job_reply(printer)["state"] in (State.STARTING, State.PRINTING)


def begin(home: Rehearsal, attempt: Attempt) -> None:
    """The file arrives at OctoPrint and is printed."""

    async def upload() -> None:
        async with Transport(program.address_policy()) as transport:
            connection = home.home.read().printers[0].connection
            assert connection is not None
            result = await OctoPrint(transport).upload_and_print(connection, attempt.file_name, LONG)
            assert result.effective_print

    asyncio.run(upload())


def test_a_print_is_stopped_without_the_hub_and_without_the_running_agent(home: Rehearsal) -> None:
    attempt = given(home)
    home.work()
    home.journal.close()
    with served(home) as printer:
        begin(home, attempt)
        said = command(home, "stop-print")
        assert said.exit_code == 0, said.output
        assert f"Cancelled: {attempt.file_name}" in said.output
        assert not prints(printer)
    assert home.home.read().rules.paused


def test_a_print_of_the_owners_own_is_left_alone(home: Rehearsal) -> None:
    attempt = given(home)
    home.work()
    with served(home) as printer:
        printer.upload("mine.gcode", LONG, MINIMAL, select=True, start=True, keep=True)
        assert attempt.file_name not in command(home, "stop-print").output
        assert prints(printer)


def test_nothing_begins_after_a_stop_until_the_owner_says_so(home: Rehearsal) -> None:
    given(home)
    with served(home):
        assert command(home, "stop-print").exit_code == 0
    home.run(home.situation.refresh)
    home.work()
    assert home.printer.prints == {}
    assert command(home, "resume").exit_code == 0
    home.run(home.situation.refresh)
    home.work()
    assert len(home.printer.prints) == 1


def test_a_printer_that_can_not_be_asked_is_named(home: Rehearsal) -> None:
    given(home)
    home.work()
    with served(home):
        pass
    said = command(home, "stop-print")
    assert said.exit_code == 1
    assert "Stop the print at the printer itself. Mona's:" in said.output


def test_what_was_being_sent_when_it_was_stopped_is_cancelled_as_it_begins(home: Rehearsal) -> None:
    attempt = given(home)
    home.printer.loses_upload = "request"
    home.work()  # its outcome is not known
    with served(home) as printer:
        looks = 0

        def entries() -> list[Entry]:
            nonlocal looks
            looks += 1
            if looks == 2:
                printer.upload(f"makerhub/{attempt.file_name}", LONG, MINIMAL, select=True, start=True, keep=True)
            return home.journal.entries()

        stopped = asyncio.run(_stop(home, entries))
        assert stopped == [attempt.file_name]
        assert not prints(printer)


async def _stop(home: Rehearsal, entries: Callable[[], list[Entry]]) -> list[str]:
    async with Transport(program.address_policy()) as transport:
        return (await stop_prints(home.home.read(), OctoPrint(transport), entries, 2.0)).cancelled
