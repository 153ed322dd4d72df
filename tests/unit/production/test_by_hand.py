"""A printer without OctoPrint: its maker starts, ends and tells; everything else is as with any other printer."""

import pytest
from builders import NOW, POLICY, World, later

from makerhub.config import Settings
from makerhub.errors import IllegalMove, Invalid
from makerhub.lifecycle import history
from makerhub.planning.tasks import dispatch_jobs
from makerhub.printers import service as printers
from makerhub.printers.models import BuildPlate, Consent, Link, PlateState, Printer, PrinterState
from makerhub.production import service as production
from makerhub.production.models import Attempt, AttemptState
from makerhub.production.staggering import may_begin_now
from makerhub.stock import service as stock
from makerhub.trace.invariants import breaches
from makerhub.trace.service import trace


@pytest.fixture
def printer(world: World) -> Printer:
    """One that is worked by hand, with a clear plate."""
    new = world.new_printer(name="Old faithful", link=Link.BY_HAND, url="", key="", plate_is_clear=True)
    with world.database.changing() as session:
        return printers.register(session, new, world.key_box, now=NOW)


def begin(world: World, attempt: Attempt) -> Attempt:
    with world.database.changing() as session:
        row = session.get_one(Attempt, attempt.id)
        production.begin_by_hand(session, row, POLICY, by=world.maker.id, now=later(minutes=5))
        return row


def end(world: World, attempt: Attempt, state: AttemptState) -> None:
    with world.database.changing() as session:
        row = session.get_one(Attempt, attempt.id)
        production.end_by_hand(session, row, production.Outcome(state), by=world.maker.id, now=later(hours=2))


def test_it_needs_neither_address_nor_key_and_takes_jobs_at_once(world: World, printer: Printer) -> None:
    assert (printer.state, printer.url, printer.encrypted_key) == (PrinterState.ACTIVE, "", b"")
    assert printer.consent is Consent.ASK
    with world.database.reading() as session:
        assert [change.after for change in history(session, printer)] == ["unchecked", "active"]
        assert printer.id not in printers.connections([printer], world.key_box)


def test_it_is_offered_work_though_nobody_hears_of_it(world: World, printer: Printer) -> None:
    world.job(2)
    parts = {
        "database": world.database,
        "profiles": {"prusa-mk3s": world.new_printer().profile},
        "settings": Settings(),
        "clock": lambda: NOW,
        "soon": lambda _: None,
    }
    dispatch_jobs.bind(parts)()
    [attempt] = world.all(Attempt)
    assert (attempt.printer_id, attempt.state) == (printer.id, AttemptState.OFFERED)


def test_from_the_file_to_the_lot_and_back(world: World, printer: Printer) -> None:
    attempt = begin(world, world.attempt(AttemptState.READY, printer=printer))
    assert (attempt.state, attempt.started_at, attempt.sends) == (AttemptState.PRINTING, later(minutes=5), 1)
    [plate] = [one for one in world.all(BuildPlate) if one.printer_id == printer.id]
    assert plate.state is PlateState.OCCUPIED
    end(world, attempt, AttemptState.FINISHED)
    with world.database.changing() as session:
        row = session.get_one(Attempt, attempt.id)
        lot = stock.count_print(session, row, good=3, by=world.maker.id, now=later(hours=3))
        assert lot is not None
        assert trace(session, lot.label).printer_id == printer.id
        assert breaches(session) == []


def test_a_failed_print_goes_back_to_the_queue(world: World, printer: Printer) -> None:
    attempt = begin(world, world.attempt(AttemptState.READY, printer=printer))
    end(world, attempt, AttemptState.FAILED)
    assert world.get(Attempt, attempt.id).state is AttemptState.FAILED
    with world.database.reading() as session:
        assert production.job_of(session, attempt).state == "queued"


def test_only_its_maker_begins_it(world: World, printer: Printer) -> None:
    waiting = [
        world.attempt(AttemptState.READY, printer=printer),
        world.attempt(AttemptState.READY, job=world.job(), printer=world.printer),
    ]
    with world.database.reading() as session:
        ours = may_begin_now(session, waiting, {}, NOW)
    assert [attempt.printer_id for attempt in ours] == [world.printer.id]


def test_a_printer_that_the_hub_calls_is_not_started_by_hand(world: World) -> None:
    attempt = world.attempt(AttemptState.READY)
    with pytest.raises(IllegalMove):
        begin(world, attempt)
    other = world.attempt(AttemptState.PRINTING, job=world.job(), printer=world.add_printer("Other"))
    with pytest.raises(IllegalMove):
        end(world, other, AttemptState.FINISHED)


def test_what_was_withdrawn_is_not_begun(world: World, printer: Printer) -> None:
    attempt = world.attempt(AttemptState.READY, printer=printer)
    world.withdraw(world.headband)
    with pytest.raises(Invalid, match="must not be printed"):
        begin(world, attempt)


def test_it_is_not_ended_twice(world: World, printer: Printer) -> None:
    attempt = begin(world, world.attempt(AttemptState.READY, printer=printer))
    end(world, attempt, AttemptState.FINISHED)
    with pytest.raises(IllegalMove):
        end(world, attempt, AttemptState.FAILED)
