"""The proof that it is still the same person, before something that hurts in the wrong hands: see `policy.fresh`."""

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from makerhub.errors import translatable
from makerhub.people.passkeys import PasskeyRefused, passkeys_of
from makerhub.people.second_factor import is_in_use
from makerhub.people.service import is_password_of
from makerhub.people.tries import PASSWORD
from makerhub.web import entering, passkeys
from makerhub.web.by_mail import ASKING, have_mailed
from makerhub.web.guessing import guess
from makerhub.web.hub import hub
from makerhub.web.limits import at_most
from makerhub.web.mistakes import message_of
from makerhub.web.policy import is_fresh, signed_in
from makerhub.web.second_factor import check
from makerhub.web.viewer import viewer

pages = Blueprint("confirm", __name__, url_prefix="/confirm")


@pages.get("")
@signed_in
def confirm() -> ResponseReturnValue:
    """The page that asks for the password, or for a mail."""
    if is_fresh(hub().clock()):
        return redirect(entering.own_page(request.args.get("next")))
    return _page({})


@pages.post("")
@signed_in
@at_most("10 per 15 minutes", per_address="60 per 15 minutes")
def by_password() -> ResponseReturnValue:
    """Take the password."""
    with guess((PASSWORD, viewer().email)) as guessed:
        guessed.was_right = is_password_of(viewer(), request.form.get("password", ""))
    if not guessed.was_right:
        return _page({"password": translatable("This is not your password.")}), 400
    entering.confirm()
    return redirect(entering.own_page(request.form.get("next")))


@pages.post("/figures")
@signed_in
@at_most("20 per 15 minutes", per_address="120 per 15 minutes")
def by_figures() -> ResponseReturnValue:
    """Take the figures of the app, or a code on paper."""
    problem = check(viewer(), request.form.get("figures", ""))
    if problem:
        return _page({"figures": problem}), 400
    entering.confirm()
    return redirect(entering.own_page(request.form.get("next")))


@pages.post("/passkey")
@signed_in
@at_most("20 per 15 minutes", per_address="120 per 15 minutes")
def by_passkey() -> ResponseReturnValue:
    """Take a signature of one of the person's own passkeys."""
    try:
        is_theirs = passkeys.use().id == viewer().id
    except PasskeyRefused:
        is_theirs = False
    if not is_theirs:
        return _page({}, message_of(PasskeyRefused())), 400
    entering.confirm()
    return redirect(entering.own_page(request.form.get("next")))


@pages.post("/mail")
@signed_in
@ASKING
def by_mail() -> ResponseReturnValue:
    """Have a code mailed to the person's own address."""
    return have_mailed(viewer().email, request.form.get("next", ""))


def _page(errors: object, problem: str = "") -> str:
    with hub().database.reading() as database:
        has_second = is_in_use(database, viewer())
        has_passkey = bool(passkeys_of(database, viewer()))
    return render_template(
        "account/confirm.html",
        errors=errors,
        problem=problem,
        next=request.values.get("next", ""),
        has_password=viewer().password is not None,
        has_second=has_second,
        passkey_options=passkeys.options_to_use(viewer()) if has_passkey else "",
    )
