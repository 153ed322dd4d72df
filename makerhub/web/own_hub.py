"""A dispatcher's own hub: what it says of itself, what visitors see, and letting it sleep, wake or close."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]
from sqlmodel import Session, col, select

from makerhub.errors import Invalid, NotFound, translatable
from makerhub.hubs import service as hubs
from makerhub.hubs.access import CHANGE_STATE, DESCRIBE
from makerhub.hubs.models import HubProfile, HubState
from makerhub.lifecycle import history
from makerhub.people.access import Action, permitted
from makerhub.people.models import Organisation, Person, Role
from makerhub.trace import closing
from makerhub.web.find_hub import shown_to_visitors
from makerhub.web.hub import hub
from makerhub.web.hub_form import said, told
from makerhub.web.mistakes import message_of
from makerhub.web.navigation import Audience, Entry
from makerhub.web.policy import allowed
from makerhub.web.viewer import viewer

LIVED = (HubState.ACTIVE, HubState.SLEEPING, HubState.CLOSED)
"""The states of a hub that began once; a proposal has its own pages."""


@dataclass(frozen=True)
class Change:
    """A change of the hub's state: from where, to where, and what is said once it is done."""

    before: tuple[HubState, ...]
    after: HubState
    done: str


CHANGES: Mapping[str, Change] = {
    "sleep": Change((HubState.ACTIVE,), HubState.SLEEPING, translatable("The hub sleeps. You can wake it here.")),
    "wake": Change((HubState.SLEEPING, HubState.CLOSED), HubState.ACTIVE, translatable("The hub takes requests.")),
    "close": Change(
        (HubState.ACTIVE, HubState.SLEEPING), HubState.CLOSED, translatable("The hub is closed. You can open it again.")
    ),
}

pages = Blueprint("own_hub", __name__, url_prefix="/dispatch/hub")
audience = Audience(
    pages,
    (
        Entry(
            "own_hub.mine",
            translatable("My hub"),
            translatable("Look after your hub"),
            translatable("What it says of itself, its people, and whether it works or sleeps."),
            (Role.DISPATCHER, Role.ADMIN),
        ),
    ),
)


@pages.get("")
@allowed(Role.DISPATCHER, Role.ADMIN)
def mine() -> ResponseReturnValue:
    """The hubs that one looks after; the only one at once."""
    with hub().database.reading() as session:
        looked_after = permitted(viewer(), DESCRIBE).where(col(HubProfile.state).in_(LIVED))
        found = {profile.organisation_id: profile for profile in session.exec(looked_after)}
        by_name = select(Organisation).where(col(Organisation.id).in_(found)).order_by(col(Organisation.name))
        places = session.exec(by_name).all()
    if len(places) == 1:
        return redirect(url_for("own_hub.overview", hub_id=places[0].id))
    return render_template("own_hub/mine.html", places=places, profiles=found)


@pages.get("/<uuid:hub_id>")
@allowed(Role.DISPATCHER, Role.ADMIN)
def overview(hub_id: UUID) -> str:
    """The hub's state, its numbers, and what was decided about it."""
    with hub().database.reading() as session:
        place, profile = own(session, DESCRIBE, hub_id)
        past = [change for change in reversed(history(session, profile)) if change.before]
        deciders = session.exec(select(Person).where(col(Person.id).in_({change.by for change in past}))).all()
        members, printers = closing.numbers(session, hub_id)
        return render_template(
            "own_hub/overview.html",
            place=place,
            profile=profile,
            past=past,
            names={person.id: person.name for person in deciders},
            members=members,
            printers=printers,
            changes=[name for name, change in CHANGES.items() if profile.state in change.before],
        )


@pages.get("/<uuid:hub_id>/describe")
@allowed(Role.DISPATCHER, Role.ADMIN)
def describe(hub_id: UUID) -> str:
    """The form of what the hub says of itself."""
    with hub().database.reading() as session:
        place, profile = own(session, DESCRIBE, hub_id)
        return render_template("own_hub/describe.html", place=place, typed=said(place, profile), errors={})


@pages.post("/<uuid:hub_id>/describe")
@allowed(Role.DISPATCHER, Role.ADMIN)
def save(hub_id: UUID) -> ResponseReturnValue:
    """Keep it; or show, without keeping anything, what visitors would see, and go back from there to the form."""
    try:
        with hub().database.changing() as session:
            place, profile = own(session, DESCRIBE, hub_id)
            if "again" in request.form:
                return render_template("own_hub/describe.html", place=place, typed=request.form, errors={})
            trial = session.begin_nested()
            hubs.describe(session, profile, told(), by=viewer().id, now=hub().clock())
            if "preview" in request.form:
                page = shown_to_visitors(session, place, profile, request.form)
                trial.rollback()
                return page
            trial.commit()
    except Invalid as error:
        with hub().database.reading() as session:
            place, _profile = own(session, DESCRIBE, hub_id)
            page = render_template("own_hub/describe.html", place=place, typed=request.form, errors=error.fields)
        return page, HTTPStatus.BAD_REQUEST
    flash(_("Saved. This is what visitors see."), "success")
    return redirect(url_for("find_hub.one", place_id=hub_id))


@pages.get("/<uuid:hub_id>/to/<change>")
@allowed(Role.DISPATCHER, Role.ADMIN)
def change(hub_id: UUID, change: str) -> str:
    """What happens when the hub sleeps, wakes or closes, and the button that does it."""
    return _change(hub_id, _named(change), change, {})


@pages.post("/<uuid:hub_id>/to/<change>")
@allowed(Role.DISPATCHER, Role.ADMIN)
def make_change(hub_id: UUID, change: str) -> ResponseReturnValue:
    """Let the hub sleep, wake it, or close it."""
    wanted, why, now = _named(change), request.form.get("why", ""), hub().clock()
    try:
        with hub().database.deciding() as session:
            _place, profile = own(session, CHANGE_STATE, hub_id)
            if wanted.after is HubState.CLOSED:
                closing.close(session, profile, why=why, post=hub().post, by=viewer().id, now=now)
            else:
                hubs.change_state(session, profile, wanted.after, why=why, post=hub().post, by=viewer().id, now=now)
    except Invalid as error:
        return _change(hub_id, wanted, change, error.fields or {"why": message_of(error)}), HTTPStatus.BAD_REQUEST
    flash(_(wanted.done), "success")
    return redirect(url_for("own_hub.overview", hub_id=hub_id))


def _change(hub_id: UUID, wanted: Change, name: str, errors: Mapping[str, str]) -> str:
    with hub().database.reading() as session:
        place, profile = own(session, CHANGE_STATE, hub_id)
        members, printers = closing.numbers(session, hub_id)
        return render_template(
            "own_hub/change.html",
            place=place,
            profile=profile,
            name=name,
            is_possible=profile.state in wanted.before,
            work=closing.open_work(session, hub_id),
            members=members,
            printers=printers,
            typed_why=request.form.get("why", ""),
            errors=errors,
        )


def _named(change: str) -> Change:
    if change not in CHANGES:
        raise NotFound
    return CHANGES[change]


def own(session: Session, wanted: Action[HubProfile], hub_id: UUID) -> tuple[Organisation, HubProfile]:
    """The hub, where one may do this with it. Raises `NotFound`."""
    mine = permitted(viewer(), wanted).where(HubProfile.organisation_id == hub_id, col(HubProfile.state).in_(LIVED))
    profile = session.exec(mine).one_or_none()
    if profile is None:
        raise NotFound
    return session.get_one(Organisation, hub_id), profile
