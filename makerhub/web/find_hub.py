"""Finding the hub for a postcode or a place, for everybody: a list by distance, and a map that is drawn here."""

from collections.abc import Mapping
from http import HTTPStatus
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]
from sqlmodel import Session

from makerhub.demand.access import TAKE_BACK
from makerhub.errors import Invalid, NotFound, translatable
from makerhub.hubs import service as hubs
from makerhub.hubs.models import HubProfile, HubState
from makerhub.people.access import has_role, organisation_ids, permitted
from makerhub.people.joining import asked_by, take_join_back
from makerhub.people.models import JoinRequest, JoinState, Organisation, Person, Role
from makerhub.places import service as places
from makerhub.web.hub import hub
from makerhub.web.hub_map import draw
from makerhub.web.mistakes import message_of
from makerhub.web.navigation import Audience, Entry
from makerhub.web.policy import public, signed_in
from makerhub.web.viewer import viewer, viewer_or_none

MOST_LISTED = 20
FOUND = (HubState.ACTIVE, HubState.SLEEPING, HubState.CLOSED)
"""The states in which a hub has a page; only a closed one is on no list."""
ROLES = (
    (Role.MAKER, translatable("Print at home"), translatable("With a printer of your own.")),
    (
        Role.COURIER,
        translatable("Bring deliveries"),
        translatable("From the hub to whoever asked. Somebody of the hub answers first."),
    ),
    (Role.HELPER, translatable("Help at the hub"), translatable("Checking, packing, and all else.")),
)

pages = Blueprint("find_hub", __name__, url_prefix="/hubs")
audience = Audience(
    pages,
    (
        Entry(
            "find_hub.near",
            translatable("Hubs"),
            translatable("Find your hub"),
            translatable("By postcode or place: who makes near you, and how to join."),
        ),
    ),
)


@pages.get("")
@public
def near() -> str:
    """The hubs, the nearest to a postcode or a place first."""
    typed = request.args.get("near", "")[: places.LONGEST_TYPED].strip()
    with hub().database.reading() as session:
        found = places.find(session, typed) if typed else []
        here = found[0].point.rounded() if len(found) == 1 else None
        known = hubs.near(session, here)
        listed = known if "all" in request.args else known[:MOST_LISTED]
        return render_template(
            "find_hub/near.html",
            typed=typed,
            found=found,
            here=here,
            listed=listed,
            known=len(known),
            factor=hub().settings.road_factor,
            map=draw(listed, hubs.makers_by_cell(session), here),
            has_places=places.has_places(session),
            attributions=places.attributions(session),
        )


@pages.get("/<uuid:place_id>")
@public
def one(place_id: UUID) -> str:
    """One hub: what it says of itself, and how to join."""
    return _one(place_id, {})


@pages.post("/<uuid:place_id>/join")
@signed_in
def join(place_id: UUID) -> ResponseReturnValue:
    """Ask to join, or join at once where the hub lets people."""
    typed = request.form
    try:
        with hub().database.changing() as session:
            _place, profile = _found(session, place_id)
            asked = hubs.join(
                session,
                session.get_one(Person, viewer().id),
                profile,
                _role(typed.get("role", "")),
                message=typed.get("message", ""),
                place=typed.get("place", ""),
                now=hub().clock(),
            )
    except Invalid as error:
        return _one(place_id, error.fields or {"role": message_of(error)}), HTTPStatus.BAD_REQUEST
    joined = asked.state is JoinState.ACCEPTED
    flash(_("Welcome! You have joined.") if joined else _("Asked. The people of the hub answer soon."), "success")
    return redirect(url_for("find_hub.one", place_id=place_id))


@pages.post("/<uuid:place_id>/take-back")
@signed_in
def take_back(place_id: UUID) -> ResponseReturnValue:
    """Take back whatever one asked of this hub."""
    with hub().database.changing() as session:
        asked = permitted(viewer(), TAKE_BACK).where(JoinRequest.organisation_id == place_id)
        for one in session.exec(asked.where(JoinRequest.state == JoinState.ASKED)).all():
            take_join_back(session, one, by=viewer().id, now=hub().clock())
    flash(_("Taken back."), "success")
    return redirect(url_for("find_hub.one", place_id=place_id))


def shown_to_visitors(session: Session, place: Organisation, profile: HubProfile, kept: Mapping[str, str]) -> str:
    """The page as everybody finds it, of what was typed and is not saved yet; `kept` is the form, to go back with."""
    return _page(session, place, profile, None, {}, kept=kept)


def _one(place_id: UUID, errors: Mapping[str, str]) -> str:
    with hub().database.reading() as session:
        return _page(session, *_found(session, place_id), viewer_or_none(), errors)


def _page(
    session: Session,
    place: Organisation,
    profile: HubProfile,
    person: Person | None,
    errors: Mapping[str, str],
    *,
    kept: Mapping[str, str] | None = None,
) -> str:
    mine = {one.role for one in person.roles if one.organisation_id == place.id} if person else set()
    asked = [one for one in asked_by(session, person) if one.organisation_id == place.id] if person else []
    taken = mine | {one.role for one in asked}
    return render_template(
        "find_hub/one.html",
        place=place,
        profile=profile,
        mine=sorted(mine),
        asked=asked,
        belongs=bool(mine),
        looks_after=person is not None and place.id in organisation_ids(person, Role.DISPATCHER, Role.ADMIN),
        may_ask=person is not None and has_role(person, Role.REQUESTER),
        shows_address=bool(mine) or profile.shows_address,
        roles=[(role.value, _(words), _(about)) for role, words, about in ROLES if role not in taken],
        person=person,
        kept=kept,
        typed=request.form,
        errors=errors,
    )


def _found(session: Session, place_id: UUID) -> tuple[Organisation, HubProfile]:
    profile = hubs.profile_of(session, place_id)
    if profile is None or profile.state not in FOUND:
        raise NotFound
    return session.get_one(Organisation, place_id), profile


def _role(typed: str) -> Role:
    for role, _words, _about in ROLES:
        if role.value == typed:
            return role
    raise Invalid(fields={"role": translatable("Choose what you want to do.")})
