"""The dispatcher's pages: requests to answer, the queue, printers, lots to check, and shipments to pack."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]
from flask_babel import ngettext
from sqlmodel import Session, col, select

from makerhub.delivery import service as delivery
from makerhub.delivery.models import Shipment, ShipmentState
from makerhub.demand import service as demand
from makerhub.demand.models import RequestLine, RequestState, SupplyRequest
from makerhub.designs.models import DesignVersion, Part
from makerhub.errors import Invalid, translatable
from makerhub.lifecycle import history
from makerhub.people.access import find, visible
from makerhub.people.models import Organisation, Role
from makerhub.planning.tasks import allocate_lots, plan_jobs
from makerhub.printers.models import Printer, PrinterState
from makerhub.production import service as production
from makerhub.production.models import Attempt, JobState, PrintJob
from makerhub.stock import service as stock
from makerhub.stock.models import Lot, LotState
from makerhub.web.hub import hub
from makerhub.web.navigation import Audience, Entry
from makerhub.web.policy import allowed
from makerhub.web.shown import show_printer
from makerhub.web.viewer import viewer

pages = Blueprint("dispatcher", __name__, url_prefix="/dispatch")
audience = Audience(
    pages,
    (
        Entry(
            "dispatcher.board",
            translatable("Production"),
            translatable("Keep production going"),
            translatable("Answer requests, watch the queue and the printers, check lots, pack shipments."),
            (Role.DISPATCHER,),
        ),
    ),
)


@dataclass(frozen=True)
class ShownLine:
    """A line of a request with how far its pieces have come."""

    line: RequestLine
    version: DesignVersion
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


@pages.get("")
@allowed(Role.DISPATCHER)
def board() -> str:
    """Everything that waits for a dispatcher, and what goes on."""
    return render_template("dispatcher/board.html", **_board())


@pages.get("/now")
@allowed(Role.DISPATCHER)
def board_now() -> str:
    """The part of the board that changes by itself."""
    return render_template("dispatcher/_board.html", **_board())


@pages.get("/requests/<uuid:request_id>")
@allowed(Role.DISPATCHER)
def supply_request(request_id: UUID) -> str:
    """One request: what it asks for and what became of it."""
    return _request_page(request_id, {})


@pages.post("/requests/<uuid:request_id>/accept")
@allowed(Role.DISPATCHER)
def accept(request_id: UUID) -> ResponseReturnValue:
    """Take a request on."""
    with hub().database.changing() as session:
        demand.accept(session, _request(session, request_id), by=viewer().id, now=hub().clock())
    hub().soon(plan_jobs)
    flash(_("Accepted. It is being planned now."), "success")
    return redirect(url_for("dispatcher.supply_request", request_id=request_id))


@pages.post("/requests/<uuid:request_id>/decline")
@allowed(Role.DISPATCHER)
def decline(request_id: UUID) -> ResponseReturnValue:
    """Say that the hub can not take a request on, and why."""
    try:
        with hub().database.changing() as session:
            asked = _request(session, request_id)
            demand.decline(session, asked, by=viewer().id, why=request.form.get("why", ""), now=hub().clock())
    except Invalid as error:
        return _request_page(request_id, error.fields), 400
    flash(_("Declined. The requester sees your reason."), "success")
    return redirect(url_for("dispatcher.board"))


@pages.post("/requests/<uuid:request_id>/pack")
@allowed(Role.DISPATCHER)
def pack(request_id: UUID) -> ResponseReturnValue:
    """Put what is reserved for a request into a shipment."""
    with hub().database.changing() as session:
        delivery.pack(session, _request(session, request_id), by=viewer().id, now=hub().clock())
    flash(_("Packed. A courier can take it now."), "success")
    return redirect(url_for("dispatcher.supply_request", request_id=request_id))


@pages.post("/lots/<uuid:lot_id>/inspect")
@allowed(Role.DISPATCHER)
def inspect(lot_id: UUID) -> ResponseReturnValue:
    """Record the check of a lot that its maker brought."""
    try:
        passed = int(request.form.get("passed", ""))
    except ValueError:
        passed = -1
    note = request.form.get("note", "")[:500]
    try:
        with hub().database.changing() as session:
            lot = find(session, viewer(), Lot, lot_id)
            stock.inspect(session, lot, passed=passed, note=note, by=viewer().id, now=hub().clock())
    except Invalid as error:
        return render_template("dispatcher/lot.html", errors=error.fields, **_lot(lot_id)), 400
    hub().soon(allocate_lots)
    hub().soon(plan_jobs)
    flash(ngettext("%(num)d piece passed.", "%(num)d pieces passed.", passed), "success")
    return redirect(url_for("dispatcher.board"))


@pages.get("/lots/<uuid:lot_id>")
@allowed(Role.DISPATCHER)
def lot(lot_id: UUID) -> str:
    """The check of one lot."""
    return render_template("dispatcher/lot.html", errors={}, **_lot(lot_id))


@pages.post("/jobs/<uuid:job_id>/release")
@allowed(Role.DISPATCHER)
def release(job_id: UUID) -> ResponseReturnValue:
    """Put a held job back into the queue."""
    with hub().database.changing() as session:
        production.release(session, find(session, viewer(), PrintJob, job_id), by=viewer().id, now=hub().clock())
    hub().soon(plan_jobs)
    return redirect(url_for("dispatcher.board"))


def _board() -> Mapping[str, object]:
    me = viewer()
    with hub().database.reading() as session:
        requests = session.exec(visible(me, SupplyRequest).order_by(col(SupplyRequest.submitted_at))).all()
        open_jobs = (JobState.HELD, JobState.ASSIGNED, JobState.QUEUED)
        jobs = session.exec(
            visible(me, PrintJob)
            .where(col(PrintJob.state).in_(open_jobs))
            .order_by(col(PrintJob.needed_by), col(PrintJob.created_at))
        ).all()
        lots = session.exec(visible(me, Lot).where(Lot.state == LotState.AT_MAKER).order_by(col(Lot.made_at))).all()
        shipments = session.exec(visible(me, Shipment).where(Shipment.state != ShipmentState.DELIVERED)).all()
        printers = session.exec(
            visible(me, Printer).where(Printer.state != PrinterState.RETIRED).order_by(col(Printer.name))
        ).all()
        return {
            "to_answer": [_shown(session, one) for one in requests if one.state is RequestState.SUBMITTED],
            "in_work": [_shown(session, one) for one in requests if one.state is RequestState.ACCEPTED],
            "jobs": [_shown_job(session, job) for job in jobs],
            "lots": [(lot, session.get_one(Part, lot.part_id)) for lot in lots],
            "shipments": [(one, session.get_one(Organisation, one.facility_id)) for one in shipments],
            "printers": [show_printer(session, printer) for printer in printers],
        }


def _request_page(request_id: UUID, errors: Mapping[str, str]) -> str:
    with hub().database.reading() as session:
        asked = _request(session, request_id)
        shipments = session.exec(select(Shipment).where(Shipment.request_id == request_id)).all()
        return render_template(
            "dispatcher/request.html",
            shown=_shown(session, asked),
            shipments=shipments,
            history=history(session, asked),
            errors=errors,
        )


def _request(session: Session, request_id: UUID) -> SupplyRequest:
    return find(session, viewer(), SupplyRequest, request_id)


def _shown(session: Session, asked: SupplyRequest) -> ShownRequest:
    return ShownRequest(
        request=asked,
        facility=session.get_one(Organisation, asked.facility_id),
        lines=[_shown_line(session, line) for line in demand.lines_of(session, asked.id)],
        can_pack=bool(delivery.reserved_for(session, asked.id)),
    )


def _shown_line(session: Session, line: RequestLine) -> ShownLine:
    parts = session.exec(select(Part).where(Part.version_id == line.version_id)).all()
    open_jobs = select(PrintJob).where(
        PrintJob.line_id == line.id, col(PrintJob.state).in_((JobState.QUEUED, JobState.ASSIGNED, JobState.HELD))
    )
    return ShownLine(
        line=line,
        version=session.get_one(DesignVersion, line.version_id),
        wanted=sum(line.quantity * part.quantity for part in parts),
        promised=sum(delivery.promised_pieces(session, line.id, part.id) for part in parts),
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
        why=history(session, job)[-1].why if job.state is JobState.HELD else "",
    )


def _lot(lot_id: UUID) -> Mapping[str, object]:
    with hub().database.reading() as session:
        lot = find(session, viewer(), Lot, lot_id)
        part = session.get_one(Part, lot.part_id)
        return {"lot": lot, "part": part, "version": session.get_one(DesignVersion, part.version_id)}
