"""Proposing a hub: for everybody who is signed in, and the answer of a neighbour or an administrator."""

from collections.abc import Mapping
from http import HTTPStatus
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]
from sqlmodel import Session, col, select

from makerhub.errors import Invalid, translatable
from makerhub.hubs import proposals
from makerhub.hubs import service as hubs
from makerhub.hubs.access import DECIDE, TAKE_PROPOSAL_BACK
from makerhub.hubs.models import HubProfile, HubState
from makerhub.people.access import find, permitted
from makerhub.people.models import Organisation, Person, Role
from makerhub.web.hub import hub
from makerhub.web.hub_form import told
from makerhub.web.hub_map import draw
from makerhub.web.limits import at_most
from makerhub.web.navigation import Audience, Entry
from makerhub.web.policy import allowed, signed_in
from makerhub.web.viewer import viewer

NEIGHBOURS_SHOWN = 5

pages = Blueprint("proposing", __name__)
audience = Audience(
    pages,
    (
        Entry(
            "proposing.waiting",
            translatable("Proposed hubs"),
            translatable("Answer who proposes a hub near you"),
            translatable("Read where and why, and accept it or say why not."),
            (Role.DISPATCHER, Role.ADMIN),
        ),
    ),
)


@pages.get("/hubs/propose")
@signed_in
def form() -> str:
    """The form to propose a hub; or where the one that was proposed stands."""
    return _form({}, {})


@pages.post("/hubs/propose")
@signed_in
@at_most("10 per hour", per_address="100 per hour")
def propose() -> ResponseReturnValue:
    """Propose a hub."""
    zone = hub().settings.time_zone
    try:
        with hub().database.changing() as session:
            person = session.get_one(Person, viewer().id)
            proposals.propose(session, told(), why=_why(), time_zone=zone, by=person, now=hub().clock())
    except Invalid as error:
        if not error.fields:
            raise
        return _form(request.form, error.fields), HTTPStatus.BAD_REQUEST
    flash(_("Your hub is proposed. A neighbour answers; you get a mail, and see it here."), "success")
    return redirect(url_for("proposing.form"))


@pages.post("/hubs/propose/take-back")
@signed_in
def take_back() -> ResponseReturnValue:
    """Take one's proposal back."""
    with hub().database.changing() as session:
        mine = permitted(viewer(), TAKE_PROPOSAL_BACK).where(HubProfile.state == HubState.PROPOSED)
        for profile in session.exec(mine).all():
            proposals.take_back(session, profile, by=viewer().id, now=hub().clock())
    flash(_("Taken back."), "success")
    return redirect(url_for("proposing.form"))


@pages.get("/dispatch/proposals")
@allowed(Role.DISPATCHER, Role.ADMIN)
def waiting() -> str:
    """The hubs near one's own that wait for an answer."""
    with hub().database.reading() as session:
        near = permitted(viewer(), DECIDE).where(HubProfile.state == HubState.PROPOSED)
        found = session.exec(near.order_by(col(HubProfile.since), col(HubProfile.id))).all()
        ids = [profile.organisation_id for profile in found]
        named = session.exec(select(Organisation).where(col(Organisation.id).in_(ids))).all()
        return render_template("proposing/waiting.html", found=found, places={place.id: place for place in named})


@pages.get("/dispatch/proposals/<uuid:proposal_id>")
@allowed(Role.DISPATCHER, Role.ADMIN)
def proposal(proposal_id: UUID) -> str:
    """One proposal, with the hubs around it, and the two answers."""
    return _proposal(proposal_id, {})


@pages.post("/dispatch/proposals/<uuid:proposal_id>/accept")
@allowed(Role.DISPATCHER, Role.ADMIN)
def accept(proposal_id: UUID) -> ResponseReturnValue:
    """Let the hub begin."""
    with hub().database.changing() as session:
        profile = find(session, viewer(), DECIDE, proposal_id)
        proposals.accept(session, profile, why=_why(), post=hub().post, by=viewer().id, now=hub().clock())
    flash(_("The hub begins. Whoever proposed it is its first dispatcher, and gets a mail."), "success")
    return redirect(url_for("find_hub.one", place_id=profile.organisation_id))


@pages.post("/dispatch/proposals/<uuid:proposal_id>/decline")
@allowed(Role.DISPATCHER, Role.ADMIN)
def decline(proposal_id: UUID) -> ResponseReturnValue:
    """Do not accept it, and say why."""
    try:
        with hub().database.changing() as session:
            profile = find(session, viewer(), DECIDE, proposal_id)
            proposals.decline(session, profile, why=_why(), post=hub().post, by=viewer().id, now=hub().clock())
    except Invalid as error:
        return _proposal(proposal_id, error.fields), HTTPStatus.BAD_REQUEST
    flash(_("Declined. Whoever proposed it gets a mail with your reason."), "success")
    return redirect(url_for("proposing.waiting"))


def _form(typed: Mapping[str, str], errors: Mapping[str, str]) -> str:
    with hub().database.reading() as session:
        mine = [
            (profile, place, proposals.answer_to(session, profile))
            for profile, place in proposals.proposed_by(session, viewer())
        ]
        open_one = next((place for profile, place, _why in mine if profile.state is HubState.PROPOSED), None)
        return render_template(
            "proposing/form.html",
            typed=typed,
            errors=errors,
            mine=mine,
            open_one=open_one,
            map=_map(session, open_one) if open_one else None,
        )


def _proposal(proposal_id: UUID, errors: Mapping[str, str]) -> str:
    with hub().database.reading() as session:
        profile = find(session, viewer(), DECIDE, proposal_id)
        place = session.get_one(Organisation, profile.organisation_id)
        at = hubs.place_of(place)
        return render_template(
            "proposing/proposal.html",
            profile=profile,
            place=place,
            why=proposals.reason_for(session, profile),
            proposer=session.get(Person, profile.proposed_by) if profile.proposed_by else None,
            near=hubs.near(session, at)[:NEIGHBOURS_SHOWN],
            factor=hub().settings.road_factor,
            map=_map(session, place),
            errors=errors,
            typed_why=request.form.get("why", ""),
        )


def _map(session: Session, place: Organisation) -> object:
    """The proposed hub among its neighbours."""
    at = hubs.place_of(place)
    return draw(hubs.near(session, at)[:NEIGHBOURS_SHOWN], hubs.makers_by_cell(session), at)


def _why() -> str:
    return request.form.get("why", "")
