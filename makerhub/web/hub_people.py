"""The people of a hub: who is there as what, and giving a role or taking one back."""

from http import HTTPStatus
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]
from sqlmodel import col, select

from makerhub.errors import Invalid, NotFound, translatable
from makerhub.hubs import service as hubs
from makerhub.hubs.access import DESCRIBE
from makerhub.people import service as people
from makerhub.people.access import TAKE_ROLE, find, permitted, visible
from makerhub.people.invitations import roles_to_appoint
from makerhub.people.models import Membership, Organisation, Person, Role
from makerhub.privacy import leaving
from makerhub.web.hub import hub
from makerhub.web.mistakes import message_of
from makerhub.web.navigation import Audience
from makerhub.web.own_hub import own
from makerhub.web.policy import allowed
from makerhub.web.typed import uuid_or_none
from makerhub.web.viewer import viewer
from makerhub.web.words import words

pages = Blueprint("hub_people", __name__, url_prefix="/dispatch/hub/<uuid:hub_id>/people")
audience = Audience(pages)


@pages.get("")
@allowed(Role.DISPATCHER, Role.ADMIN)
def overview(hub_id: UUID) -> str:
    """Everybody who has a role here, by name."""
    return _page(hub_id)


@pages.post("/give")
@allowed(Role.DISPATCHER, Role.ADMIN)
def give(hub_id: UUID) -> ResponseReturnValue:
    """Give somebody of the hub a further role."""
    try:
        with hub().database.changing() as session:
            place, _profile = own(session, DESCRIBE, hub_id)
            role = _role(place)
            members = hubs.members(session, hub_id)
            person = next((one for one in members if one.id == uuid_or_none(request.form.get("person", ""))), None)
            if person is None:
                raise Invalid(translatable("Choose one of the people of the hub."))
            people.add_membership(session, person, place, role, now=hub().clock(), by=viewer().id)
    except Invalid as error:
        return _page(hub_id, message_of(error)), HTTPStatus.BAD_REQUEST
    flash(_("%(name)s has this role now: %(role)s.", name=person.name, role=_(words(role))), "success")
    return redirect(url_for("hub_people.overview", hub_id=hub_id))


@pages.post("/take")
@allowed(Role.DISPATCHER, Role.ADMIN)
def take(hub_id: UUID) -> ResponseReturnValue:
    """Take a role of somebody of the hub back."""
    try:
        with hub().database.changing() as session:
            own(session, DESCRIBE, hub_id)
            chosen = uuid_or_none(request.form.get("membership", ""))
            if chosen is None:
                raise Invalid(translatable("Choose the role that is to be taken back."))
            membership = find(session, viewer(), TAKE_ROLE, chosen)
            if membership.organisation_id != hub_id:
                raise NotFound
            leaving.end_role(session, membership, by=viewer().id, now=hub().clock())
    except Invalid as error:
        return _page(hub_id, message_of(error)), HTTPStatus.BAD_REQUEST
    flash(_("The role is taken back."), "success")
    return redirect(url_for("hub_people.overview", hub_id=hub_id))


def _page(hub_id: UUID, problem: str = "") -> str:
    with hub().database.reading() as session:
        place, _profile = own(session, DESCRIBE, hub_id)
        here = visible(viewer(), Membership).where(Membership.organisation_id == hub_id)
        memberships = session.exec(here.order_by(col(Membership.role))).all()
        ids = {one.person_id for one in memberships}
        members = session.exec(select(Person).where(col(Person.id).in_(ids)).order_by(col(Person.name))).all()
        mine = permitted(viewer(), TAKE_ROLE).where(Membership.organisation_id == hub_id)
        to_give = roles_to_appoint(viewer(), place)
        rows = [(one, [held for held in memberships if held.person_id == one.id]) for one in members]
        return render_template(
            "own_hub/people.html",
            place=place,
            people=[(one, held, _options(held, to_give)) for one, held in rows],
            may_take={one.id for one in session.exec(mine)},
            problem=problem,
        )


def _options(held: list[Membership], to_give: frozenset[Role]) -> list[tuple[str, str]]:
    """The roles that a person has not yet, and may get here."""
    return [(role.value, _(words(role))) for role in Role if role in to_give - {one.role for one in held}]


def _role(place: Organisation) -> Role:
    for role in roles_to_appoint(viewer(), place):
        if role.value == request.form.get("role", ""):
            return role
    raise Invalid(translatable("Choose a role."))
