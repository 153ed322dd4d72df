from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from builders import IN_A_WEEK, MESH, NOW, POLICY, CountingSlicer, World, at_once, failures, later, profiles

from makerhub.background import Task
from makerhub.config import Settings
from makerhub.delivery import service as delivery
from makerhub.delivery.models import Allocation, AllocationState
from makerhub.demand import service as demand
from makerhub.demand.models import SupplyRequest, Urgency
from makerhub.designs.files import FileStore
from makerhub.designs.plate_cache import PlateCache
from makerhub.designs.slicer import SlicingFailed
from makerhub.fleet.gateway import PrinterState as Doing
from makerhub.fleet.gateway import Trouble
from makerhub.people import homes
from makerhub.people.quiet_hours import QuietHours
from makerhub.planning.tasks import allocate_lots, dispatch_jobs, plan_jobs
from makerhub.printers import service as printers
from makerhub.printers.models import Consent, Printer
from makerhub.production import service as production
from makerhub.production.models import Attempt, AttemptState, JobState, PrintJob
from makerhub.production.tasks import prepare_attempts
from makerhub.stock import service as stock
from makerhub.trace.invariants import breaches

Run = Callable[..., list[str]]


@pytest.fixture
def slicer() -> CountingSlicer:
    return CountingSlicer()


@pytest.fixture
def run(world: World, slicer: CountingSlicer, tmp_path: Path) -> Run:
    """Runs a task with the parts of a hub and gives the names of the tasks that it nudged; `now` is `NOW`."""
    files = FileStore(tmp_path / "files")
    files.put(MESH)

    def go(task: Task, **changes: Any) -> list[str]:
        nudged: list[str] = []
        parts: dict[str, object] = {
            "database": world.database,
            "plates": PlateCache(world.database, files, slicer, lambda: NOW),
            "profiles": profiles(),
            "settings": Settings(),
            "clock": lambda: NOW,
            "soon": lambda nudge: nudged.append(nudge.name),
        }
        task.bind(parts | changes)()
        with world.database.reading() as session:
            assert breaches(session) == []
        return nudged

    return go


def jobs(world: World, *states: JobState) -> list[PrintJob]:
    wanted = states or (JobState.QUEUED,)
    return sorted((job for job in world.all(PrintJob) if job.state in wanted), key=lambda job: -job.copies)


def copies(world: World, *states: JobState) -> list[int]:
    return [job.copies for job in jobs(world, *states)]


def test_what_a_request_wants_is_queued_in_plates(world: World, run: Run) -> None:
    request = world.request(10)
    assert run(plan_jobs) == [dispatch_jobs.name]
    queued = jobs(world)
    assert sum(job.copies for job in queued) == 10
    assert {(job.hub_id, job.line_id, job.part_id) for job in queued} == {
        (world.hub.id, world.line(request).id, world.part(world.headband).id)
    }


def test_planning_twice_plans_nothing_twice(world: World, run: Run, slicer: CountingSlicer) -> None:
    world.request(10)
    for _ in range(3):
        run(plan_jobs)
    assert sum(copies(world, *JobState)) == 10
    assert len(slicer.orders) == 1


def test_many_plannings_at_once_plan_nothing_twice(world: World, run: Run) -> None:
    world.request(10)
    run(plan_jobs)
    more = world.request(7)
    assert more.hub_id == world.hub.id
    assert failures(at_once(*[lambda: run(plan_jobs)] * 4)) == []
    assert sum(copies(world, *JobState)) == 17


def test_all_parts_of_a_kit_are_planned_in_their_quantities(world: World, run: Run) -> None:
    world.request(5, version=world.kit)
    run(plan_jobs)
    planned = {
        name: sum(job.copies for job in jobs(world) if job.part_id == world.part(world.kit, name).id)
        for name in ("band", "clip")
    }
    assert planned == {"band": 5, "clip": 10}


@pytest.mark.parametrize("state", ["submitted", "cancelled"])
def test_only_accepted_requests_are_planned_for(world: World, run: Run, state: str) -> None:
    if state == "cancelled":
        world.cancel(world.request(10))
    else:
        with world.database.changing() as session:
            demand.submit(session, world.new_request(), largest=100, policy=POLICY, now=NOW)
    run(plan_jobs)
    assert jobs(world, *JobState) == []


def test_what_exists_or_is_made_is_not_planned_again(world: World, run: Run) -> None:
    request = world.request(20)
    world.lot(3)
    world.lot_at_maker(2)
    world.attempt(AttemptState.PRINTING, job=world.job(4, request=request))
    world.job(5, request=request)
    before = sum(copies(world, *JobState))
    run(plan_jobs)
    wanted = 20 + 10 + 10  # the lots' own requests want ten each
    there = 3 + 2 + 4 + 5
    assert sum(copies(world, *JobState)) - before == wanted - there


def test_what_was_promised_and_delivered_is_not_planned_again(world: World, run: Run) -> None:
    request = world.request(10)
    world.deliver(request, world.lot(4, request=request), 4)
    world.reserve(request, world.lot(3, request=request), 3)
    run(plan_jobs)
    assert sum(copies(world)) == 3


