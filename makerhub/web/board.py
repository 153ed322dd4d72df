"""What the dispatcher's pages show: the rows of the viewer's own hubs, put together for a look."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import Session, col, func, select

from makerhub.delivery import access as delivery_access
from makerhub.delivery import service as delivery
from makerhub.delivery.models import Shipment, ShipmentState
from makerhub.demand import access as demand_access
from makerhub.demand import service as demand
from makerhub.demand.models import RequestLine, RequestState, SupplyRequest
from makerhub.designs.models import DesignVersion, Kit, Part
from makerhub.designs.service import kit_name, kit_parts
from makerhub.lifecycle import history
from makerhub.people.access import organisation_ids, permitted
from makerhub.people.models import Organisation, Role
from makerhub.printers import access as printers_access
from makerhub.printers.models import Printer, PrinterState
from makerhub.production import access as production_access
from makerhub.production.models import Attempt, JobState, PrintJob
from makerhub.stock import access as stock_access
from makerhub.stock.models import Lot, LotState
from makerhub.web.hub import hub
from makerhub.web.overdue import in_words, overdue
from makerhub.web.shown import show_printer
from makerhub.web.viewer import viewer

MOST_JOBS = 50
MOST_OVERDUE = 20
OPEN_JOBS = (JobState.HELD, JobState.ASSIGNED, JobState.QUEUED)


IN_WORK = (RequestState.ACCEPTED, RequestState.HELD)


@dataclass(frozen=True)
class ShownLine:
    """A line of a request with how far its pieces have come."""

    line: RequestLine
    version: DesignVersion
    name: str
    wanted: int
    promised: int
    in_work: int


@dataclass(frozen=True)
class ShownRequest:
    """A request with who asks, what for, and whether something of it can be packed."""

    request: SupplyRequest
    facility: Organisation
    lines: Sequence[ShownLine]
    can_pack: bool


@dataclass(frozen=True)
class ShownJob:
    """A job of the queue with what it prints and where."""

    job: PrintJob
    part: Part
    version: DesignVersion
    printer: Printer | None
    why: str


def board(session: Session) -> Mapping[str, object]:
    """What the board shows, by the names that its template uses."""
    newest = permitted(viewer(), demand_access.DISPATCH).order_by(col(SupplyRequest.submitted_at))
    to_answer = session.exec(newest.where(SupplyRequest.state == RequestState.SUBMITTED)).all()
    in_work = session.exec(newest.where(col(SupplyRequest.state).in_(IN_WORK))).all()
    lots = permitted(viewer(), stock_access.DISPATCH).where(Lot.state == LotState.AT_MAKER).order_by(col(Lot.made_at))
    shipments = permitted(viewer(), delivery_access.DISPATCH).where(Shipment.state != ShipmentState.DELIVERED)
    printers = (
        permitted(viewer(), printers_access.WATCH)
        .where(Printer.state != PrinterState.RETIRED)
        .order_by(col(Printer.name))
    )
    return {
        **_overdue(session),
        "to_answer": [show_request(session, one) for one in to_answer],
        "in_work": [show_request(session, one) for one in in_work],
        "lots": [(lot, session.get_one(Part, lot.part_id)) for lot in session.exec(lots)],
        "shipments": [
            (one, session.get_one(Organisation, one.facility_id))
            for one in session.exec(shipments.order_by(col(Shipment.packed_at)))
        ],
        "printers": [show_printer(session, printer) for printer in session.exec(printers)],
        **_queue(session),
    }


def _overdue(session: Session) -> Mapping[str, object]:
    """What stands still, the longest first, and how much more there is than a page shows."""
    offline_after = timedelta(seconds=hub().settings.offline_after_seconds)
    found = overdue(
        session, organisation_ids(viewer(), Role.DISPATCHER), offline_after=offline_after, now=hub().clock()
    )
    return {"overdue": found[:MOST_OVERDUE], "more_overdue": len(found[MOST_OVERDUE:])}


def _queue(session: Session) -> Mapping[str, object]:
    """The jobs that are open, the next first, and how many more there are than a page shows."""
    jobs = permitted(viewer(), production_access.DISPATCH).where(col(PrintJob.state).in_(OPEN_JOBS))
    in_order = jobs.order_by(col(PrintJob.needed_by), col(PrintJob.created_at), col(PrintJob.id))
    shown = session.exec(in_order.limit(MOST_JOBS)).all()
    every = session.exec(select(func.count()).select_from(jobs.subquery())).one()
    return {"jobs": [_shown_job(session, job) for job in shown], "more_jobs": every - len(shown)}


def show_request(session: Session, asked: SupplyRequest) -> ShownRequest:
    """A request as the board and its own page show it."""
    return ShownRequest(
        request=asked,
        facility=session.get_one(Organisation, asked.facility_id),
        lines=[_shown_line(session, line) for line in demand.lines_of(session, asked.id)],
        can_pack=asked.state is RequestState.ACCEPTED and bool(delivery.reserved_for(session, asked.id)),
    )


def _shown_line(session: Session, line: RequestLine) -> ShownLine:
    kit, parts = session.get_one(Kit, line.kit_id), kit_parts(session, line.kit_id)
    version = session.get_one(DesignVersion, kit.version_id)
    open_jobs = select(PrintJob).where(PrintJob.line_id == line.id, col(PrintJob.state).in_(OPEN_JOBS))
    return ShownLine(
        line=line,
        version=version,
        name=kit_name(version, kit),
        wanted=sum(line.quantity * quantity for _, quantity in parts),
        promised=sum(delivery.promised_pieces(session, line.id, part.id) for part, _ in parts),
        in_work=sum(job.copies for job in session.exec(open_jobs)),
    )


def _shown_job(session: Session, job: PrintJob) -> ShownJob:
    part = session.get_one(Part, job.part_id)
    newest = select(Attempt).where(Attempt.job_id == job.id).order_by(col(Attempt.number).desc())
    attempt = session.exec(newest).first()
    return ShownJob(
        job=job,
        part=part,
        version=session.get_one(DesignVersion, part.version_id),
        printer=session.get(Printer, attempt.printer_id) if attempt and job.state is JobState.ASSIGNED else None,
        why=in_words(history(session, job)[-1].why) if job.state is JobState.HELD else "",
    )
