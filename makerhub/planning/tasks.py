"""What planning does in the background: queue what is needed, dispatch it, and share out what is there.

Each task reads rows of every slice, calls the pure rules, and records the outcome through the slices' services.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import product
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import union
from sqlmodel import Session, col, func, select

from makerhub.background import Nudge, task
from makerhub.config import Settings
from makerhub.db import Clock, Database
from makerhub.delivery import service as delivery
from makerhub.delivery.models import Allocation, AllocationState
from makerhub.demand.approved import materials_for
from makerhub.demand.models import RequestLine, RequestState, SupplyRequest
from makerhub.designs.approvals import ApprovalPolicy, policy_of
from makerhub.designs.manifest import PrintSettings
from makerhub.designs.models import Part
from makerhub.designs.plate_cache import PlateCache
from makerhub.designs.profiles import PrinterProfile
from makerhub.designs.slicer import copies_that_fit
from makerhub.errors import MakerhubError, MovedMeanwhile
from makerhub.facilities.service import limits_of
from makerhub.people.blocks import kept_out
from makerhub.people.homes import left_alone
from makerhub.people.models import Organisation
from makerhub.planning.allocation import Allotment, allot
from makerhub.planning.dispatching import FreePrinter, QueuedJob, assign
from makerhub.planning.holding import take_back_beyond_limits
from makerhub.planning.needs import Plate, served_by, shortfalls, split, surplus
from makerhub.planning.view import View, jobs_in
from makerhub.printers.models import Observation, PlateState, Printer, PrinterState
from makerhub.printers.own import with_described
from makerhub.printers.service import is_idle
from makerhub.production import service as production
from makerhub.production.models import Attempt, JobState, PrintJob
from makerhub.production.tasks import SLICERS, prepare_attempts

log = logging.getLogger(__name__)


@task
def plan_jobs(
    database: Database,
    plates: PlateCache,
    profiles: Mapping[str, PrinterProfile],
    settings: Settings,
    clock: Clock,
    soon: Nudge,
) -> None:
    """Queue build plates for what accepted requests want and nobody makes yet; cancel the others."""
    for hub_id in _hubs(database):
        with database.reading() as session:
            view = View(session, hub_id, policy_of(settings), clock(), limits_of(settings))
            missing = shortfalls(view.wanted(), view.supply())
            printers = _printers(session, hub_id)
            parts = [session.get_one(Part, part_id) for part_id in {shortfall.part_id for shortfall in missing}]
        sizes = _plate_sizes(parts, printers, plates, with_described(printers, profiles), settings)
        try:
            with _deciding_alone(database, hub_id) as session:
                view = View(session, hub_id, policy_of(settings), clock(), limits_of(settings))
                _queue(view, sizes)
                _cancel_unwanted(view)
                _serve_first(view)
        except MovedMeanwhile:
            log.info("Hub %s is planned again by the next sweep: a job was given out meanwhile", hub_id)
    soon(dispatch_jobs)


@task
def dispatch_jobs(
    database: Database, profiles: Mapping[str, PrinterProfile], settings: Settings, clock: Clock, soon: Nudge
) -> None:
    """Give queued jobs to free printers: the most urgent and earliest first."""
    now = clock()
    with database.reading() as session:
        described = session.exec(select(Printer).where(Printer.state == PrinterState.ACTIVE)).all()
        known, policy = with_described(described, profiles), policy_of(settings)
        jobs = [_queued_job(session, job, known, policy, now) for job in jobs_in(session, JobState.QUEUED)]
        assignments = assign(jobs, _free_printers(session, settings, now))
    for assignment in assignments:
        try:
            with database.changing() as session:
                job = session.get_one(PrintJob, assignment.job_id)
                production.assign(session, job, session.get_one(Printer, assignment.printer_id), now=now)
        except MakerhubError as error:
            log.info("Job %s was not assigned: %s", assignment.job_id, error)
    if assignments:
        soon(prepare_attempts)


@task
def allocate_lots(database: Database, settings: Settings, clock: Clock) -> None:
    """Reserve what lies at a hub for the lines that want it, in the order of service.

    First, what ended or held requests held is freed, and what facilities hold that may no longer have so much.
    """
    with database.changing() as session:
        for request in _ended_requests_with_reservations(session):
            delivery.release(session, request, why=f"the request is {request.state}", now=clock())
        take_back_beyond_limits(session, limits_of(settings), now=clock())
    for hub_id in _hubs(database):
        with database.changing() as session:
            _alone(session, hub_id)
            view = View(session, hub_id, policy_of(settings), clock(), limits_of(settings))
            shares = allot(view.wanted_kits(), view.available())
            for share in sorted(shares, key=lambda share: share.lot_id.bytes):  # all who lock lots do so in one order
                reason = _reason(session, share)
                delivery.reserve(
                    session, delivery.Share(share.line_id, share.lot_id, share.quantity, reason), now=clock()
                )


def _reason(session: Session, share: Allotment) -> str:
    """Why the line got its pieces; its deadline is the day that the facility wrote down."""
    line = session.get_one(RequestLine, share.line_id)
    request = session.get_one(SupplyRequest, line.request_id)
    zone = ZoneInfo(session.get_one(Organisation, request.facility_id).time_zone)
    day = line.needed_by.astimezone(zone).date()
    return f"place {share.place} in the order of service: {line.urgency}, needed by {day}"


def fits_on(part: Part, profile: PrinterProfile) -> int:
    """How many copies of the part fit on one build plate of the printer model, by size alone."""
    brim_mm = PrintSettings(**part.settings).brim_mm
    return copies_that_fit(part.width_mm, part.depth_mm, part.height_mm, profile, brim_mm)


def _queue(view: View, sizes: Mapping[UUID, int]) -> None:
    """Decided again inside the transaction, while nobody else plans for this hub."""
    for shortfall in shortfalls(view.wanted(), view.supply()):
        line = view.session.get_one(RequestLine, shortfall.line_id)
        if sizes.get(shortfall.part_id, 0) > 0 and view.materials_for(line, shortfall.part_id):
            for copies in split(shortfall.quantity, sizes[shortfall.part_id]):
                production.plan_job(
                    view.session, line, hub_id=view.hub_id, part_id=shortfall.part_id, copies=copies, now=view.now
                )


def _cancel_unwanted(view: View) -> None:
    left = surplus(view.wanted(), view.supply())
    for job in reversed(view.queued()):
        piece = job.part_id, view.grade_of_job(job)
        if not view.materials_for(view.session.get_one(RequestLine, job.line_id), job.part_id):
            production.cancel_job(view.session, job, why="the design was withdrawn", now=view.now)
        elif left.get(piece, 0) >= job.copies:
            left[piece] -= job.copies
            production.cancel_job(view.session, job, why="nobody needs it any more", now=view.now)


def _serve_first(view: View) -> None:
    """Let queued jobs be for the lines that will get their pieces: a routine job may serve a critical line."""
    plates = [
        Plate(job.id, job.part_id, job.copies, job.needed_by, job.urgency.tier, view.grade_of_job(job))
        for job in view.queued()
    ]
    for job_id, want in served_by(plates, view.wanted(), view.made()).items():
        production.serve(view.session, job_id, view.session.get_one(RequestLine, want.line_id))


def _plate_sizes(
    parts: Sequence[Part],
    printers: Sequence[Printer],
    plates: PlateCache,
    profiles: Mapping[str, PrinterProfile],
    settings: Settings,
) -> dict[UUID, int]:
    """The copies of each part that one plate may hold, so that every printer that can take the part can take the plate.

    A single copy is sliced for each model first: estimates from volume err up to threefold on tiny parts. A part
    that no printer can take is left out.
    """
    models = {(printer.profile, printer.material) for printer in printers if printer.profile in profiles}

    def size(case: tuple[Part, tuple[str, str]]) -> tuple[UUID, int] | None:
        part, (model, material) = case
        profile = profiles[model]
        if material not in part.materials or not fits_on(part, profile):
            return None
        try:
            one = plates.plate(part.id, 1, profile, material)
        except MakerhubError as error:
            log.warning("Part %s can not be sliced for %s: %s", part.name, profile.key, error)
            return None
        in_time = settings.longest_plate_hours * 3600 // max(one.seconds, 1)
        return part.id, max(1, min(fits_on(part, profile), in_time))

    with ThreadPoolExecutor(SLICERS) as pool:
        found = [sized for sized in pool.map(size, product(parts, models)) if sized is not None]
    return {part.id: min(copies for key, copies in found if key == part.id) for part in parts if part.id in dict(found)}


def _queued_job(
    session: Session, job: PrintJob, profiles: Mapping[str, PrinterProfile], policy: ApprovalPolicy, now: datetime
) -> QueuedJob:
    part, line = session.get_one(Part, job.part_id), session.get_one(RequestLine, job.line_id)
    declined = select(Attempt.printer_id).where(Attempt.job_id == job.id, col(Attempt.declined))
    return QueuedJob(
        id=job.id,
        hub_id=job.hub_id,
        tier=job.urgency.tier,
        needed_by=job.needed_by,
        materials=materials_for(session, policy, line, part, now),
        profiles=frozenset(key for key, profile in profiles.items() if fits_on(part, profile) >= job.copies),
        declined_by=frozenset(session.exec(declined)),
    )


def _free_printers(session: Session, settings: Settings, now: datetime) -> list[FreePrinter]:
    offline_after = timedelta(seconds=settings.offline_after_seconds)
    free = []
    printers = session.exec(select(Printer).where(Printer.state == PrinterState.ACTIVE)).all()
    quiet, blocked = left_alone(session, {printer.owner_id for printer in printers}, now), kept_out(session)
    for printer in printers:
        if printer.owner_id in quiet or (printer.owner_id, printer.hub_id) in blocked:
            continue
        plate = production.plate_of(session, printer.id)
        seen = session.get(Observation, printer.id)
        is_free = plate.state is PlateState.CLEAR and is_idle(printer, seen, now, offline_after)
        if is_free and production.live_attempt(session, printer.id) is None:
            since = _last_ended(session, printer.id) or printer.registered_at
            free.append(FreePrinter(printer.id, printer.hub_id, printer.profile, printer.material, since))
    return free


def _last_ended(session: Session, printer_id: UUID) -> datetime | None:
    return session.exec(select(func.max(Attempt.ended_at)).where(Attempt.printer_id == printer_id)).one()


def _ended_requests_with_reservations(session: Session) -> Sequence[SupplyRequest]:
    ended = (RequestState.CANCELLED, RequestState.FULFILLED, RequestState.HELD)
    requests = (
        select(SupplyRequest)
        .join(RequestLine, col(RequestLine.request_id) == SupplyRequest.id)
        .join(Allocation, col(Allocation.line_id) == RequestLine.id)
        .where(col(SupplyRequest.state).in_(ended), Allocation.state == AllocationState.RESERVED)
    )
    return session.exec(requests.distinct()).all()


def _printers(session: Session, hub_id: UUID) -> Sequence[Printer]:
    usable = (PrinterState.ACTIVE, PrinterState.PAUSED)
    return session.exec(select(Printer).where(Printer.hub_id == hub_id, col(Printer.state).in_(usable))).all()


def _hubs(database: Database) -> Sequence[UUID]:
    """The hubs with something to plan for: an accepted request, or queued jobs that nobody may need any more."""
    accepted = select(SupplyRequest.hub_id).where(SupplyRequest.state == RequestState.ACCEPTED)
    queued = select(PrintJob.hub_id).where(PrintJob.state == JobState.QUEUED)
    with database.reading() as session:
        return session.exec(select(Organisation.id).where(col(Organisation.id).in_(union(accepted, queued)))).all()


@contextmanager
def _deciding_alone(database: Database, hub_id: UUID) -> Iterator[Session]:
    """A session at one moment, which begins when nobody else decides for this hub.

    A lock taken inside would come too late on PostgreSQL: the moment is that of the first statement, before the wait.
    """
    if database.is_sqlite:  # where one transaction changes at a time
        with database.deciding() as session:
            yield session
        return
    with database.changing() as waiting:
        _alone(waiting, hub_id)
        with database.deciding() as session:
            yield session


def _alone(session: Session, hub_id: UUID) -> None:
    """Wait for others who decide for this hub: what they decided is seen, and nobody decides the same twice."""
    session.exec(select(Organisation.id).where(Organisation.id == hub_id).with_for_update(key_share=True)).one()
