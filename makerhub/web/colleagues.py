"""Coming to a facility: making it known, asking to join one that is here already, and letting colleagues in."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]
from sqlmodel import Session, col
from werkzeug.datastructures import MultiDict

from makerhub.demand.access import ANSWER, TAKE_BACK
from makerhub.errors import Invalid, NotFound
from makerhub.facilities import joining
from makerhub.facilities.finding import FACILITIES
from makerhub.notices.tasks import send_mails
from makerhub.people.access import find, organisation_ids, permitted
from makerhub.people.joining import take_join_back
from makerhub.people.models import JoinRequest, JoinState, Organisation, Person, Role
from makerhub.web.facility_form import NEW, Meant, Typed, draft_as_typed, kinds
from makerhub.web.hub import hub
from makerhub.web.limits import at_most
from makerhub.web.mistakes import message_of
from makerhub.web.navigation import Audience
from makerhub.web.policy import allowed, signed_in
from makerhub.web.typed import uuid_or_none
from makerhub.web.viewer import viewer

pages = Blueprint("colleagues", __name__, url_prefix="/facilities")
audience = Audience(pages)


@pages.get("/new")
@signed_in
def new() -> str:
    """The form that makes a hospital or care home known."""
    return _form(MultiDict(), Meant(None))


@pages.post("/new")
@signed_in
@at_most("20 per hour", per_address="200 per hour")
def make() -> ResponseReturnValue:
    """Make it known, unless it may be here already; from then on one asks for it."""
    typed = request.form
    known = uuid_or_none(typed.get("facility", ""))
    if known is not None:
        return redirect(url_for("colleagues.known", known_id=known))
    try:
        with hub().database.changing() as session:
            meant = draft_as_typed(session, typed, session.get_one(Person, viewer().id))
    except Invalid as error:
        return _form(typed, Meant(None), message_of(error)), 400
    if meant.facility is None:
        return _form(typed, meant), 400
    flash(_("%(facility)s is entered. You can ask for equipment now.", facility=meant.facility.name), "success")
    return redirect(url_for("facility.facility", facility_id=meant.facility.id))


@pages.get("/known/<uuid:known_id>")
@signed_in
def known(known_id: UUID) -> str:
    """A facility that is here already: ask to join it, or see what became of asking."""
    return _known_page(known_id, {})


@pages.post("/known/<uuid:known_id>")
@signed_in
@at_most("20 per hour", per_address="200 per hour")
def ask(known_id: UUID) -> ResponseReturnValue:
    """Ask to join it."""
    try:
        with hub().database.changing() as session:
            me, place = session.get_one(Person, viewer().id), _facility(session, known_id)
            joining.ask(session, me, place, request.form.get("message", ""), hub().post, now=hub().clock())
    except Invalid as error:
        return _known_page(known_id, error.fields or {"message": message_of(error)}), 400
    hub().soon(send_mails)
    flash(_("Asked. Your colleagues there, or the people of a hub, answer."), "success")
    return redirect(url_for("colleagues.known", known_id=known_id))


@pages.post("/known/<uuid:known_id>/take-back")
@signed_in
def take_back(known_id: UUID) -> ResponseReturnValue:
    """Ask no more."""
    with hub().database.changing() as session:
        waiting = permitted(viewer(), TAKE_BACK).where(
            JoinRequest.organisation_id == known_id, JoinRequest.state == JoinState.ASKED
        )
        for asked in session.exec(waiting).all():
            take_join_back(session, asked, by=viewer().id, now=hub().clock())
    flash(_("Taken back."), "success")
    return redirect(url_for("facility.mine"))


@pages.post("/joining/<uuid:join_id>/accept")
@allowed(Role.REQUESTER)
def accept(join_id: UUID) -> ResponseReturnValue:
    """Let a colleague in."""
    return _answer(join_id, True, _("Let in. You see the same requests now."))


@pages.post("/joining/<uuid:join_id>/decline")
@allowed(Role.REQUESTER)
def decline(join_id: UUID) -> ResponseReturnValue:
    """Do not let somebody in."""
    return _answer(join_id, False, _("Declined."))


def wishes_of(session: Session, person: Person) -> list[tuple[JoinRequest, Organisation]]:
    """Where the person asked to join a facility and is not in, the latest of each, the newest first."""
    mine = permitted(person, TAKE_BACK).where(JoinRequest.role == Role.REQUESTER)
    latest: dict[UUID, JoinRequest] = {}
    for asked in session.exec(mine.order_by(col(JoinRequest.asked_at).desc(), col(JoinRequest.id))):
        latest.setdefault(asked.organisation_id, asked)
    belongs = organisation_ids(person, Role.REQUESTER)
    return [(one, session.get_one(Organisation, key)) for key, one in latest.items() if key not in belongs]


def _answer(join_id: UUID, is_welcome: bool, said: str) -> ResponseReturnValue:
    with hub().database.changing() as session:
        asked = find(session, viewer(), ANSWER, join_id)
        if asked.organisation_id not in organisation_ids(viewer(), Role.REQUESTER):
            raise NotFound  # a dispatcher answers on the dispatchers' page
        joining.answer(session, asked, is_welcome, hub().post, by=viewer().id, now=hub().clock())
    hub().soon(send_mails)
    flash(said, "success")
    return redirect(url_for("facility.facility", facility_id=asked.organisation_id))


def _form(typed: Typed, meant: Meant, general: str = "") -> str:
    return render_template(
        "facility/new.html", typed=typed, meant=meant, errors=meant.problems, general=general, kinds=kinds(), new=NEW
    )


def _known_page(known_id: UUID, errors: dict[str, str]) -> str:
    with hub().database.reading() as session:
        place = _facility(session, known_id)
        asked = next((one for one, where in wishes_of(session, viewer()) if where.id == place.id), None)
        return render_template(
            "facility/known.html",
            place=place,
            asked=asked,
            belongs=place.id in organisation_ids(viewer(), Role.REQUESTER),
            message=request.form.get("message", ""),
            errors=errors,
        )


def _facility(session: Session, known_id: UUID) -> Organisation:
    """A hospital or care home, or the one that it was merged into. Raises `NotFound`."""
    place = session.get(Organisation, known_id)
    if place is not None and place.merged_into is not None:
        place = session.get(Organisation, place.merged_into)
    if place is None or place.kind not in FACILITIES:
        raise NotFound
    return place
