"""Who wants to join one's hubs: the dispatcher lets them in, or does not."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]
from sqlmodel import col

from makerhub.demand.access import ANSWER
from makerhub.errors import translatable
from makerhub.facilities import joining
from makerhub.notices.tasks import send_mails
from makerhub.people.access import find, permitted
from makerhub.people.joining import accept_join, decline_join
from makerhub.people.models import JoinRequest, JoinState, Person, Role
from makerhub.people.service import members_of
from makerhub.web.hub import hub
from makerhub.web.navigation import Audience, Entry
from makerhub.web.packing import organisations
from makerhub.web.policy import allowed
from makerhub.web.viewer import viewer

pages = Blueprint("joining", __name__, url_prefix="/dispatch/joining")
audience = Audience(
    pages,
    (
        Entry(
            "joining.waiting",
            translatable("Joining"),
            translatable("Let people in"),
            translatable("See who wants to make, bring or help at your hub."),
            (Role.DISPATCHER,),
        ),
    ),
)


@pages.get("")
@allowed(Role.DISPATCHER)
def waiting() -> str:
    """Who waits for an answer of one's hubs; and who wants to ask for a facility, of which colleagues may not know."""
    with hub().database.reading() as session:
        mine = permitted(viewer(), ANSWER).where(JoinRequest.state == JoinState.ASKED)
        waiting = session.exec(mine.order_by(col(JoinRequest.asked_at), col(JoinRequest.id))).all()
        found = [(asked, session.get_one(Person, asked.person_id)) for asked in waiting]
        places = organisations(session, [asked.organisation_id for asked in waiting])
        people = {key: [one.name for one in members_of(session, key, Role.REQUESTER)] for key in places}
    return render_template("joining/waiting.html", found=found, places=places, people=people)


@pages.post("/<uuid:join_id>/accept")
@allowed(Role.DISPATCHER)
def accept(join_id: UUID) -> ResponseReturnValue:
    """Let somebody in."""
    return _answer(join_id, True, _("Let in."))


@pages.post("/<uuid:join_id>/decline")
@allowed(Role.DISPATCHER)
def decline(join_id: UUID) -> ResponseReturnValue:
    """Do not let somebody in."""
    return _answer(join_id, False, _("Declined."))


def _answer(join_id: UUID, is_welcome: bool, said: str) -> ResponseReturnValue:
    with hub().database.changing() as session:
        asked, now = find(session, viewer(), ANSWER, join_id), hub().clock()
        if asked.role is Role.REQUESTER:
            joining.answer(session, asked, is_welcome, hub().post, by=viewer().id, now=now)
        elif is_welcome:
            accept_join(session, asked, by=viewer().id, now=now)
        else:
            decline_join(session, asked, by=viewer().id, now=now)
    hub().soon(send_mails)
    flash(said, "success")
    return redirect(url_for("joining.waiting"))
