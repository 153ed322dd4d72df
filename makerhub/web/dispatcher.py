"""The dispatcher's pages: requests to answer, the queue, printers, lots to check, and shipments to pack."""

from collections.abc import Mapping
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]
from flask_babel import ngettext
from sqlmodel import select

from makerhub.delivery import access as delivery_access
from makerhub.delivery import service as delivery
from makerhub.delivery.models import Shipment, ShipmentState
from makerhub.demand import access as demand_access
from makerhub.demand import service as demand
from makerhub.demand import telephone
from makerhub.demand.leaving import is_left_alone
from makerhub.demand.models import RUNNING, RequestState
from makerhub.designs.models import DesignVersion, Part
from makerhub.errors import Invalid, MovedMeanwhile, translatable
from makerhub.lifecycle import history
from makerhub.people.access import find
from makerhub.people.models import Organisation, Person, Role
from makerhub.planning.tasks import allocate_lots, plan_jobs
from makerhub.production import access as production_access
from makerhub.production import service as production
from makerhub.stock import access as stock_access
from makerhub.stock import service as stock
from makerhub.stock.models import Inspection, LotState
from makerhub.web.board import board as what_to_show
from makerhub.web.board import show_request
from makerhub.web.held import why_held
from makerhub.web.hub import hub
from makerhub.web.navigation import Audience, Entry
from makerhub.web.packing import contents
from makerhub.web.policy import allowed
from makerhub.web.typed import whole_number
from makerhub.web.viewer import viewer

LONGEST_REASON = 300
LONGEST_NOTE = 500

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


@pages.get("")
@allowed(Role.DISPATCHER)
def board() -> str:
    """Everything that waits for a dispatcher, and what goes on."""
    return _board_page("dispatcher/board.html")


@pages.get("/now")
@allowed(Role.DISPATCHER)
def board_now() -> str:
    """The part of the board that changes by itself."""
    return _board_page("dispatcher/_board.html")


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
        asked = find(session, viewer(), demand_access.ACCEPT, request_id)
        demand.accept(session, asked, by=viewer().id, now=hub().clock())
    hub().soon(plan_jobs)
    flash(_("Accepted. It is being planned now."), "success")
    return redirect(url_for("dispatcher.supply_request", request_id=request_id))


@pages.post("/requests/<uuid:request_id>/decline")
@allowed(Role.DISPATCHER)
def decline(request_id: UUID) -> ResponseReturnValue:
    """Say that the hub can not take a request on, and why."""
    why = request.form.get("why", "")[:LONGEST_REASON]
    try:
        with hub().database.changing() as session:
            asked = find(session, viewer(), demand_access.DECLINE, request_id)
            if asked.state is not RequestState.SUBMITTED:
                raise MovedMeanwhile(translatable("This request has been answered by now."))
            demand.decline(session, asked, by=viewer().id, why=why, now=hub().clock())
    except Invalid as error:
        return _request_page(request_id, error.fields), 400
    flash(_("Declined. The requester sees your reason."), "success")
    return redirect(url_for("dispatcher.board"))


@pages.post("/requests/<uuid:request_id>/pack")
@allowed(Role.DISPATCHER)
def pack(request_id: UUID) -> ResponseReturnValue:
    """Put what is reserved for a request into a shipment."""
    with hub().database.changing() as session:
        asked = find(session, viewer(), demand_access.PACK, request_id)
        delivery.pack(session, asked, by=viewer().id, now=hub().clock())
    flash(_("Packed. A courier can take it now."), "success")
    return redirect(url_for("dispatcher.supply_request", request_id=request_id))


