"""Pickups from makers' homes: the dispatcher gives them to couriers, and the courier's page on the way.

The address is on the courier's page only after the button for it was pressed, so that each view is meant, and written
down for the maker. Nobody keeps the answer: it is neither in an address nor in a page that a browser stores.
"""

from collections.abc import Sequence
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]
from sqlmodel import Session, col, select

from makerhub.delivery import pickups
from makerhub.delivery.access import FETCH, GIVE_PICKUP, LOOK_AT_PICKUP
from makerhub.delivery.models import OPEN_PICKUPS, Pickup, PickupState
from makerhub.errors import Invalid, translatable
from makerhub.people import service as people
from makerhub.people.access import can, find, permitted
from makerhub.people.models import Organisation, Role
from makerhub.web.hub import hub
from makerhub.web.navigation import Audience, Entry
from makerhub.web.packing import organisations
from makerhub.web.policy import allowed, fresh
from makerhub.web.viewer import viewer

pages = Blueprint("pickups", __name__, url_prefix="/pickups")
audience = Audience(
    pages,
    (
        Entry(
            "pickups.overview",
            translatable("Pickups"),
            translatable("Fetch pieces from makers"),
            translatable("Who asked for a courier, and when."),
            (Role.DISPATCHER, Role.COURIER),
        ),
    ),
)


@pages.get("")
@allowed(Role.DISPATCHER, Role.COURIER)
def overview() -> str:
    """What couriers are to fetch: all of a dispatcher's hubs, and what was given to oneself."""
    me = viewer()
    with hub().database.reading() as session:
        mine = permitted(me, LOOK_AT_PICKUP).where(col(Pickup.state).in_(OPEN_PICKUPS))
        waiting = session.exec(mine.order_by(col(Pickup.begins))).all()
        return render_template(
            "pickups/overview.html",
            pickups=waiting,
            lots=pickups.lots_of(session, [pickup.id for pickup in waiting]),
            places=organisations(session, [pickup.hub_id for pickup in waiting]),
            hubs=people.hubs_of(session, me, Role.DISPATCHER),
        )


@pages.post("/offer")
@allowed(Role.DISPATCHER)
def offer() -> ResponseReturnValue:
    """Offer pickups at a hub of mine, or no more."""
    chosen, offers = request.form.get("hub", ""), request.form.get("offers") == "yes"
    with hub().database.changing() as session:
        places = people.hubs_of(session, viewer(), Role.DISPATCHER)
        place = next((place for place in places if str(place.id) == chosen), None)
        if place is None:
            raise Invalid(translatable("Choose one of your hubs."))
        people.offer_pickup(session, place, offers, by=viewer().id, now=hub().clock())
    flash(_("Makers can ask for a courier now.") if offers else _("Makers bring their pieces now."), "success")
    return redirect(url_for("pickups.overview"))


@pages.get("/<uuid:pickup_id>")
@allowed(Role.DISPATCHER, Role.COURIER)
def pickup(pickup_id: UUID) -> str:
    """One pickup: when, what, and the next step."""
    return _page(pickup_id)


@pages.post("/<uuid:pickup_id>/give")
@allowed(Role.DISPATCHER)
def give(pickup_id: UUID) -> ResponseReturnValue:
    """Give it to a courier of the hub."""
    try:
        courier_id = UUID(request.form.get("courier", ""))
    except ValueError:
        courier_id = UUID(int=0)
    try:
        with hub().database.changing() as session:
            found = find(session, viewer(), GIVE_PICKUP, pickup_id)
            pickups.give(session, found, courier_id, by=viewer().id, now=hub().clock())
    except Invalid as error:
        return _page(pickup_id, errors=error.fields or {"courier": error.template}), 400
    flash(_("The courier sees it now, and the maker that somebody comes."), "success")
    return redirect(url_for("pickups.pickup", pickup_id=pickup_id))


@pages.post("/<uuid:pickup_id>/set-out")
@allowed(Role.COURIER)
def set_out(pickup_id: UUID) -> ResponseReturnValue:
    """I am on my way."""
    try:
        with hub().database.changing() as session:
            pickups.set_out(session, find(session, viewer(), FETCH, pickup_id), by=viewer().id, now=hub().clock())
    except Invalid as error:
        flash(_(error.template), "warning")
    return redirect(url_for("pickups.pickup", pickup_id=pickup_id))


@pages.post("/<uuid:pickup_id>/address")
@allowed(Role.COURIER)
@fresh
def show_address(pickup_id: UUID) -> str:
    """Show me where to go; the maker sees that I looked."""
    with hub().database.reading() as session:
        find(session, viewer(), FETCH, pickup_id)
    address = pickups.reveal(hub().database, hub().key_box, pickup_id, viewer().id, hub().clock())
    return _page(pickup_id, address=address)


@pages.post("/<uuid:pickup_id>/collected")
@allowed(Role.COURIER)
def collected(pickup_id: UUID) -> ResponseReturnValue:
    """I have the pieces."""
    with hub().database.changing() as session:
        pickups.collect(session, find(session, viewer(), FETCH, pickup_id), by=viewer().id, now=hub().clock())
    flash(_("Thank you. Bring the pieces to the hub; the address is gone from your pages."), "success")
    return redirect(url_for("pickups.pickup", pickup_id=pickup_id))


@pages.post("/<uuid:pickup_id>/give-back")
@allowed(Role.COURIER)
def give_back(pickup_id: UUID) -> ResponseReturnValue:
    """I can not do it."""
    with hub().database.changing() as session:
        pickups.give_back(session, find(session, viewer(), FETCH, pickup_id), by=viewer().id, now=hub().clock())
    flash(_("Your hub looks for somebody else."), "success")
    return redirect(url_for("pickups.overview"))


def _page(pickup_id: UUID, *, address: str = "", errors: dict[str, str] | None = None) -> str:
    me, now = viewer(), hub().clock()
    with hub().database.reading() as session:
        found = find(session, me, LOOK_AT_PICKUP, pickup_id)
        may_give = can(session, me, GIVE_PICKUP, found) and found.state is PickupState.ASKED
        return render_template(
            "pickups/pickup.html",
            pickup=found,
            lots=pickups.lots_of(session, [found.id])[found.id],
            place=session.exec(select(Organisation).where(Organisation.id == found.hub_id)).one(),
            couriers=_couriers(session, found) if may_give else [],
            may_give=may_give,
            is_my_errand=can(session, me, FETCH, found),
            may_see=pickups.may_see_address(session, found, me.id, now),
            is_over=now >= found.ends,
            address=address,
            errors=errors or {},
        )


def _couriers(session: Session, found: Pickup) -> Sequence[tuple[UUID, str]]:
    return [(courier.id, courier.name) for courier in pickups.couriers_for(session, found)]
