"""The administrator's page: who is here, in what role, and whether the hub is in order."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext  # type: ignore[import-untyped]
from sqlmodel import col, select

from makerhub.errors import Invalid, translatable
from makerhub.people import service as people
from makerhub.people.access import visible
from makerhub.people.models import Organisation, OrganisationKind, Person, Role
from makerhub.trace.invariants import breaches
from makerhub.web.hub import hub
from makerhub.web.navigation import Audience, Entry
from makerhub.web.policy import allowed
from makerhub.web.viewer import viewer
from makerhub.web.words import words

pages = Blueprint("admin", __name__, url_prefix="/admin")
audience = Audience(
    pages,
    (
        Entry(
            "admin.overview",
            translatable("Administration"),
            translatable("Look after the hub and its people"),
            translatable("Let people in, give them roles, see whether everything is in order."),
            (Role.ADMIN,),
        ),
    ),
)


@pages.get("")
@allowed(Role.ADMIN)
def overview() -> str:
    """People, organisations and the state of the hub."""
    return _page({}, {})


@pages.post("/people")
@allowed(Role.ADMIN)
def add_person() -> ResponseReturnValue:
    """Let somebody sign in, with a role in an organisation."""
    typed = request.form
    try:
        with hub().database.changing() as session:
            person = people.find_by_email(session, typed.get("email", "")) or people.create_person(
                session,
                email=typed.get("email", ""),
                name=typed.get("name", ""),
                password=typed.get("password", ""),
                now=hub().clock(),
            )
            chosen = visible(viewer(), Organisation).where(col(Organisation.name) == typed.get("organisation", ""))
            organisation = session.exec(chosen).first() or people.create_organisation(
                session,
                kind=_kind(typed.get("kind", "")),
                name=typed.get("organisation", ""),
                time_zone=hub().settings.time_zone,
            )
            people.add_membership(session, person, organisation, _role(typed.get("role", "")))
    except Invalid as error:
        return _page(typed, error.fields), 400
    flash(gettext("%(name)s can sign in now.", name=person.name), "success")
    return redirect(url_for("admin.overview"))


def _page(typed: object, errors: object) -> str:
    with hub().database.reading() as session:
        organisations = session.exec(select(Organisation).order_by(col(Organisation.name))).all()
        names = {organisation.id: organisation.name for organisation in organisations}
        return render_template(
            "admin/overview.html",
            people=session.exec(visible(viewer(), Person).order_by(col(Person.name))).all(),
            names=names,
            organisations=organisations,
            breaches=breaches(session),
            database=hub().database.describe(),
            role_options=[(role.value, gettext(words(role))) for role in Role],
            kind_options=[(kind.value, gettext(words(kind))) for kind in OrganisationKind],
            typed=typed,
            errors=errors,
        )


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError:
        raise Invalid(fields={"role": translatable("Choose a role.")}) from None


def _kind(text: str) -> OrganisationKind:
    try:
        return OrganisationKind(text)
    except ValueError:
        raise Invalid(fields={"kind": translatable("Choose what the organisation is.")}) from None