@pages.post("/shipments/<uuid:shipment_id>/unpack")
@allowed(Role.DISPATCHER)
def unpack(shipment_id: UUID) -> ResponseReturnValue:
    """A packed shipment does not leave: its pieces go back into the hub's stock."""
    with hub().database.changing() as session:
        shipment = find(session, viewer(), delivery_access.UNPACK, shipment_id)
        if shipment.state is not ShipmentState.PACKED:
            raise MovedMeanwhile(translatable("This shipment has left by now, or is unpacked already."))
        delivery.unpack(session, shipment, why="unpacked by the dispatcher", by=viewer().id, now=hub().clock())
    hub().soon(allocate_lots)
    flash(_("Unpacked. The pieces are in stock again."), "success")
    return redirect(url_for("dispatcher.supply_request", request_id=shipment.request_id))


@pages.post("/lots/<uuid:lot_id>/inspect")
@allowed(Role.DISPATCHER)
def inspect(lot_id: UUID) -> ResponseReturnValue:
    """Record the check of a lot that its maker brought."""
    passed = whole_number(request.form.get("passed", ""))
    note = request.form.get("note", "")[:LONGEST_NOTE]
    try:
        with hub().database.changing() as session:
            lot = find(session, viewer(), stock_access.INSPECT, lot_id)
            if lot.state is not LotState.AT_MAKER:
                raise MovedMeanwhile(translatable("This lot has been checked by now."))
            found = stock.inspect(
                session, lot, passed=-1 if passed is None else passed, note=note, by=viewer().id, now=hub().clock()
            )
    except Invalid as error:
        return _lot_page(lot_id, typed=request.form, errors=error.fields), 400
    hub().soon(allocate_lots)
    hub().soon(plan_jobs)
    flash(ngettext("%(num)d piece passed.", "%(num)d pieces passed.", found.passed), "success")
    return redirect(url_for("dispatcher.board"))


@pages.get("/lots/<uuid:lot_id>")
@allowed(Role.DISPATCHER)
def lot(lot_id: UUID) -> str:
    """The check of one lot."""
    return _lot_page(lot_id)


@pages.post("/jobs/<uuid:job_id>/release")
@allowed(Role.DISPATCHER)
def release(job_id: UUID) -> ResponseReturnValue:
    """Put a held job back into the queue."""
    with hub().database.changing() as session:
        job = find(session, viewer(), production_access.RELEASE, job_id)
        production.release(session, job, by=viewer().id, now=hub().clock())
    hub().soon(plan_jobs)
    return redirect(url_for("dispatcher.board"))


def _board_page(template: str) -> str:
    with hub().database.reading() as session:
        return render_template(template, **what_to_show(session))


def _request_page(request_id: UUID, errors: Mapping[str, str]) -> str:
    with hub().database.reading() as session:
        asked = find(session, viewer(), demand_access.DISPATCH, request_id)
        shipments = session.exec(select(Shipment).where(Shipment.request_id == request_id)).all()
        changes = history(session, asked)
        caller = telephone.call_for(session, asked.id)
        is_by_telephone = changes[0].why == telephone.BY_TELEPHONE
        return render_template(
            "dispatcher/request.html",
            shown=show_request(session, asked),
            shipments=shipments,
            contents=contents(session, [shipment.id for shipment in shipments]),
            whys={shipment.id: history(session, shipment)[-1].why for shipment in shipments},
            history=changes,
            filed_by=session.get_one(Person, asked.requested_by).name if is_by_telephone else "",
            caller=caller,
            nobody_asks=asked.state in RUNNING and caller is None and is_left_alone(session, asked.facility_id),
            held=why_held(session, session.get_one(Organisation, asked.facility_id)),
            errors=errors,
        )


def _lot_page(lot_id: UUID, typed: Mapping[str, str] | None = None, errors: Mapping[str, str] | None = None) -> str:
    with hub().database.reading() as session:
        lot = find(session, viewer(), stock_access.DISPATCH, lot_id)
        part = session.get_one(Part, lot.part_id)
        return render_template(
            "dispatcher/lot.html",
            lot=lot,
            part=part,
            version=session.get_one(DesignVersion, part.version_id),
            inspection=session.exec(select(Inspection).where(Inspection.lot_id == lot_id)).first(),
            typed=typed or {},
            errors=errors or {},
        )
