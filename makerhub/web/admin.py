"""The administrator's page: who is here, in what role, and whether the hub is in order."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext  # type: ignore[import-untyped]
from sqlmodel import Session, col, select

from makerhub.db import IntegrityError
from makerhub.errors import Invalid, translatable
from makerhub.hubs.service import profile_for
from makerhub.people import service as people
from makerhub.people.access import visible
from makerhub.people.invitations import roles_at
from makerhub.people.models import Organisation, OrganisationKind, Person, Role
from makerhub.trace.invariants import breaches
from makerhub.web.hub import hub
from makerhub.web.navigation import Audience, Entry
from makerhub.web.policy import allowed
from makerhub.web.viewer import viewer
from makerhub.web.words import words

UNFIT = translatable(
    "Hospitals and care homes have requesters; hubs have makers, dispatchers and couriers. Choose another role."
)

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
    try:
        try:
            person = _let_in()
        except IntegrityError:
            person = _let_in()  # the same form arrived twice at the same moment: now the other one is there
    except Invalid as error:
        return _page(request.form, error.fields), 400
    flash(gettext("%(name)s can sign in now.", name=person.name), "success")
    return redirect(url_for("admin.overview"))


def _let_in() -> Person:
    problems: dict[str, str] = {}
    with hub().database.changing() as session:
        with _noting(problems):
            person = _person(session)
        with _noting(problems, name="organisation"):
            organisation = _organisation(session)
        with _noting(problems):
            role = _role(request.form.get("role", ""))
            if "organisation" not in problems and "kind" not in problems:
                _require_fit(role, organisation.kind)
        if problems:
            raise Invalid(fields=problems)
        people.add_membership(session, person, organisation, role, now=hub().clock(), by=viewer().id)
        return person


@contextmanager
def _noting(problems: dict[str, str], **names: str) -> Iterator[None]:
    """Note what is wrong, under the names that the form's fields have, and go on with the next field."""
    try:
        yield
    except Invalid as error:
        problems |= {names.get(name, name): problem for name, problem in error.fields.items()}


def _person(session: Session) -> Person:
    typed = request.form
    email = people.normal_email(typed.get("email", ""))
    return people.find_by_email(session, email) or people.create_person(
        session, email=email, name=typed.get("name", ""), password=typed.get("password", ""), now=hub().clock()
    )


def _organisation(session: Session) -> Organisation:
    name = request.form.get("organisation", "").strip()
    chosen = visible(viewer(), Organisation).where(col(Organisation.name) == name).order_by(col(Organisation.id))
    known = session.exec(chosen).first()
    if known is not None:
        return known
    kind = _kind(request.form.get("kind", "")) if name else OrganisationKind.HUB
    made = people.create_organisation(session, kind=kind, name=name, time_zone=hub().settings.time_zone)
    if kind is OrganisationKind.HUB:
        profile_for(session, made, now=hub().clock(), by=viewer().id)
    return made


def _require_fit(role: Role, kind: OrganisationKind) -> None:
    if role not in roles_at(kind):
        raise Invalid(fields={"role": UNFIT})


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
        raise Invalid(fields={"kind": translatable("Choose what this new organisation is.")}) from None
