"""What the dispatcher's pages show: the rows of the viewer's own hubs, put together for a look."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import TypeVar
from uuid import UUID

from sqlmodel import Session, SQLModel, col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from makerhub.delivery import access as delivery_access
from makerhub.delivery import service as delivery
from makerhub.delivery.models import Allocation, AllocationState, Shipment
from makerhub.demand import access as demand_access
from makerhub.demand.models import RequestLine, RequestState, SupplyRequest
from makerhub.designs.models import DesignVersion, Kit, Part
from makerhub.designs.service import kit_name, kit_parts
from makerhub.lifecycle import history
from makerhub.people.access import organisation_ids, permitted
from makerhub.people.models import Organisation, Role
from makerhub.printers import access as printers_access
from makerhub.printers.models import Printer, PrinterState
from makerhub.production import access as production_access
from makerhub.production.models import LIVE, Attempt, JobState, PrintJob
from makerhub.stock import access as stock_access
from makerhub.stock.models import Lot, LotState
from makerhub.web.hub import hub
from makerhub.web.overdue import in_words, overdue
from makerhub.web.request_shown import UNDER_WAY
from makerhub.web.shown import show_briefly
from makerhub.web.viewer import viewer

MOST_REQUESTS = 50
MOST_JOBS = 50
MOST_PRINTERS = 50
MOST_OVERDUE = 20
OPEN_JOBS = (JobState.HELD, JobState.ASSIGNED, JobState.QUEUED)

IN_WORK = (RequestState.ACCEPTED, RequestState.HELD)

Row = TypeVar("Row", bound=SQLModel)


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
    """What the board shows, by the names that its template uses: of each kind as much as somebody reads."""
    asked = permitted(viewer(), demand_access.DISPATCH)
    to_answer = asked.where(SupplyRequest.state == RequestState.SUBMITTED).order_by(col(SupplyRequest.submitted_at))
    lots = permitted(viewer(), stock_access.DISPATCH).where(Lot.state == LotState.AT_MAKER).order_by(col(Lot.made_at))
    shipments = permitted(viewer(), delivery_access.DISPATCH).where(col(Shipment.state).in_(UNDER_WAY))
    return {
        **_overdue(session),
        **_limited(session, "to_answer", to_answer, MOST_REQUESTS, show_requests),
        **_limited(session, "in_work", _in_work(asked), MOST_REQUESTS, show_requests),
        "lots": [(lot, session.get_one(Part, lot.part_id)) for lot in session.exec(lots)],
        "shipments": [
            (one, session.get_one(Organisation, one.facility_id))
            for one in session.exec(shipments.order_by(col(Shipment.packed_at)))
        ],
        **_limited(session, "printers", _printers(), MOST_PRINTERS, show_briefly),
        **_limited(session, "jobs", _jobs(), MOST_JOBS, _show_jobs),
    }


def _limited(
    session: Session,
    name: str,
    rows: SelectOfScalar[Row],
    most: int,
    show: Callable[[Session, Sequence[Row]], Sequence[object]],
) -> Mapping[str, object]:
    """The first of the rows as they are shown, and how many more there are than a page shows."""
    first = session.exec(rows.limit(most)).all()
    every = len(first)
    if every == most:
        every = session.exec(select(func.count()).select_from(rows.order_by(None).subquery())).one()
    return {name: show(session, first), f"more_{name}": every - len(first)}


def _in_work(asked: SelectOfScalar[SupplyRequest]) -> SelectOfScalar[SupplyRequest]:
    """The requests in work; first those of which something can be packed, and of these the oldest."""
    reserved = (
        select(RequestLine.request_id)
        .join(Allocation, col(Allocation.line_id) == RequestLine.id)
        .where(Allocation.state == AllocationState.RESERVED)
    )
    accepted = asked.where(col(SupplyRequest.state).in_(IN_WORK))
    return accepted.order_by(col(SupplyRequest.id).in_(reserved).desc(), col(SupplyRequest.submitted_at))


def _printers() -> SelectOfScalar[Printer]:
    """The printers in use, first those that a job of ours is on."""
    busy = select(Attempt.printer_id).where(col(Attempt.state).in_(LIVE))
    used = permitted(viewer(), printers_access.WATCH).where(Printer.state != PrinterState.RETIRED)
    return used.order_by(col(Printer.id).in_(busy).desc(), col(Printer.name), col(Printer.id))


def _jobs() -> SelectOfScalar[PrintJob]:
    """The jobs that are open, the next first."""
    jobs = permitted(viewer(), production_access.DISPATCH).where(col(PrintJob.state).in_(OPEN_JOBS))
    return jobs.order_by(col(PrintJob.needed_by), col(PrintJob.created_at), col(PrintJob.id))


def _overdue(session: Session) -> Mapping[str, object]:
    """What stands still, the longest first, and how much more there is than a page shows."""
    offline_after = timedelta(seconds=hub().settings.offline_after_seconds)
    found = overdue(
        session, organisation_ids(viewer(), Role.DISPATCHER), offline_after=offline_after, now=hub().clock()
    )
    return {"overdue": found[:MOST_OVERDUE], "more_overdue": len(found[MOST_OVERDUE:])}


def show_request(session: Session, asked: SupplyRequest) -> ShownRequest:
    """A request as the board and its own page show it."""
    (shown,) = show_requests(session, [asked])
    return shown


def show_requests(session: Session, asked: Sequence[SupplyRequest]) -> list[ShownRequest]:
    """Requests as the board shows them, with a few queries for all of them."""
    requests = [request.id for request in asked]
    lines = session.exec(
        select(RequestLine)
        .where(col(RequestLine.request_id).in_(requests))
        .order_by(col(RequestLine.needed_by), col(RequestLine.id))
    ).all()
    how_far = _HowFar(session, [line.id for line in lines])
    names = select(Organisation).where(col(Organisation.id).in_({request.facility_id for request in asked}))
    facilities = {facility.id: facility for facility in session.exec(names)}
    shown = defaultdict(list)
    for line in lines:
        shown[line.request_id].append(how_far.show(line))
    packable = delivery.with_reservations(session, requests)
    return [
        ShownRequest(
            request=request,
            facility=facilities[request.facility_id],
            lines=shown[request.id],
            can_pack=request.state is RequestState.ACCEPTED and request.id in packable,
        )
        for request in asked
    ]


class _HowFar:
    """How far the pieces of some lines have come."""

    def __init__(self, session: Session, lines: Collection[UUID]) -> None:
        self._session = session
        self._promised = delivery.promised_to(session, lines)
        open_jobs = select(PrintJob.line_id, func.sum(PrintJob.copies)).where(
            col(PrintJob.line_id).in_(lines), col(PrintJob.state).in_(OPEN_JOBS)
        )
        self._in_work = dict(session.exec(open_jobs.group_by(col(PrintJob.line_id))).all())
        self._parts = cache(lambda kit_id: kit_parts(session, kit_id))

    def show(self, line: RequestLine) -> ShownLine:
        """One of the lines."""
        kit, parts = self._session.get_one(Kit, line.kit_id), self._parts(line.kit_id)
        version = self._session.get_one(DesignVersion, kit.version_id)
        return ShownLine(
            line=line,
            version=version,
            name=kit_name(version, kit),
            wanted=sum(line.quantity * quantity for _, quantity in parts),
            promised=sum(self._promised.get((line.id, part.id), 0) for part, _ in parts),
            in_work=self._in_work.get(line.id, 0),
        )


def _show_jobs(session: Session, jobs: Sequence[PrintJob]) -> list[ShownJob]:
    ids = [job.id for job in jobs]
    on = select(Attempt.job_id, Printer).join(Printer, col(Printer.id) == Attempt.printer_id)
    printers = dict(session.exec(on.where(col(Attempt.job_id).in_(ids), col(Attempt.state).in_(LIVE))).all())
    return [_shown_job(session, job, printers.get(job.id)) for job in jobs]


def _shown_job(session: Session, job: PrintJob, printer: Printer | None) -> ShownJob:
    part = session.get_one(Part, job.part_id)
    return ShownJob(
        job=job,
        part=part,
        version=session.get_one(DesignVersion, part.version_id),
        printer=printer,
        why=in_words(history(session, job)[-1].why) if job.state is JobState.HELD else "",
    )
