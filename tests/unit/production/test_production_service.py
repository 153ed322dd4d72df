from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from builders import NOW, World, at_once, failures, later
from sqlmodel import select

from makerhub.db import Session
from makerhub.errors import IllegalMove, Invalid, MovedMeanwhile
from makerhub.lifecycle import history
from makerhub.printers.models import BuildPlate, Consent, PlateState, Printer, PrinterState
from makerhub.production import service
from makerhub.production.models import LIVE, ON_THE_PRINTER, Attempt, AttemptState, JobState, PrintJob
from makerhub.production.service import Outcome
from makerhub.stock import service as stock

NOT_YET_SENT = [AttemptState.OFFERED, AttemptState.PREPARING, AttemptState.READY]
ENDED = [AttemptState.FINISHED, AttemptState.FAILED, AttemptState.NOT_STARTED]


def change(world: World, attempt: Attempt, action: Callable[[Session, Attempt], object]) -> Attempt:
    with world.database.changing() as session:
        row = session.get_one(Attempt, attempt.id)
        action(session, row)
        return row


def end(world: World, attempt: Attempt, outcome: Outcome) -> Attempt:
    return change(world, attempt, lambda session, row: service.end(session, row, outcome, now=NOW))


def plate(world: World, printer: Printer | None = None) -> PlateState:
    printer_id = (printer or world.printer).id
    with world.database.reading() as session:
        return session.exec(select(BuildPlate).where(BuildPlate.printer_id == printer_id)).one().state


def job_state(world: World, attempt: Attempt) -> JobState:
    return world.get(PrintJob, attempt.job_id).state


def at(world: World, state: AttemptState, job: PrintJob | None = None) -> Attempt:
    """An attempt in `state`; an offered one on a printer whose maker wants to be asked."""
    if state is AttemptState.OFFERED:
        asking = world.add_printer("Asking", consent=Consent.ASK)
        return world.attempt(state, job=job, printer=asking)
    return world.attempt(state, job=job)


def test_a_planned_job_carries_deadline_and_urgency_of_its_line(world: World) -> None:
    request = world.request()
    line, job = world.line(request), world.job(4, request=request)
    assert (job.line_id, job.needed_by, job.urgency) == (line.id, line.needed_by, line.urgency)
    assert (job.copies, job.state, job.created_at) == (4, JobState.QUEUED, NOW)


def test_a_maker_who_wants_to_be_asked_is_offered_the_job(world: World) -> None:
    attempt = world.attempt(AttemptState.OFFERED, printer=world.add_printer("Asking", consent=Consent.ASK))
    assert attempt.state is AttemptState.OFFERED
    accepted = change(world, attempt, lambda session, row: service.accept(session, row, by=world.maker.id, now=NOW))
    assert accepted.state is AttemptState.PREPARING
    assert job_state(world, attempt) is JobState.ASSIGNED


def test_a_maker_who_agreed_to_automatic_prints_is_not_asked(world: World) -> None:
    assert world.attempt(AttemptState.PREPARING).state is AttemptState.PREPARING


def test_an_attempt_carries_the_makers_reference_and_no_name(world: World) -> None:
    attempt = world.attempt()
    assert attempt.maker_reference == world.maker.maker_reference
    assert world.maker.name.lower() not in attempt.file_name


def test_every_attempt_has_a_file_name_of_its_own(world: World) -> None:
    job = world.job()
    names = []
    for number in (1, 2):
        attempt = world.attempt(AttemptState.NOT_STARTED, job=job)
        assert (attempt.number, attempt.file_name) == (number, f"{job.id.hex}-{number}.gcode")
        names.append(attempt.file_name)
    assert len(set(names)) == 2


def test_a_declined_job_goes_back_to_the_queue(world: World) -> None:
    attempt = world.attempt(AttemptState.OFFERED, printer=world.add_printer("Asking", consent=Consent.ASK))
    declined = change(world, attempt, lambda session, row: service.decline(session, row, by=world.maker.id, now=NOW))
    assert (declined.state, declined.declined, declined.ended_at) == (AttemptState.WITHDRAWN, True, NOW)
    assert job_state(world, attempt) is JobState.QUEUED


@pytest.mark.parametrize("state", NOT_YET_SENT)
def test_what_was_not_sent_can_be_taken_back(world: World, state: AttemptState) -> None:
    attempt = change(world, at(world, state), lambda session, row: service.withdraw(session, row, why="late", now=NOW))
    assert (attempt.state, attempt.declined) == (AttemptState.WITHDRAWN, False)
    assert job_state(world, attempt) is JobState.QUEUED


