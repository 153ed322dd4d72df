"""What dispatching chooses from: the jobs that wait and the printers that are free, in a few queries for all hubs."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from uuid import UUID

from sqlmodel import Session, col, func, select

from makerhub.config import Settings
from makerhub.demand.models import RequestLine, SupplyRequest
from makerhub.designs.approvals import approved_materials, policy_of
from makerhub.designs.manifest import PrintSettings
from makerhub.designs.models import Part
from makerhub.designs.profiles import PrinterProfile
from makerhub.designs.slicer import copies_that_fit
from makerhub.people.blocks import kept_out
from makerhub.people.homes import left_alone
from makerhub.people.models import Organisation, OrganisationKind
from makerhub.planning.dispatching import FreePrinter, QueuedJob
from makerhub.planning.view import jobs_in
from makerhub.printers.models import BuildPlate, Observation, PlateState, Printer, PrinterState
from makerhub.printers.own import with_described
from makerhub.printers.service import is_idle
from makerhub.production.models import LIVE, Attempt, JobState, PrintJob

USABLE = (PrinterState.ACTIVE, PrinterState.PAUSED)

Asking = tuple[OrganisationKind, UUID]
"""The kind of the facility that asks, and the hub that is asked."""


def queued_jobs(
    session: Session, profiles: Mapping[str, PrinterProfile], settings: Settings, now: datetime
) -> list[QueuedJob]:
    """The jobs that no printer has, each with where it may be printed; what they have in common is found out once."""
    known, policy = profiles_in_use(session, profiles), policy_of(settings)
    asking, declined = _asking(session), _declined(session)

    @cache
    def models(part_id: UUID, copies: int) -> frozenset[str]:
        part = session.get_one(Part, part_id)
        return frozenset(key for key, profile in known.items() if fits_on(part, profile) >= copies)

    @cache
    def materials(part_id: UUID, kind: OrganisationKind, hub_id: UUID) -> frozenset[str]:
        return approved_materials(session, policy, session.get_one(Part, part_id), kind, hub_id, now)

    return [
        QueuedJob(
            id=job.id,
            hub_id=job.hub_id,
            tier=job.urgency.tier,
            needed_by=job.needed_by,
            materials=materials(job.part_id, *asking[job.line_id]),
            profiles=models(job.part_id, job.copies),
            declined_by=frozenset(declined[job.id]),
        )
        for job in jobs_in(session, JobState.QUEUED)
    ]


def free_printers(session: Session, settings: Settings, now: datetime) -> list[FreePrinter]:
    """The printers that could begin now, each with how long it has been idle."""
    offline_after = timedelta(seconds=settings.offline_after_seconds)
    ended = select(Attempt.printer_id, func.max(Attempt.ended_at).label("at")).group_by(col(Attempt.printer_id))
    last = ended.subquery()
    free = (
        select(Printer, Observation, last.c.at)
        .join(BuildPlate, col(BuildPlate.printer_id) == Printer.id)
        .outerjoin(Observation, col(Observation.printer_id) == Printer.id)
        .outerjoin(last, last.c.printer_id == Printer.id)
        .where(Printer.state == PrinterState.ACTIVE, BuildPlate.state == PlateState.CLEAR)
        .where(col(Printer.id).not_in(select(Attempt.printer_id).where(col(Attempt.state).in_(LIVE))))
    )
    found = [(printer, at) for printer, seen, at in session.exec(free) if is_idle(printer, seen, now, offline_after)]
    quiet, blocked = left_alone(session, {printer.owner_id for printer, _ in found}, now), kept_out(session)
    return [
        FreePrinter(printer.id, printer.hub_id, printer.profile, printer.material, at or printer.registered_at)
        for printer, at in found
        if printer.owner_id not in quiet and (printer.owner_id, printer.hub_id) not in blocked
    ]


def profiles_in_use(session: Session, profiles: Mapping[str, PrinterProfile]) -> Mapping[str, PrinterProfile]:
    """The shipped ones, and those that makers described of their printers."""
    described = select(Printer).where(col(Printer.state).in_(USABLE), col(Printer.profile).not_in(profiles.keys()))
    return with_described(session.exec(described), profiles)


def fits_on(part: Part, profile: PrinterProfile) -> int:
    """How many copies of the part fit on one build plate of the printer model, by size alone."""
    brim_mm = PrintSettings(**part.settings).brim_mm
    return copies_that_fit(part.width_mm, part.depth_mm, part.height_mm, profile, brim_mm)


def _asking(session: Session) -> Mapping[UUID, Asking]:
    """Who asks and who is asked, by the lines that queued jobs are for."""
    queued = select(PrintJob.line_id).where(PrintJob.state == JobState.QUEUED)
    asked = (
        select(RequestLine.id, Organisation.kind, SupplyRequest.hub_id)
        .join(SupplyRequest, col(SupplyRequest.id) == RequestLine.request_id)
        .join(Organisation, col(Organisation.id) == SupplyRequest.facility_id)
        .where(col(RequestLine.id).in_(queued))
    )
    return {line_id: (OrganisationKind(kind), hub_id) for line_id, kind, hub_id in session.exec(asked)}


def _declined(session: Session) -> Mapping[UUID, set[UUID]]:
    """The printers whose makers declined a queued job, by job."""
    by_job = defaultdict(set)
    queued = select(PrintJob.id).where(PrintJob.state == JobState.QUEUED)
    declined = select(Attempt.job_id, Attempt.printer_id).where(col(Attempt.declined), col(Attempt.job_id).in_(queued))
    for job_id, printer_id in session.exec(declined):
        by_job[job_id].add(printer_id)
    return by_job
