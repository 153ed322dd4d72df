"""A maker stops a print on the hub's page, and the agent cancels it at home."""

from pathlib import Path

import pytest
from builders import World
from unit.agent.rehearsal import Rehearsal

from makerhub.fleet.gateway import PrinterState as Doing
from makerhub.printers.models import Printer, PrinterState
from makerhub.production.models import Attempt, AttemptState, JobState, PrintJob
from makerhub.production.stopping import ask_to_stop


@pytest.fixture
def home(world: World, tmp_path: Path) -> Rehearsal:
    rehearsal = Rehearsal(world, tmp_path)
    rehearsal.connect()
    return rehearsal


def begin(home: Rehearsal) -> Attempt:
    attempt = home.ready()
    home.report()
    home.work()
    home.look()
    home.report()
    return attempt


def stop(home: Rehearsal, attempt: Attempt) -> None:
    with home.world.database.changing() as session:
        row = session.get_one(Attempt, attempt.id)
        ask_to_stop(session, row, by=home.world.maker.id, now=home.time.hub())


def test_what_prints_is_cancelled_and_goes_to_another_printer(home: Rehearsal) -> None:
    attempt = begin(home)
    stop(home, attempt)
    home.report()
    home.work()
    home.report()
    assert home.printer.printing is None
    assert home.state(attempt) is AttemptState.FAILED
    assert home.world.get(PrintJob, attempt.job_id).state is JobState.QUEUED
    assert home.world.get(Printer, home.row.id).state is PrinterState.PAUSED


def test_what_was_given_and_not_sent_yet_is_not_sent(home: Rehearsal) -> None:
    attempt = home.ready()
    home.report()
    assert home.state(attempt) is AttemptState.SENDING
    stop(home, attempt)
    home.report()
    home.work()
    home.report()
    assert home.state(attempt) is AttemptState.NOT_STARTED
    assert home.printer.prints == {}


@pytest.mark.parametrize("is_stopped", [True, False])
def test_what_was_lost_on_its_way_is_not_sent_again(home: Rehearsal, is_stopped: bool) -> None:
    attempt = home.ready()
    home.printer.loses_upload = "request"
    home.report()
    home.work()
    home.printer.loses_upload = ""
    if is_stopped:
        stop(home, attempt)
    home.report()
    for _ in range(3):
        home.pass_by(30)
        home.work()
    assert home.printer.prints == ({} if is_stopped else {attempt.file_name: 1})


def test_a_printer_that_does_not_answer_is_stopped_when_it_does(home: Rehearsal) -> None:
    attempt = begin(home)
    stop(home, attempt)
    home.report()
    home.printer.answers = False
    home.work()
    assert home.printer.printing == attempt.file_name
    home.printer.answers = True
    home.pass_by(60)
    home.work()
    home.report()
    assert home.printer.printing is None
    assert home.state(attempt) is AttemptState.FAILED


def test_a_print_of_the_owners_own_is_left_alone(home: Rehearsal) -> None:
    attempt = begin(home)
    home.printer.finish(history=False)
    stop(home, attempt)
    home.report()
    home.printer.state, home.printer.printing = Doing.PRINTING, "own.gcode"
    home.work()
    assert home.printer.printing == "own.gcode"