@pytest.mark.parametrize("state", sorted(ON_THE_PRINTER))
def test_what_was_sent_can_not_be_taken_back(world: World, state: AttemptState) -> None:
    attempt = world.attempt(state)
    with pytest.raises(IllegalMove):
        change(world, attempt, lambda session, row: service.withdraw(session, row, why="late", now=NOW))
    assert world.get(Attempt, attempt.id).state is state
    assert job_state(world, attempt) is JobState.ASSIGNED


@pytest.mark.parametrize("state", sorted(LIVE))
def test_a_printer_with_a_live_attempt_gets_no_other(world: World, state: AttemptState) -> None:
    attempt = at(world, state)
    other = world.job()
    with pytest.raises(MovedMeanwhile):
        world.attempt(AttemptState.PREPARING, job=other, printer=world.get(Printer, attempt.printer_id))
    assert world.get(PrintJob, other.id).state is JobState.QUEUED


def test_a_job_with_a_live_attempt_gets_no_other(world: World) -> None:
    job = world.job()
    world.attempt(job=job)
    with pytest.raises(IllegalMove):
        world.attempt(job=job, printer=world.add_printer("Second"))


def test_of_many_printers_that_take_one_job_at_once_one_gets_it(world: World) -> None:
    job = world.job()
    printers = [world.add_printer(f"Printer {number}").id for number in range(6)]
    with world.database.reading() as session:
        seen = session.get_one(PrintJob, job.id)

    def assign(printer_id: UUID) -> None:
        with world.database.changing() as session:
            row = session.merge(seen, load=False)
            service.assign(session, row, session.get_one(Printer, printer_id), now=NOW)

    results = at_once(*[lambda printer_id=printer_id: assign(printer_id) for printer_id in printers])
    assert failures(results) == [MovedMeanwhile] * 5
    assert len(world.all(Attempt)) == 1


def test_of_many_jobs_that_go_to_one_printer_at_once_one_gets_it(world: World) -> None:
    jobs = [world.job().id for _ in range(6)]

    def assign(job_id: UUID) -> None:
        with world.database.changing() as session:
            printer = session.get_one(Printer, world.printer.id)
            service.assign(session, session.get_one(PrintJob, job_id), printer, now=NOW)

    results = at_once(*[lambda job_id=job_id: assign(job_id) for job_id in jobs])
    assert failures(results) == [MovedMeanwhile] * 5
    assert len(world.all(Attempt)) == 1
    states = sorted(job.state for job in world.all(PrintJob))
    assert states == [JobState.ASSIGNED] + [JobState.QUEUED] * 5


def test_a_start_occupies_the_plate_and_spends_the_file_name(world: World) -> None:
    attempt = world.attempt(AttemptState.SENDING, now=later(minutes=1))
    assert (attempt.state, attempt.sent_at, attempt.sends) == (AttemptState.SENDING, later(minutes=1), 1)
    assert plate(world) is PlateState.OCCUPIED


def test_nothing_starts_on_an_occupied_plate(world: World) -> None:
    occupied = world.add_printer("Occupied", plate_is_clear=False)
    attempt = world.attempt(AttemptState.READY, printer=occupied)
    with pytest.raises(IllegalMove):
        change(world, attempt, lambda session, row: service.claim_start(session, row, now=NOW))
    row = world.get(Attempt, attempt.id)
    assert (row.state, row.sends, row.sent_at) == (AttemptState.READY, 0, None)


def test_what_is_not_ready_does_not_start_and_leaves_the_plate_clear(world: World) -> None:
    attempt = world.attempt(AttemptState.PREPARING)
    with pytest.raises(IllegalMove):
        change(world, attempt, lambda session, row: service.claim_start(session, row, now=NOW))
    assert plate(world) is PlateState.CLEAR


def test_what_was_never_started_gives_the_clear_plate_back(world: World) -> None:
    attempt = world.attempt(AttemptState.NOT_STARTED)
    assert plate(world) is PlateState.CLEAR
    assert job_state(world, attempt) is JobState.QUEUED


@pytest.mark.parametrize("state", [AttemptState.FINISHED, AttemptState.FAILED, AttemptState.IN_DOUBT])
def test_what_was_printed_keeps_the_plate_until_a_human_clears_it(world: World, state: AttemptState) -> None:
    world.attempt(state)
    assert plate(world) is PlateState.OCCUPIED


def test_a_finished_print_waits_for_its_count(world: World) -> None:
    attempt = world.attempt(AttemptState.FINISHED)
    assert attempt.ended_at == NOW
    assert job_state(world, attempt) is JobState.ASSIGNED


def test_a_failed_print_goes_back_to_the_queue_twice_and_is_then_held(world: World) -> None:
    job = world.job()
    states = []
    for _ in range(3):
        world.attempt(AttemptState.FAILED, job=job)
        world.clear_plate(world.printer)
        states.append(world.get(PrintJob, job.id).state)
    assert states == [JobState.QUEUED, JobState.QUEUED, JobState.HELD]


