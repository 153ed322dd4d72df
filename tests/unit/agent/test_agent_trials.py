"""A test print of nothing, asked for at the hub and made by an agent, whatever becomes of a report on its way."""

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from builders import World, profiles
from unit.agent.rehearsal import Rehearsal

from makerhub.agent.home import Rules
from makerhub.agent.reporting import ATTENDED_SECONDS
from makerhub.designs.profiles import PrinterProfile
from makerhub.errors import Invalid
from makerhub.fleet import trial as file
from makerhub.fleet.gateway import PrinterState as Doing
from makerhub.fleet.messages import Unwilling
from makerhub.fleet.verdict import Reason
from makerhub.gcode import guard, plain_guard
from makerhub.printers.models import BuildPlate, PlateState
from makerhub.production import trials
from makerhub.production.agents import ATTENDED
from makerhub.production.models import AttemptState
from makerhub.production.trial_models import TrialPrint, TrialState


@pytest.fixture
def home(world: World, tmp_path: Path) -> Rehearsal:
    rehearsal = Rehearsal(world, tmp_path)
    rehearsal.connect()
    rehearsal.line.gcode = file.GCODE
    return rehearsal


def asked(home: Rehearsal) -> TrialPrint:
    return home.world.ask_for_trial(home.row, now=home.time.hub())


def state(home: Rehearsal, trial: TrialPrint) -> TrialState:
    return home.world.get(TrialPrint, trial.id).state


def plate(home: Rehearsal) -> PlateState:
    return next(plate.state for plate in home.world.all(BuildPlate) if plate.printer_id == home.row.id)


def made(home: Rehearsal) -> TrialPrint:
    trial = asked(home)
    home.report()
    home.work()
    home.look()
    home.report()
    home.printer.finish()
    home.pass_by(10)
    home.look()
    home.work()
    return trial


@pytest.mark.parametrize("profile", profiles().values(), ids=profiles().keys())
def test_both_guards_pass_it_for_every_printer(profile: PrinterProfile) -> None:
    limits = profile.limits()
    assert plain_guard.check(file.GCODE, limits) == ()
    assert guard.check(file.GCODE, limits).findings == ()


def test_nothing_in_it_heats_or_moves() -> None:
    lines = [line for line in file.GCODE.decode().splitlines() if not line.startswith(";")]
    assert lines == ["G4 P1000"] * file.SECONDS


@pytest.mark.parametrize("clear", [True, False])
def test_the_agent_makes_it_and_the_plate_stays_as_it_was(home: Rehearsal, clear: bool) -> None:
    if not clear:
        home.printer.state, home.printer.printing = Doing.PRINTING, "own.gcode"
        home.look()
        home.report()
        home.printer.state, home.printer.printing = Doing.OPERATIONAL, None
        home.look()
        home.report()
    before = plate(home)
    trial = asked(home)
    home.report()
    assert state(home, trial) is TrialState.SENDING
    home.work()
    home.look()
    home.report()
    assert state(home, trial) is TrialState.PRINTING
    home.printer.finish()
    home.pass_by(10)
    home.look()
    home.work()
    home.report()
    assert state(home, trial) is TrialState.FINISHED
    assert home.printer.prints == {trial.file_name: 1}
    assert plate(home) is before


@pytest.mark.parametrize("fault", ["lost", "unanswered", "doubled", "held"])
def test_whatever_becomes_of_one_report_it_is_made_once_and_told(home: Rehearsal, fault: str) -> None:
    trial = asked(home)
    home.report(fault)
    home.report()
    home.work()
    home.look()
    home.report(fault)
    home.printer.finish()
    home.pass_by(10)
    home.look()
    home.work()
    home.report(fault)
    home.report()
    assert state(home, trial) is TrialState.FINISHED
    assert home.printer.prints == {trial.file_name: 1}


def test_its_file_is_removed_also_by_a_process_that_was_killed_before(home: Rehearsal) -> None:
    trial = made(home)
    home.printer.removed.clear()
    home.boot()
    home.look()
    home.report()
    home.work()
    assert home.printer.removed == [trial.file_name]
    home.work()
    assert home.printer.removed == [trial.file_name], "once in each run"


