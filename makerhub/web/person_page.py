"""One person, as an administrator looks after them: a lost second factor, and whether they may sign in at all."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]
from sqlmodel import col, select

from makerhub.errors import Invalid, translatable
from makerhub.notices.tasks import send_mails
from makerhub.people import blocks, second_factor
from makerhub.people import service as people
from makerhub.people.access import find
from makerhub.people.models import Organisation, Person, Role
from makerhub.web.hub import hub
from makerhub.web.navigation import Audience
from makerhub.web.policy import allowed, fresh
from makerhub.web.viewer import viewer

LONGEST_WHY = 300

pages = Blueprint("person_page", __name__, url_prefix="/admin/people")
audience = Audience(pages)


@pages.get("/<uuid:person_id>")
@allowed(Role.ADMIN)
@fresh
def shown(person_id: UUID) -> str:
    """Who it is, and what can be done."""
    return _page(person_id, {})


@pages.post("/<uuid:person_id>/second-factor")
@allowed(Role.ADMIN)
@fresh
def reset(person_id: UUID) -> ResponseReturnValue:
    """Take a second factor away whose phone and codes on paper are lost."""
    try:
        with hub().database.changing() as session:
            person, why = _another(find(session, viewer(), Person, person_id)), _why()
            second_factor.reset(session, person, hub().post, now=hub().clock(), by=viewer().id, why=why)
    except Invalid as error:
        return _page(person_id, error.fields or {"why": error.template}), 400
    hub().soon(send_mails)
    flash(_("Taken away. %(name)s is signed out everywhere, and told by mail.", name=person.name), "success")
    return redirect(url_for("person_page.shown", person_id=person_id))


@pages.post("/<uuid:person_id>/sign-in")
@allowed(Role.ADMIN)
@fresh
def let_in(person_id: UUID) -> ResponseReturnValue:
    """Let the person sign in no more, anywhere here, or again."""
    may = request.form.get("may") == "yes"
    try:
        with hub().database.changing() as session:
            person, why = _another(find(session, viewer(), Person, person_id)), _why()
            (people.enable if may else people.disable)(session, person, now=hub().clock(), by=viewer().id, why=why)
    except Invalid as error:
        return _page(person_id, error.fields or {"why": error.template}), 400
    flash(_("Saved."), "success")
    return redirect(url_for("person_page.shown", person_id=person_id))


def _another(person: Person) -> Person:
    if person.id == viewer().id:
        raise Invalid(translatable("This is you: use the page of your account."))
    return person


def _why() -> str:
    why = request.form.get("why", "").strip()
    if not why or len(why) > LONGEST_WHY:
        raise Invalid(fields={"why": translatable("Say why, in under 300 letters: it is kept in the log.")})
    return why


def _page(person_id: UUID, errors: dict[str, str]) -> str:
    with hub().database.reading() as session:
        person = find(session, viewer(), Person, person_id)
        places = {membership.organisation_id for membership in person.roles}
        named = session.exec(select(Organisation.id, Organisation.name).where(col(Organisation.id).in_(places)))
        return render_template(
            "admin/person.html",
            shown=person,
            names=dict(named.all()),
            has_second=second_factor.is_in_use(session, person),
            suspensions=blocks.suspensions_of(session, person.id),
            is_me=person.id == viewer().id,
            errors=errors,
        )