def test_gcode_that_can_not_be_had_is_a_failure_too(world: World) -> None:
    job = world.job()
    for expected in (JobState.QUEUED, JobState.QUEUED, JobState.HELD):
        attempt = world.attempt(AttemptState.PREPARING, job=job)
        failed = change(
            world, attempt, lambda session, row: service.not_prepared(session, row, why="too large", now=NOW)
        )
        assert (failed.state, job_state(world, failed)) == (AttemptState.FAILED, expected)
    assert plate(world) is PlateState.CLEAR


def test_what_was_not_started_or_declined_is_no_failure(world: World) -> None:
    job = world.job()
    for state in (AttemptState.FAILED, AttemptState.NOT_STARTED, AttemptState.FAILED, AttemptState.NOT_STARTED):
        world.attempt(state, job=job)
        if state is AttemptState.FAILED:
            world.clear_plate(world.printer)
    assert world.get(PrintJob, job.id).state is JobState.QUEUED


def held(world: World) -> PrintJob:
    job = world.job()
    for _ in range(service.TRIES_BEFORE_HOLD):
        world.attempt(AttemptState.FAILED, job=job)
        world.clear_plate(world.printer)
    return job


def release(world: World, job: PrintJob) -> None:
    with world.database.changing() as session:
        service.release(session, session.get_one(PrintJob, job.id), by=world.dispatcher.id, now=NOW)


def test_a_dispatcher_releases_a_held_job(world: World) -> None:
    job = held(world)
    release(world, job)
    assert world.get(PrintJob, job.id).state is JobState.QUEUED


def test_a_released_job_that_is_declined_is_not_held_again(world: World) -> None:
    job = held(world)
    release(world, job)
    asking = world.add_printer("Asking", consent=Consent.ASK)
    attempt = world.attempt(AttemptState.OFFERED, job=job, printer=asking)
    change(world, attempt, lambda session, row: service.decline(session, row, by=world.maker.id, now=NOW))
    assert world.get(PrintJob, job.id).state is JobState.QUEUED


def test_a_released_job_that_fails_again_is_held_again(world: World) -> None:
    job = held(world)
    release(world, job)
    world.attempt(AttemptState.FAILED, job=job)
    assert world.get(PrintJob, job.id).state is JobState.HELD


def count(world: World, attempt: Attempt, good: int) -> Attempt:
    return change(world, attempt, lambda session, row: service.count(session, row, good=good, by=row.id, now=NOW))


@pytest.mark.parametrize("good", [0, 1, 4])
def test_a_count_says_what_is_good_and_the_rest_is_bad(world: World, good: int) -> None:
    attempt = count(world, world.attempt(AttemptState.FINISHED, job=world.job(4)), good)
    assert (attempt.state, attempt.good, attempt.bad) == (AttemptState.COUNTED, good, 4 - good)
    assert job_state(world, attempt) is JobState.DONE


@pytest.mark.parametrize("good", [-1, 5, 10**12])
def test_a_count_that_can_not_be_is_refused(world: World, good: int) -> None:
    attempt = world.attempt(AttemptState.FINISHED, job=world.job(4))
    with pytest.raises(Invalid) as refusal:
        count(world, attempt, good)
    assert list(refusal.value.fields) == ["good"]
    assert world.get(Attempt, attempt.id).state is AttemptState.FINISHED


def test_a_print_is_counted_once(world: World) -> None:
    attempt = count(world, world.attempt(AttemptState.FINISHED), 3)
    with pytest.raises(IllegalMove):
        count(world, attempt, 4)
    assert world.get(Attempt, attempt.id).good == 3


@pytest.mark.parametrize("state", [AttemptState.PRINTING, AttemptState.IN_DOUBT, AttemptState.FAILED])
def test_what_has_not_finished_can_not_be_counted(world: World, state: AttemptState) -> None:
    attempt = world.attempt(state)
    with pytest.raises(IllegalMove):
        count(world, attempt, 1)


def test_a_doubt_is_a_question_with_its_reason(world: World) -> None:
    attempt = world.attempt(AttemptState.IN_DOUBT)
    assert (attempt.doubt, job_state(world, attempt)) == ("no_history", JobState.ASSIGNED)


@pytest.mark.parametrize(
    ("answer", "job", "left"),
    [
        (AttemptState.FINISHED, JobState.ASSIGNED, PlateState.OCCUPIED),
        (AttemptState.FAILED, JobState.QUEUED, PlateState.OCCUPIED),
        (AttemptState.NOT_STARTED, JobState.QUEUED, PlateState.CLEAR),
    ],
)
def test_the_maker_answers_a_doubt(world: World, answer: AttemptState, job: JobState, left: PlateState) -> None:
    attempt = world.attempt(AttemptState.IN_DOUBT)
    answered = change(
        world,
        attempt,
        lambda session, row: service.end(
            session, row, Outcome(answer, "looked"), by=world.maker.id, now=later(hours=1)
        ),
    )
    assert (answered.state, answered.doubt, answered.ended_at) == (answer, "", later(hours=1))
    assert (job_state(world, answered), plate(world)) == (job, left)
    with world.database.reading() as session:
        last = history(session, answered)[-1]
    assert (last.by, last.why) == (world.maker.id, "looked")


