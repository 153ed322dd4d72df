"""Taking part in a hub, or no more: leaving it, role by role, and being counted on the map or not."""

from collections.abc import Mapping
from http import HTTPStatus
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]
from sqlmodel import Session, col

from makerhub.errors import Invalid, NotFound, translatable
from makerhub.hubs import service as hubs
from makerhub.people import service as people
from makerhub.people.access import LEAVE, permitted
from makerhub.people.models import Membership, Organisation, OrganisationKind, Role
from makerhub.privacy import leaving
from makerhub.web.hub import hub
from makerhub.web.mistakes import message_of
from makerhub.web.navigation import Audience
from makerhub.web.policy import allowed
from makerhub.web.viewer import viewer

OF_A_HUB = tuple(role for role in Role if role is not Role.REQUESTER)
"""The roles that one can have at a hub."""

pages = Blueprint("taking_part", __name__)
audience = Audience(pages)


@pages.get("/hubs/<uuid:hub_id>/leave")
@allowed(*OF_A_HUB)
def ask(hub_id: UUID) -> str:
    """What happens when one leaves, before one does."""
    return _page(hub_id, {})


@pages.post("/hubs/<uuid:hub_id>/leave")
@allowed(*OF_A_HUB)
def leave(hub_id: UUID) -> ResponseReturnValue:
    """End the chosen roles at this hub, all of them or none."""
    chosen = request.form.getlist("roles")
    try:
        with hub().database.changing() as session:
            mine = [one for one in _mine(session, hub_id) if one.role.value in chosen]
            if not mine:
                raise Invalid(fields={"roles": translatable("Choose what you want to give up.")})
            for membership in mine:
                leaving.end_role(session, membership, by=viewer().id, now=hub().clock())
    except Invalid as error:
        return _page(hub_id, error.fields or {"roles": message_of(error)}), HTTPStatus.BAD_REQUEST
    flash(_("Done. Thank you for what you did for the hub."), "success")
    return redirect(url_for("home.start"))


@pages.post("/my-home/map")
@allowed(Role.MAKER)
def be_counted() -> ResponseReturnValue:
    """Be counted in an area of the map, or, without a place, in none."""
    typed = request.form.get("map_place", "").strip()
    with hub().database.changing() as session:
        if not typed:
            hubs.forget_cell(session, viewer().id)
        else:
            point = people.point_of(session, typed)
            if point is None:
                raise Invalid(translatable("We do not know this place. Try the first half of a postcode."))
            hubs.keep_cell(session, viewer().id, point)
    flash(_("You are counted on the map, in an area 20 km across.") if typed else _("You are on no map."), "success")
    return redirect(url_for("my_home.page"))


def _page(hub_id: UUID, errors: Mapping[str, str]) -> str:
    with hub().database.reading() as session:
        mine = _mine(session, hub_id)
        ways = {one.role: leaving.in_the_way(session, one) for one in mine}
        return render_template(
            "taking_part/leave.html",
            place=session.get_one(Organisation, hub_id),
            roles=list(ways),
            obstacles={role: problem for role, problem in ways.items() if problem},
            printers=leaving.printers_of(session, viewer().id, hub_id),
            errors=errors,
        )


def _mine(session: Session, hub_id: UUID) -> list[Membership]:
    """One's own roles at this hub. Raises `NotFound` without any."""
    place = session.get(Organisation, hub_id)
    mine = permitted(viewer(), LEAVE).where(Membership.organisation_id == hub_id)
    found = list(session.exec(mine.order_by(col(Membership.role))))
    if not found or place is None or place.kind is not OrganisationKind.HUB:
        raise NotFound
    return found
