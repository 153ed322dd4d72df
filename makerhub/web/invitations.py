"""Inviting people, and joining by the link of an invitation."""

from http import HTTPStatus
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]
from sqlmodel import Session, col, select

from makerhub.errors import Invalid, translatable
from makerhub.notices.tasks import send_mails
from makerhub.people import invitations
from makerhub.people.access import find, visible
from makerhub.people.entry_models import Invitation, InvitationState
from makerhub.people.invitations import REVOKE, InvitationOver, roles_to_give
from makerhub.people.models import Organisation, Person, Role
from makerhub.people.service import find_by_email
from makerhub.web.entering import enter
from makerhub.web.guessing import guess
from makerhub.web.hub import hub
from makerhub.web.limits import at_most
from makerhub.web.navigation import Audience, Entry
from makerhub.web.policy import allowed, public
from makerhub.web.typed import uuid_or_none
from makerhub.web.viewer import viewer, viewer_language
from makerhub.web.words import words

MOST_PAST = 30

pages = Blueprint("invitations", __name__)
audience = Audience(
    pages,
    (
        Entry(
            "invitations.overview",
            translatable("Invitations"),
            translatable("Invite somebody"),
            translatable("By mail, to a role at your hub or at a facility."),
            (Role.DISPATCHER, Role.ADMIN),
        ),
    ),
)


@pages.get("/invitations")
@allowed(Role.DISPATCHER, Role.ADMIN)
def overview() -> str:
    """A form to invite, who has not answered yet, and what became of the others."""
    return _overview({})


@pages.post("/invitations")
@allowed(Role.DISPATCHER, Role.ADMIN)
@at_most("60 per hour", per_address="300 per hour")
def invite() -> ResponseReturnValue:
    """Invite somebody."""
    try:
        with hub().database.changing() as session:
            place, role = _place(session), _role()
            invitation = invitations.invite(
                session,
                request.form.get("email", ""),
                role,
                place,
                by=viewer(),
                language=viewer_language(),
                key_box=hub().key_box,
                pages=hub().settings.address,
                now=hub().clock(),
            )
    except Invalid as error:
        return _overview(error.fields), 400
    hub().soon(send_mails)
    flash(_("%(email)s is invited.", email=invitation.email), "success")
    return redirect(url_for("invitations.overview"))


@pages.post("/invitations/<uuid:invitation_id>/revoke")
@allowed(Role.DISPATCHER, Role.ADMIN)
def revoke(invitation_id: UUID) -> ResponseReturnValue:
    """Take an invitation back: its link opens nothing any more."""
    with hub().database.changing() as session:
        invitation = find(session, viewer(), REVOKE, invitation_id)
        invitations.revoke(session, invitation, by=viewer(), now=hub().clock())
    flash(_("The invitation of %(email)s is taken back.", email=invitation.email), "success")
    return redirect(url_for("invitations.overview"))


@pages.get("/join/<token>")
@public
def joining(token: str) -> ResponseReturnValue:
    """What one is invited to, with a button: nothing happens by opening the link."""
    return _join_page(token, {})


@pages.post("/join/<token>")
@public
@at_most("30 per 15 minutes", per_address="60 per 15 minutes")
def join(token: str) -> ResponseReturnValue:
    """Join, and be signed in: only the mailbox that was invited has this link."""
    name, now = request.form.get("name", ""), hub().clock()
    try:
        with guess() as guessed:
            guessed.was_right = _is_open(token)
        with hub().database.changing() as session:
            person = invitations.join(session, token, name, language=viewer_language(), now=now)
    except InvitationOver:
        return _join_page(token, {})
    except Invalid as error:
        return _join_page(token, error.fields, HTTPStatus.BAD_REQUEST)
    return enter(person, "invitation", url_for("home.start"))


def _is_open(token: str) -> bool:
    with hub().database.reading() as session:
        try:
            invitations.open_invitation(session, token, hub().clock())
        except InvitationOver:
            return False
    return True


def _overview(errors: object) -> str:
    with hub().database.reading() as session:
        newest = visible(viewer(), Invitation).order_by(col(Invitation.invited_at).desc(), col(Invitation.id))
        waiting = session.exec(newest.where(Invitation.state == InvitationState.INVITED)).all()
        past = session.exec(newest.where(Invitation.state != InvitationState.INVITED).limit(MOST_PAST)).all()
        places = _places_to_give(session)
        ids = {invitation.organisation_id for invitation in (*waiting, *past)}
        named = session.exec(select(Organisation.id, Organisation.name).where(col(Organisation.id).in_(ids)))
        return render_template(
            "invitations/overview.html",
            waiting=waiting,
            past=past,
            names=dict(named.all()),
            place_options=[(place.id, place.name) for place in places],
            role_options=[(role.value, _(words(role))) for role in _roles_to_give(places)],
            errors=errors,
        )


def _join_page(token: str, errors: object, status: HTTPStatus = HTTPStatus.OK) -> ResponseReturnValue:
    with hub().database.reading() as session:
        try:
            invitation = invitations.open_invitation(session, token, hub().clock())
        except InvitationOver:
            return render_template("invitations/over.html"), HTTPStatus.NOT_FOUND
        page = render_template(
            "invitations/join.html",
            token=token,
            invitation=invitation,
            organisation=session.get_one(Organisation, invitation.organisation_id),
            inviter=session.get_one(Person, invitation.invited_by),
            is_known=find_by_email(session, invitation.email) is not None,
            errors=errors,
        )
    return page, status


def _places_to_give(session: Session) -> list[Organisation]:
    """Where the viewer may invite others to some role, by name."""
    seen = session.exec(visible(viewer(), Organisation).order_by(col(Organisation.name), col(Organisation.id)))
    return [place for place in seen if roles_to_give(viewer(), place)]


def _roles_to_give(places: list[Organisation]) -> list[Role]:
    given = {role for place in places for role in roles_to_give(viewer(), place)}
    return [role for role in Role if role in given]


def _place(session: Session) -> Organisation:
    chosen = uuid_or_none(request.form.get("organisation", ""))
    place = next((place for place in _places_to_give(session) if place.id == chosen), None)
    if place is None:
        raise Invalid(fields={"organisation": translatable("Choose a place.")})
    return place


def _role() -> Role:
    try:
        return Role(request.form.get("role", ""))
    except ValueError:
        raise Invalid(fields={"role": translatable("Choose a role.")}) from None
