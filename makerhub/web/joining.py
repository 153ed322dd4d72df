"""Who wants to join one's hubs: the dispatcher lets them in, or does not."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]

from makerhub.errors import translatable
from makerhub.hubs.access import ANSWER
from makerhub.people.access import find, organisation_ids
from makerhub.people.joining import accept_join, decline_join, waiting_to_join
from makerhub.people.models import Role
from makerhub.web.hub import hub
from makerhub.web.navigation import Audience, Entry
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
    """Who waits for an answer of one's hubs."""
    with hub().database.reading() as session:
        found = waiting_to_join(session, organisation_ids(viewer(), Role.DISPATCHER))
    return render_template("joining/waiting.html", found=found)


@pages.post("/<uuid:join_id>/accept")
@allowed(Role.DISPATCHER)
def accept(join_id: UUID) -> ResponseReturnValue:
    """Let somebody in."""
    with hub().database.changing() as session:
        accept_join(session, find(session, viewer(), ANSWER, join_id), by=viewer().id, now=hub().clock())
    flash(_("Let in."), "success")
    return redirect(url_for("joining.waiting"))


@pages.post("/<uuid:join_id>/decline")
@allowed(Role.DISPATCHER)
def decline(join_id: UUID) -> ResponseReturnValue:
    """Do not let somebody in."""
    with hub().database.changing() as session:
        decline_join(session, find(session, viewer(), ANSWER, join_id), by=viewer().id, now=hub().clock())
    flash(_("Declined."), "success")
    return redirect(url_for("joining.waiting"))