def test_a_doubtful_print_that_is_seen_printing_goes_on(world: World) -> None:
    attempt = world.attempt(AttemptState.IN_DOUBT)
    began = attempt.started_at
    going = change(world, attempt, lambda session, row: service.started(session, row, now=later(hours=1)))
    assert (going.state, going.doubt, going.started_at, going.ended_at) == (AttemptState.PRINTING, "", began, None)


@pytest.mark.parametrize("ended", ENDED)
@pytest.mark.parametrize("late", [AttemptState.FINISHED, AttemptState.FAILED, AttemptState.NOT_STARTED])
def test_what_comes_after_the_end_changes_nothing(world: World, ended: AttemptState, late: AttemptState) -> None:
    attempt = world.attempt(ended)
    before = attempt.model_dump(), job_state(world, attempt), plate(world)
    row = end(world, attempt, Outcome(late))
    change(world, attempt, lambda session, row: service.started(session, row, now=NOW))
    assert (world.get(Attempt, row.id).model_dump(), job_state(world, row), plate(world)) == before


@pytest.mark.parametrize("state", [*NOT_YET_SENT, AttemptState.FAILED, AttemptState.NOT_STARTED])
def test_a_plate_is_cleared_while_nothing_of_ours_lies_on_it(world: World, state: AttemptState) -> None:
    printer = world.add_printer("Occupied", plate_is_clear=False, consent=Consent.ASK)
    if state in NOT_YET_SENT:
        world.attempt(state, printer=printer)
    else:
        world.clear_plate(printer)
        world.attempt(state, printer=printer)
        if state is AttemptState.NOT_STARTED:
            assert plate(world, printer) is PlateState.CLEAR
            return
    world.clear_plate(printer)
    assert plate(world, printer) is PlateState.CLEAR


@pytest.mark.parametrize("state", [*sorted(ON_THE_PRINTER), AttemptState.FINISHED])
def test_a_plate_is_not_cleared_while_something_of_ours_is_on_the_printer(world: World, state: AttemptState) -> None:
    world.attempt(state)
    with pytest.raises(Invalid):
        world.clear_plate(world.printer)
    assert plate(world) is PlateState.OCCUPIED


def test_after_the_count_the_maker_clears_the_plate_and_the_printer_is_free(world: World) -> None:
    attempt = world.attempt(AttemptState.FINISHED)
    with world.database.changing() as session:
        stock.count_print(session, session.get_one(Attempt, attempt.id), good=4, by=world.maker.id, now=NOW)
    world.clear_plate(world.printer)
    assert world.attempt(AttemptState.SENDING).state is AttemptState.SENDING


def test_attempts_come_the_oldest_first(world: World) -> None:
    second = world.attempt(printer=world.add_printer("Second"), now=later(minutes=1))
    first = world.attempt(now=NOW)
    with world.database.reading() as session:
        assert [row.id for row in service.in_states(session, AttemptState.READY)] == [first.id, second.id]


def test_a_cancelled_job_is_over(world: World) -> None:
    job = world.job()
    with world.database.changing() as session:
        service.cancel_job(session, session.get_one(PrintJob, job.id), why="nobody needs it", now=NOW)
    with pytest.raises(IllegalMove):
        world.attempt(job=job)
    assert world.get(PrintJob, job.id).created_at + timedelta(0) == NOW


def test_a_printer_that_never_starts_what_it_takes_is_paused(world: World) -> None:
    for number in range(service.TRIES_BEFORE_PAUSE):
        assert world.get(Printer, world.printer.id).state is PrinterState.ACTIVE, number
        world.attempt(AttemptState.NOT_STARTED, now=later(minutes=number))
    printer = world.get(Printer, world.printer.id)
    assert printer.state is PrinterState.PAUSED
    with world.database.reading() as session:
        assert history(session, printer)[-1].why == "it took three files and began none of them"


def test_a_printer_that_starts_now_and_then_is_not_paused(world: World) -> None:
    states = (AttemptState.NOT_STARTED, AttemptState.NOT_STARTED, AttemptState.FAILED, AttemptState.NOT_STARTED)
    for number, state in enumerate(states):
        world.attempt(state, now=later(minutes=number))
        if state is AttemptState.FAILED:
            world.clear_plate(world.printer)
    assert world.get(Printer, world.printer.id).state is PrinterState.ACTIVE
