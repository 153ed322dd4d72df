"""The courier's pages: what waits at the hub, what is under way, and the hand-over at the door."""

from collections.abc import Mapping
from http import HTTPStatus
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]
from sqlmodel import Session, col

from makerhub.delivery import service as delivery
from makerhub.delivery.access import CARRY, LOOK, TAKE
from makerhub.delivery.models import Shipment, ShipmentState
from makerhub.errors import IllegalMove, Invalid, MovedMeanwhile, NotFound, translatable
from makerhub.people.access import find, organisation_ids, permitted
from makerhub.people.models import Role
from makerhub.people.tries import HAND_OVER, HAND_OVER_COURIER, TooManyTries
from makerhub.planning.tasks import allocate_lots
from makerhub.web.guessing import guess
from makerhub.web.hub import hub
from makerhub.web.navigation import Audience, Entry
from makerhub.web.packing import contents, organisations
from makerhub.web.policy import allowed
from makerhub.web.viewer import viewer

pages = Blueprint("courier", __name__, url_prefix="/deliveries")
audience = Audience(
    pages,
    (
        Entry(
            "courier.deliveries",
            translatable("Deliveries"),
            translatable("Bring a delivery"),
            translatable("See what waits at your hub and what you carry, and hand it over at the door."),
            (Role.COURIER,),
        ),
    ),
)

LONGEST_REASON = 300
TOO_MANY_TRIES = translatable(
    "Too many wrong codes. Wait a quarter of an hour, or ask the facility to say on its own page that it has arrived."
)


@pages.get("")
@allowed(Role.COURIER)
def deliveries() -> str:
    """What the courier carries, and what waits at his or her hubs."""
    me = viewer()
    with hub().database.reading() as session:
        packed_first, state = col(Shipment.packed_at), col(Shipment.state)
        carried = permitted(me, CARRY).where(state == ShipmentState.IN_TRANSIT).order_by(packed_first)
        waiting = permitted(me, TAKE).where(state == ShipmentState.PACKED).order_by(packed_first)
        shipments = {"carried": session.exec(carried).all(), "waiting": session.exec(waiting).all()}
        every = [shipment for found in shipments.values() for shipment in found]
        places = [place for shipment in every for place in (shipment.hub_id, shipment.facility_id)]
        return render_template(
            "courier/deliveries.html",
            **shipments,
            places=organisations(session, places),
            contents=contents(session, [shipment.id for shipment in every]),
        )


@pages.get("/<uuid:shipment_id>")
@allowed(Role.COURIER)
def shipment(shipment_id: UUID) -> str:
    """One shipment: from where, to where, what, and the next step."""
    return _page(shipment_id, {})


@pages.post("/<uuid:shipment_id>/taken")
@allowed(Role.COURIER)
def take(shipment_id: UUID) -> ResponseReturnValue:
    """The courier has the shipment in hand."""
    try:
        with hub().database.changing() as session:
            delivery.depart(
                session, find(session, viewer(), TAKE, shipment_id), courier_id=viewer().id, now=hub().clock()
            )
    except (NotFound, IllegalMove, MovedMeanwhile):
        return _not_taken(shipment_id)
    flash(_("It is yours now. At the door, ask for the hand-over code."), "success")
    return redirect(url_for("courier.shipment", shipment_id=shipment_id))


@pages.get("/<uuid:shipment_id>/back")
@allowed(Role.COURIER)
def ask_why(shipment_id: UUID) -> str:
    """Why it comes back."""
    return _back_page(shipment_id, {})


@pages.post("/<uuid:shipment_id>/back")
@allowed(Role.COURIER)
def give_back(shipment_id: UUID) -> ResponseReturnValue:
    """The courier has brought it back to the hub."""
    why = request.form.get("why", "")[:LONGEST_REASON]
    try:
        with hub().database.changing() as session:
            carried = find(session, viewer(), CARRY, shipment_id)
            if carried.state is not ShipmentState.IN_TRANSIT:
                raise MovedMeanwhile(translatable("It has arrived by now: the facility said so."))
            delivery.give_back(session, carried, why=why, courier_id=viewer().id, now=hub().clock())
    except Invalid as error:
        return _back_page(shipment_id, error.fields), 400
    hub().soon(allocate_lots)
    flash(_("Given back. It waits at the hub for another courier; put the bags where the hub finds them."), "success")
    return redirect(url_for("courier.deliveries"))


