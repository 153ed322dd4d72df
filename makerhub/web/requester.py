"""The requester's pages: the requests of one's facilities, what became of each, and what is on its way."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]
from sqlmodel import Session, col

from makerhub.delivery import service as delivery
from makerhub.delivery.access import CONFIRM
from makerhub.delivery.models import Shipment, ShipmentState
from makerhub.demand import service as demand
from makerhub.demand.access import CANCEL
from makerhub.demand.models import RUNNING, SupplyRequest
from makerhub.errors import NotFound, translatable
from makerhub.people.access import find, visible
from makerhub.people.models import Organisation, Role
from makerhub.people.service import facilities_of
from makerhub.planning.tasks import allocate_lots, plan_jobs
from makerhub.web.held import why_held
from makerhub.web.hub import hub
from makerhub.web.navigation import Audience, Entry
from makerhub.web.packing import contents, organisations
from makerhub.web.policy import allowed
from makerhub.web.recalls import open_notices
from makerhub.web.request_shown import find_mine, is_live, my_requests, show
from makerhub.web.timeline import timeline
from makerhub.web.viewer import viewer

pages = Blueprint("requester", __name__)
audience = Audience(
    pages,
    (
        Entry(
            "requester.requests",
            translatable("Requests"),
            translatable("See what you asked for"),
            translatable("What is being made, what is on its way, and what has arrived."),
            (Role.REQUESTER,),
        ),
    ),
)

PAST_SHOWN = 20


@pages.get("/requests")
@allowed(Role.REQUESTER)
def requests() -> str:
    """The requests of one's facilities: the open ones, then the latest of the others."""
    with hub().database.reading() as session:
        newest_first = my_requests(viewer()).order_by(col(SupplyRequest.submitted_at).desc())
        running = col(SupplyRequest.state).in_(RUNNING)
        ahead = session.exec(newest_first.where(running)).all()
        past = session.exec(newest_first.where(~running).limit(PAST_SHOWN)).all()
        places = {asked.facility_id for asked in (*ahead, *past)} | {one.id for one in facilities_of(session, viewer())}
        return render_template(
            "requester/requests.html",
            ahead=show(session, ahead),
            past=show(session, past),
            recalls=open_notices(session, viewer()),
            facility_names={key: place.name for key, place in organisations(session, list(places)).items()},
        )


@pages.get("/requests/<uuid:request_id>/sent")
@allowed(Role.REQUESTER)
def sent(request_id: UUID) -> str:
    """It is sent, and what happens next."""
    with hub().database.reading() as session:
        asked = find_mine(session, viewer(), request_id)
        return render_template(
            "requester/sent.html", shown=show(session, [asked])[0], hub=session.get_one(Organisation, asked.hub_id)
        )


@pages.get("/requests/<uuid:request_id>")
@allowed(Role.REQUESTER)
def supply_request(request_id: UUID) -> str:
    """One request: how far it is, what is on its way, and what happened."""
    return render_template("requester/request.html", **_details(request_id))


@pages.get("/requests/<uuid:request_id>/now")
@allowed(Role.REQUESTER)
def supply_request_now(request_id: UUID) -> str:
    """The part of the page that changes by itself."""
    return render_template("requester/_request.html", **_details(request_id))


@pages.get("/requests/<uuid:request_id>/cancel")
@allowed(Role.REQUESTER)
def confirm_cancel(request_id: UUID) -> str:
    """Ask once more before the request is cancelled."""
    return render_template("requester/cancel.html", **_details(request_id))


@pages.post("/requests/<uuid:request_id>/cancel")
@allowed(Role.REQUESTER)
def cancel(request_id: UUID) -> ResponseReturnValue:
    """The facility no longer needs it."""
    with hub().database.changing() as session:
        asked = find(session, viewer(), CANCEL, request_id)
        demand.cancel(session, asked, by=viewer().id, now=hub().clock())
    hub().soon(allocate_lots)
    hub().soon(plan_jobs)
    flash(_("Cancelled. Thank you for saying so: the makers can turn to what others need."), "success")
    return redirect(url_for("requester.supply_request", request_id=request_id))


@pages.get("/requests/<uuid:request_id>/arrived/<uuid:shipment_id>")
@allowed(Role.REQUESTER)
def confirm_arrived(request_id: UUID, shipment_id: UUID) -> str:
    """Ask once more before a delivery is confirmed."""
    with hub().database.reading() as session:
        arriving = _shipment(session, request_id, shipment_id)
        return render_template(
            "requester/arrived.html", shipment=arriving, contents=contents(session, [shipment_id])[shipment_id]
        )


@pages.post("/requests/<uuid:request_id>/arrived/<uuid:shipment_id>")
@allowed(Role.REQUESTER)
def arrived(request_id: UUID, shipment_id: UUID) -> ResponseReturnValue:
    """The facility says that a delivery has arrived."""
    with hub().database.changing() as session:
        shipment = _shipment(session, request_id, shipment_id)
        if shipment.state is not ShipmentState.DELIVERED:  # else the courier, or a colleague, was faster
            delivery.confirm_by_facility(session, shipment, by=viewer().id, now=hub().clock())
    flash(_("Thank you. The courier and the makers can see that it has arrived."), "success")
    return redirect(url_for("requester.supply_request", request_id=request_id))


def _details(request_id: UUID) -> Mapping[str, object]:
    with hub().database.reading() as session:
        asked = find_mine(session, viewer(), request_id)
        shown = show(session, [asked])[0]
        shipments = _shipments(session, request_id)
        return {
            "shown": shown,
            "hub": session.get_one(Organisation, asked.hub_id),
            "facility": session.get_one(Organisation, asked.facility_id),
            "held": why_held(session, session.get_one(Organisation, asked.facility_id)),
            "shipments": shipments,
            "contents": contents(session, [shipment.id for shipment in shipments]),
            "events": timeline(session, asked, [line.line for line in shown.lines], shipments),
            "is_live": is_live(asked, shipments),
        }


def _shipments(session: Session, request_id: UUID) -> Sequence[Shipment]:
    mine = visible(viewer(), Shipment).where(Shipment.request_id == request_id)
    return session.exec(mine.order_by(col(Shipment.packed_at).desc())).all()


def _shipment(session: Session, request_id: UUID, shipment_id: UUID) -> Shipment:
    asked = find_mine(session, viewer(), request_id)
    shipment = find(session, viewer(), CONFIRM, shipment_id)
    if shipment.request_id != asked.id:
        raise NotFound
    return shipment
