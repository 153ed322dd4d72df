"""Finding the hub for a postcode or a place, for everybody: a list by distance, and a map that is drawn here."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]
from sqlmodel import Session

from makerhub.errors import Invalid, NotFound, translatable
from makerhub.hubs import service as hubs
from makerhub.hubs.models import HubProfile, HubState
from makerhub.people.access import organisation_ids
from makerhub.people.models import JoinState, Organisation, Person, Role
from makerhub.places import service as places
from makerhub.web.hub import hub
from makerhub.web.hub_map import draw
from makerhub.web.navigation import Audience, Entry
from makerhub.web.policy import public, signed_in
from makerhub.web.viewer import viewer, viewer_or_none

ROLES = (
    (Role.MAKER, translatable("Print at home")),
    (Role.COURIER, translatable("Bring deliveries")),
    (Role.HELPER, translatable("Help at the hub")),
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
        listed = hubs.near(session, here)
        return render_template(
            "find_hub/near.html",
            typed=typed,
            found=found,
            here=here,
            listed=listed,
            factor=hub().settings.road_factor,
            map=draw(listed, hubs.makers_by_cell(session), here),
            attributions=places.attributions(session),
        )


@pages.get("/<uuid:place_id>")
@public
def one(place_id: UUID) -> str:
    """One hub: what it says of itself, and how to join."""
    with hub().database.reading() as session:
        place, profile = _welcoming(session, place_id)
        person = viewer_or_none()
        belongs = person is not None and place.id in organisation_ids(person)
        return render_template(
            "find_hub/one.html",
            place=place,
            profile=profile,
            belongs=belongs,
            shows_address=belongs or profile.shows_address,
            roles=[(role.value, _(words)) for role, words in ROLES],
            person=person,
        )


@pages.post("/<uuid:place_id>/join")
@signed_in
def join(place_id: UUID) -> ResponseReturnValue:
    """Ask to join, or join at once where the hub lets people."""
    typed = request.form
    with hub().database.changing() as session:
        _place, profile = _welcoming(session, place_id)
        asked = hubs.join(
            session,
            session.get_one(Person, viewer().id),
            profile,
            _role(typed.get("role", "")),
            message=typed.get("message", ""),
            place=typed.get("place", ""),
            now=hub().clock(),
        )
    joined = asked.state is JoinState.ACCEPTED
    flash(_("Welcome! You have joined.") if joined else _("Asked. The people of the hub answer soon."), "success")
    return redirect(url_for("find_hub.one", place_id=place_id))


def _welcoming(session: Session, place_id: UUID) -> tuple[Organisation, HubProfile]:
    profile = hubs.profile_of(session, place_id)
    if profile is None or profile.state not in (HubState.ACTIVE, HubState.SLEEPING):
        raise NotFound
    return session.get_one(Organisation, place_id), profile


def _role(typed: str) -> Role:
    for role, _words in ROLES:
        if role.value == typed:
            return role
    raise Invalid(translatable("Choose what you want to do."))