@pages.post("/<uuid:shipment_id>/hand-over")
@allowed(Role.COURIER)
def hand_over(shipment_id: UUID) -> ResponseReturnValue:
    """The courier types the code that was told at the door."""
    code = request.form.get("code", "")
    with hub().database.reading() as session:
        carried = find(session, viewer(), CARRY, shipment_id)
    if carried.state is ShipmentState.DELIVERED:
        return redirect(url_for("courier.thanks", shipment_id=shipment_id))  # the button was pressed twice
    if not any(character.isdecimal() for character in code):
        return _page(shipment_id, {"code": translatable("Enter the six figures that you were told at the door.")}), 400
    doors = (HAND_OVER, shipment_id.hex), (HAND_OVER_COURIER, viewer().id.hex)
    try:
        with guess(*doors) as guessed:
            problems = _hand_over(shipment_id, code)
            guessed.was_right = not problems
    except TooManyTries:
        return _page(shipment_id, {"code": TOO_MANY_TRIES}), HTTPStatus.TOO_MANY_REQUESTS
    if problems:
        return _page(shipment_id, problems), 400
    return redirect(url_for("courier.thanks", shipment_id=shipment_id))


@pages.get("/<uuid:shipment_id>/thanks")
@allowed(Role.COURIER)
def thanks(shipment_id: UUID) -> str:
    """It is delivered."""
    with hub().database.reading() as session:
        delivered = find(session, viewer(), CARRY, shipment_id)
        if delivered.state is not ShipmentState.DELIVERED:
            raise NotFound
        return render_template("courier/thanks.html", **_details(session, delivered))


def _hand_over(shipment_id: UUID, code: str) -> Mapping[str, str]:
    """Confirm the arrival; gives what is wrong with the code."""
    try:
        with hub().database.changing() as session:
            carried = find(session, viewer(), CARRY, shipment_id)
            delivery.confirm_by_code(session, carried, code, by=viewer().id, now=hub().clock())
    except delivery.WrongCode as error:
        return error.fields
    return {}


def _page(shipment_id: UUID, errors: Mapping[str, str]) -> str:
    with hub().database.reading() as session:
        seen = find(session, viewer(), LOOK, shipment_id)
        return render_template("courier/shipment.html", errors=errors, **_details(session, seen))


def _back_page(shipment_id: UUID, errors: Mapping[str, str]) -> str:
    with hub().database.reading() as session:
        carried = find(session, viewer(), CARRY, shipment_id)
        if carried.state is not ShipmentState.IN_TRANSIT:
            raise NotFound
        return render_template("courier/back.html", errors=errors, **_details(session, carried))


def _details(session: Session, shipment: Shipment) -> Mapping[str, object]:
    places = organisations(session, [shipment.hub_id, shipment.facility_id])
    return {
        "shipment": shipment,
        "hub": places[shipment.hub_id],
        "facility": places[shipment.facility_id],
        "contents": contents(session, [shipment.id])[shipment.id],
    }


def _not_taken(shipment_id: UUID) -> ResponseReturnValue:
    """Say that somebody was faster, to couriers of this hub: to others there is no such shipment."""
    with hub().database.reading() as session:
        shipment = session.get(Shipment, shipment_id)
    if shipment is None or shipment.hub_id not in organisation_ids(viewer(), Role.COURIER):
        raise NotFound
    if shipment.courier_id == viewer().id:
        return redirect(url_for("courier.shipment", shipment_id=shipment_id))
    flash(_("Another courier has taken this delivery already."), "warning")
    return redirect(url_for("courier.deliveries"))