def test_a_plate_takes_no_longer_than_the_longest_allowed(world: World, run: Run, slicer: CountingSlicer) -> None:
    slicer.seconds = 4 * 3600
    world.request(5)
    run(plan_jobs)
    assert copies(world) == [2, 2, 1]


def test_a_part_that_takes_longer_than_the_longest_allowed_is_printed_one_by_one(
    world: World, run: Run, slicer: CountingSlicer
) -> None:
    slicer.seconds = 20 * 3600
    world.request(2)
    run(plan_jobs)
    assert copies(world) == [1, 1]


def test_what_can_not_be_sliced_is_not_planned_and_holds_nothing_else_up(
    world: World, run: Run, slicer: CountingSlicer
) -> None:
    world.request(5)
    slicer.problem = SlicingFailed(problem="it has a hole")
    assert run(plan_jobs) == [dispatch_jobs.name]
    assert jobs(world, *JobState) == []


def test_without_a_printer_that_can_take_the_part_nothing_is_planned(
    world: World, run: Run, slicer: CountingSlicer
) -> None:
    world.request(5)
    run(plan_jobs, profiles={})
    assert jobs(world, *JobState) == []
    assert slicer.orders == []


def test_what_nobody_needs_any_more_is_cancelled(world: World, run: Run) -> None:
    keep, drop = world.request(10), world.request(6)
    run(plan_jobs)
    world.cancel(drop)
    run(plan_jobs)
    assert sum(copies(world)) == 10
    assert world.get(SupplyRequest, keep.id).state == "accepted"


def test_when_the_last_request_is_cancelled_its_jobs_are_too(world: World, run: Run) -> None:
    request = world.request(10)
    run(plan_jobs)
    world.cancel(request)
    run(plan_jobs)
    assert jobs(world) == []


def test_what_prints_already_is_not_cancelled(world: World, run: Run) -> None:
    request = world.request(10)
    world.attempt(AttemptState.PRINTING, job=world.job(4, request=request))
    world.cancel(request)
    run(plan_jobs)
    assert copies(world, JobState.ASSIGNED) == [4]


def test_jobs_of_a_withdrawn_design_are_cancelled_and_no_new_ones_queued(world: World, run: Run) -> None:
    world.request(10)
    world.request(3, version=world.kit)
    run(plan_jobs)
    world.withdraw(world.headband)
    for _ in range(2):
        run(plan_jobs)
        kept = {job.part_id for job in jobs(world)}
        assert kept == {world.part(world.kit, name).id for name in ("band", "clip")}


def free(world: World, printer: Printer | None = None) -> Printer:
    printer = printer or world.printer
    world.seen(printer)
    return printer


def test_a_queued_job_goes_to_a_free_printer_once(world: World, run: Run) -> None:
    job = world.job()
    free(world)
    assert run(dispatch_jobs) == [prepare_attempts.name]
    assert run(dispatch_jobs) == []
    [attempt] = world.all(Attempt)
    assert (attempt.job_id, attempt.printer_id, attempt.state) == (job.id, world.printer.id, AttemptState.PREPARING)


def test_the_urgent_and_the_early_go_first(world: World, run: Run) -> None:
    world.job(request=world.request(needed_by=later(days=2), urgency=Urgency.ROUTINE))
    late = world.job(request=world.request(needed_by=IN_A_WEEK, urgency=Urgency.SOON))
    early = world.job(request=world.request(needed_by=later(days=3), urgency=Urgency.SOON))
    free(world)
    free(world, world.add_printer("Second"))
    run(dispatch_jobs)
    assert {attempt.job_id for attempt in world.all(Attempt)} == {early.id, late.id}


def pause(world: World) -> None:
    with world.database.changing() as session:
        printers.pause(session, session.get_one(Printer, world.printer.id), by=world.maker.id, now=NOW)


def occupy(world: World) -> None:
    world.attempt(AttemptState.FAILED)


@pytest.mark.parametrize(
    "spoil",
    [
        pause,
        occupy,
        lambda world: world.seen(world.printer, Doing.PRINTING),
        lambda world: world.seen(world.printer, Trouble.TIMED_OUT),
        lambda world: world.seen(world.printer, at=later(seconds=-121)),
        lambda world: world.attempt(AttemptState.READY),
    ],
    ids=["paused", "occupied", "prints", "silent", "not seen lately", "has an attempt"],
)
def test_a_printer_that_is_not_free_gets_nothing(world: World, run: Run, spoil: Callable[[World], object]) -> None:
    free(world)
    spoil(world)
    before = len(world.all(Attempt))
    world.job()
    run(dispatch_jobs)
    assert len(world.all(Attempt)) == before


def test_a_declined_job_is_not_offered_to_that_printer_again(world: World, run: Run) -> None:
    job = world.job()
    asking = free(world, world.add_printer("Asking", consent=Consent.ASK))
    run(dispatch_jobs)
    [offered] = world.all(Attempt)
    with world.database.changing() as session:
        production.decline(session, session.get_one(Attempt, offered.id), by=world.maker.id, now=NOW)
    run(dispatch_jobs)
    assert len(world.all(Attempt)) == 1
    free(world)
    run(dispatch_jobs)
    assert {attempt.printer_id for attempt in world.all(Attempt)} == {asking.id, world.printer.id}
    assert world.get(PrintJob, job.id).state is JobState.ASSIGNED


