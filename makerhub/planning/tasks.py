"""What planning does in the background: queue what is needed, dispatch it, and share out what is there.

Each task reads rows of every slice, calls the pure rules, and records the outcome through the slices' services.
"""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from itertools import product
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import union
from sqlmodel import Session, SQLModel, col, select

from makerhub.background import Nudge, task
from makerhub.config import Settings
from makerhub.db import Clock, Database
from makerhub.delivery import service as delivery
from makerhub.demand.models import RequestLine, RequestState, SupplyRequest
from makerhub.designs.approvals import policy_of
from makerhub.designs.models import Part
from makerhub.designs.plate_cache import PlateCache
from makerhub.designs.profiles import PrinterProfile
from makerhub.errors import MakerhubError, MovedMeanwhile
from makerhub.facilities.service import limits_of
from makerhub.people.models import Organisation, Person
from makerhub.planning.allocation import Allotment, allot
from makerhub.planning.candidates import USABLE, fits_on, free_printers, profiles_in_use, queued_jobs
from makerhub.planning.dispatching import Assignment, assign
from makerhub.planning.holding import take_back_beyond_limits, take_back_from_ended
from makerhub.planning.needs import Plate, served_by, shortfalls, split, surplus
from makerhub.planning.view import View
from makerhub.printers.models import Printer
from makerhub.production import service as production
from makerhub.production.models import JobState, PrintJob
from makerhub.production.tasks import SLICERS, prepare_attempts

log = logging.getLogger(__name__)

AT_ONCE = 50
"""How many jobs are given out in one transaction: fewer are slower, and more keep others waiting for longer."""


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
            models = _models(session, hub_id)
            known = profiles_in_use(session, profiles)
            parts = [session.get_one(Part, part_id) for part_id in {shortfall.part_id for shortfall in missing}]
        sizes = _plate_sizes(parts, models, plates, known, settings)
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
        jobs = queued_jobs(session, profiles, settings, now)
        assignments = assign(jobs, free_printers(session, settings, now)) if jobs else []
    for start in range(0, len(assignments), AT_ONCE):
        together = assignments[start : start + AT_ONCE]
        with database.changing() as session:
            held = _load(session, together)
            for assignment in together:
                _assign(session, assignment, now)
            del held
    if assignments:
        soon(prepare_attempts)


def _load(session: Session, assignments: Sequence[Assignment]) -> Sequence[SQLModel]:
    """What giving out these jobs reads one by one, at once; a session remembers it for as long as it is held."""
    jobs = select(PrintJob).where(col(PrintJob.id).in_([one.job_id for one in assignments]))
    printers = select(Printer).where(col(Printer.id).in_([one.printer_id for one in assignments]))
    owners = select(Person).where(col(Person.id).in_(printers.with_only_columns(col(Printer.owner_id))))
    return [*session.exec(jobs), *session.exec(printers), *session.exec(owners)]


def _assign(session: Session, assignment: Assignment, now: datetime) -> None:
    """Give a job to a printer, or leave both alone where somebody was faster; the others of the transaction stay."""
    try:
        with session.begin_nested():
            job = session.get_one(PrintJob, assignment.job_id)
            production.assign(session, job, session.get_one(Printer, assignment.printer_id), now=now)
    except MakerhubError as error:
        log.info("Job %s was not assigned: %s", assignment.job_id, error)


@task
def allocate_lots(database: Database, settings: Settings, clock: Clock) -> None:
    """Reserve what lies at a hub for the lines that want it, in the order of service.

    First, what ended or held requests held is freed, and what facilities hold that may no longer have so much.
    """
    with database.changing() as session:
        take_back_from_ended(session, now=clock())
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


def _queue(view: View, sizes: Mapping[UUID, int]) -> None:
    """Decided again inside the transaction, while nobody else plans for this hub."""
    for shortfall in shortfalls(view.wanted(), view.supply()):
        line = view.line(shortfall.line_id)
        if sizes.get(shortfall.part_id, 0) > 0 and view.materials_for(line, shortfall.part_id):
            for copies in split(shortfall.quantity, sizes[shortfall.part_id]):
                production.plan_job(
                    view.session, line, hub_id=view.hub_id, part_id=shortfall.part_id, copies=copies, now=view.now
                )


def _cancel_unwanted(view: View) -> None:
    left = surplus(view.wanted(), view.supply())
    for job in reversed(view.queued()):
        piece = job.part_id, view.grade_of_job(job)
        if not view.materials_for(view.line(job.line_id), job.part_id):
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
    known = {job.id: (job.line_id, job.needed_by, job.urgency.tier) for job in view.queued()}
    for job_id, want in served_by(plates, view.wanted(), view.made()).items():
        if known[job_id] != (want.line_id, want.needed_by, want.tier):
            production.serve(view.session, job_id, view.line(want.line_id))


def _plate_sizes(
    parts: Sequence[Part],
    models: Collection[tuple[str, str]],
    plates: PlateCache,
    profiles: Mapping[str, PrinterProfile],
    settings: Settings,
) -> dict[UUID, int]:
    """The copies of each part that one plate may hold, so that every printer that can take the part can take the plate.

    A single copy is sliced for each model first: estimates from volume err up to threefold on tiny parts. A part
    that no printer can take is left out.
    """
    known = [(model, material) for model, material in models if model in profiles]

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
        found = [sized for sized in pool.map(size, product(parts, known)) if sized is not None]
    return {part.id: min(copies for key, copies in found if key == part.id) for part in parts if part.id in dict(found)}


def _models(session: Session, hub_id: UUID) -> Collection[tuple[str, str]]:
    """The kinds of the hub's printers: the key of the profile, and the material."""
    mine = select(Printer.profile, Printer.material).where(Printer.hub_id == hub_id, col(Printer.state).in_(USABLE))
    return session.exec(mine.distinct()).all()


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