def test_a_key_that_may_not_delete_is_asked_once(home: Rehearsal) -> None:
    home.printer.may_remove = False
    trial = made(home)
    home.work()
    home.report()
    assert state(home, trial) is TrialState.FINISHED
    assert home.printer.removed == []


def test_files_of_real_prints_stay(home: Rehearsal) -> None:
    attempt = home.ready()
    home.report()
    home.work()
    home.printer.finish()
    home.pass_by(60)
    home.look()
    home.work()
    home.report()
    home.work()
    assert home.state(attempt) is AttemptState.FINISHED
    assert home.printer.removed == []


@pytest.mark.parametrize(
    ("rules", "why"), [(Rules(paused=True), Unwilling.PAUSED), (Rules(automatic=False), Unwilling.NONE)]
)
def test_the_owners_rules_hold(home: Rehearsal, rules: Rules, why: Unwilling) -> None:
    """A paused agent begins nothing; one that asks before each print was asked: its owner agreed on the page."""
    home.home.write(msgspec.structs.replace(home.home.read(), rules=rules))
    home.boot()
    home.look()
    trial = asked(home)
    home.report()
    row = home.world.get(TrialPrint, trial.id)
    if why is Unwilling.NONE:
        assert row.state is TrialState.SENDING
        home.work()
        assert home.printer.prints == {trial.file_name: 1}
    else:
        assert (row.state, row.reason) == (TrialState.NOT_STARTED, why)


def test_a_busy_printer_is_left_alone(home: Rehearsal) -> None:
    home.printer.state, home.printer.printing = Doing.PRINTING, "own.gcode"
    home.look()
    trial = asked(home)
    home.report()
    row = home.world.get(TrialPrint, trial.id)
    assert (row.state, row.reason) == (TrialState.NOT_STARTED, Unwilling.NOT_READY)
    assert home.printer.prints == {}


def test_no_job_is_handed_over_meanwhile(home: Rehearsal) -> None:
    trial = asked(home)
    attempt = home.ready()
    home.line.gcode = file.GCODE
    home.report()
    assert (state(home, trial), home.state(attempt)) == (TrialState.SENDING, AttemptState.READY)


def test_an_agent_that_is_silent_leaves_nothing_hanging(home: Rehearsal) -> None:
    waiting = asked(home)
    with home.world.database.changing() as session:
        trials.end_lost(session, now=home.time.hub() + trials.BEGINS_WITHIN + timedelta(seconds=1))
    row = home.world.get(TrialPrint, waiting.id)
    assert (row.state, row.reason) == (TrialState.NOT_STARTED, Reason.AGENT_SILENT)
    given = asked(home)
    home.report()
    with home.world.database.changing() as session:
        trials.end_lost(session, now=home.time.hub() + trials.LOST_AFTER + timedelta(seconds=1))
    row = home.world.get(TrialPrint, given.id)
    assert (row.state, row.reason) == (TrialState.FAILED, Reason.AGENT_SILENT)


def test_what_was_asked_for_long_ago_is_not_begun(home: Rehearsal) -> None:
    trial = asked(home)
    home.pass_by(trials.BEGINS_WITHIN.total_seconds() + 1)
    home.look()
    home.report()
    home.work()
    assert home.printer.prints == {}
    assert state(home, trial) is TrialState.WAITING, "the next sweep ends it"


def test_the_agent_comes_often_while_its_owner_looks_on(home: Rehearsal) -> None:
    assert home.reporter.delay_s() == ATTENDED_SECONDS
    home.pass_by(ATTENDED.total_seconds() + 1)
    home.look()
    home.report()
    home.look()
    home.report()
    assert home.reporter.delay_s() == 60
    asked(home)
    home.report()
    home.report()
    assert home.reporter.delay_s() <= ATTENDED_SECONDS


def test_none_while_something_of_ours_is_there(home: Rehearsal) -> None:
    home.ready()
    with pytest.raises(Invalid):
        asked(home)