def test_dispatching_at_once_gives_no_job_and_no_printer_twice(world: World, run: Run) -> None:
    for number in range(4):
        world.job()
        free(world, world.add_printer(f"Printer {number}"))
    assert failures(at_once(*[lambda: run(dispatch_jobs)] * 4)) == []
    attempts = world.all(Attempt)
    assert len({attempt.job_id for attempt in attempts}) == len(attempts) == 4


def test_what_lies_at_the_hub_is_reserved_for_who_wants_it(world: World, run: Run) -> None:
    request, lot = world.request(3), world.lot(4)
    run(allocate_lots)
    mine = [one for one in world.all(Allocation) if one.line_id == world.line(request).id]
    assert sum(one.quantity for one in world.all(Allocation)) == 4
    assert {one.lot_id for one in world.all(Allocation)} == {lot.id}
    assert all("in the order of service: soon, needed by 2020-04-01" in one.reason for one in mine)


def test_allocating_twice_reserves_nothing_twice(world: World, run: Run) -> None:
    request = world.request(10)
    world.lot(4, request=request)
    for _ in range(3):
        run(allocate_lots)
    assert [(one.quantity, one.state) for one in world.all(Allocation)] == [(4, AllocationState.RESERVED)]


def test_allocating_at_once_reserves_nothing_twice(world: World, run: Run) -> None:
    request = world.request(6)
    lots = [world.lot(4, request=request), world.lot(4, request=request)]
    assert failures(at_once(*[lambda: run(allocate_lots)] * 4)) == []
    assert sum(one.quantity for one in world.all(Allocation)) == 6
    with world.database.reading() as session:
        assert sum(delivery.unpromised(session, lot) for lot in lots) == 2


def test_the_urgent_get_what_there_is(world: World, run: Run) -> None:
    routine = world.request(5, urgency=Urgency.ROUTINE, needed_by=later(days=1))
    critical = world.request(5, urgency=Urgency.CRITICAL)
    world.lot(6, request=critical)
    run(allocate_lots)
    got = {one.line_id: one.quantity for one in world.all(Allocation)}
    assert got == {world.line(critical).id: 5, world.line(routine).id: 1}


def test_what_a_cancelled_request_held_goes_to_the_next(world: World, run: Run) -> None:
    first = world.request(5, needed_by=later(days=1))
    second = world.request(5)
    world.lot(5, request=first)
    run(allocate_lots)
    world.cancel(first)
    run(allocate_lots)
    states = {(one.line_id, one.state) for one in world.all(Allocation)}
    assert states == {
        (world.line(first).id, AllocationState.RELEASED),
        (world.line(second).id, AllocationState.RESERVED),
    }


def test_pieces_of_a_withdrawn_design_are_given_to_nobody(world: World, run: Run) -> None:
    request = world.request(5)
    world.lot(5, request=request)
    world.withdraw(world.headband)
    run(allocate_lots)
    assert world.all(Allocation) == []


def test_the_whole_way_from_request_to_fulfilment(world: World, run: Run, slicer: CountingSlicer) -> None:
    slicer.seconds = 3600
    request = world.request(12)
    printed = 0
    while printed < 12:
        free(world)
        run(plan_jobs)
        run(dispatch_jobs)
        [attempt] = [one for one in world.all(Attempt) if one.state is AttemptState.PREPARING]
        printed += print_and_check(world, attempt)
        run(allocate_lots)
    shipment = world.pack(request)
    world.depart(shipment)
    world.confirm(shipment)
    assert world.get(SupplyRequest, request.id).state == "fulfilled"
    run(plan_jobs)
    assert jobs(world) == []


def print_and_check(world: World, attempt: Attempt) -> int:
    with world.database.changing() as session:
        row = session.get_one(Attempt, attempt.id)
        job = session.get_one(PrintJob, row.job_id)
        production.prepared(session, row, world.plate_slice(session, job).id, now=NOW)
        production.claim_start(session, row, now=NOW)
        production.started(session, row, now=NOW)
        production.end(session, row, production.Outcome(AttemptState.FINISHED), now=NOW)
        lot = stock.count_print(session, row, good=job.copies, by=world.maker.id, now=NOW)
    assert lot is not None
    world.clear_plate(world.printer)
    world.inspect(lot, lot.quantity)
    return lot.quantity


def test_nothing_is_dispatched_to_a_maker_in_her_quiet_hours(world: World, run: Run) -> None:
    world.job()
    free(world)
    with world.database.changing() as session:
        homes.set_quiet_hours(session, world.maker.id, QuietHours(8 * 60, 10 * 60), now=NOW)
    assert run(dispatch_jobs) == []
    assert world.all(Attempt) == []
    with world.database.changing() as session:
        homes.set_quiet_hours(session, world.maker.id, QuietHours(10 * 60, 8 * 60), now=NOW)
    assert run(dispatch_jobs) == [prepare_attempts.name]
