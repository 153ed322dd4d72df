"""What is mine: the sign-ins that are open, each of which can be ended, and the password."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]
from flask_security import login_user

from makerhub.errors import Invalid, translatable
from makerhub.people import second_factor
from makerhub.people import service as people
from makerhub.people.models import Person
from makerhub.people.passkeys import passkeys_of
from makerhub.people.sign_ins import end_other_sign_ins, end_sign_in, open_sign_ins
from makerhub.web.devices import device
from makerhub.web.hub import hub
from makerhub.web.policy import fresh, signed_in
from makerhub.web.sessions import this_session
from makerhub.web.viewer import viewer

pages = Blueprint("account", __name__, url_prefix="/account")


@pages.get("")
@signed_in
def overview() -> str:
    """The account's page."""
    with hub().database.reading() as database:
        sign_ins = open_sign_ins(database, viewer(), hub().clock())
        has_second = second_factor.is_in_use(database, viewer())
        passkeys = passkeys_of(database, viewer())
        hubs = people.hubs_of(database, viewer())
    return render_template(
        "account/overview.html",
        sign_ins=[(sign_in, *device(sign_in.agent), sign_in.id == this_session().row_id) for sign_in in sign_ins],
        has_password=viewer().password is not None,
        has_second=has_second,
        needs_second=second_factor.is_required(viewer(), hub().settings),
        passkeys=passkeys,
        hubs=[(place, [one.role for one in viewer().roles if one.organisation_id == place.id]) for place in hubs],
    )


@pages.post("/sign-ins/<uuid:sign_in_key>/end")
@signed_in
def end_one(sign_in_key: UUID) -> ResponseReturnValue:
    """End one of one's own sign-ins, which may be this one. One that is gone already is no mistake."""
    with hub().database.changing() as database:
        is_ended = end_sign_in(database, viewer(), sign_in_key)
    if is_ended:
        flash(_("That sign-in is ended."), "success")
    return redirect(url_for("account.overview"))


@pages.post("/sign-ins/end-others")
@signed_in
def end_others() -> ResponseReturnValue:
    """End every sign-in but this one."""
    with hub().database.changing() as database:
        count = end_other_sign_ins(database, viewer(), this_session().row_id)
    flash(_("Ended: %(count)s.", count=count), "success")
    return redirect(url_for("account.overview"))


@pages.get("/password")
@signed_in
@fresh
def password() -> str:
    """The form for a new password."""
    return _password_page({})


@pages.post("/password")
@signed_in
@fresh
def set_password() -> ResponseReturnValue:
    """Give oneself a password; every other sign-in ends."""
    typed = request.form.get("password", "")
    try:
        if typed != request.form.get("again", ""):
            raise Invalid(fields={"again": translatable("This is not the same password. Type it again.")})
        with hub().database.changing() as database:
            person = database.get_one(Person, viewer().id)
            people.set_password(database, person, typed, now=hub().clock())
    except Invalid as error:
        return _password_page(error.fields), 400
    login_user(person, authn_via=["password"])  # its sign-ins are all ended, and this one begins anew
    flash(_("Your password is set. Sign-ins on other devices are ended."), "success")
    return redirect(url_for("account.overview"))


def _password_page(errors: object) -> str:
    return render_template("account/password.html", errors=errors, has_password=viewer().password is not None)
