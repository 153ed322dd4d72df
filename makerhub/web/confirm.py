"""The proof that it is still the same person, before something that hurts in the wrong hands: see `policy.fresh`."""

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from makerhub.errors import translatable
from makerhub.people.service import is_password_of
from makerhub.web import entering
from makerhub.web.by_mail import ASKING, have_mailed
from makerhub.web.hub import hub
from makerhub.web.limits import at_most
from makerhub.web.policy import is_fresh, signed_in
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
    if not is_password_of(viewer(), request.form.get("password", "")):
        return _page({"password": translatable("This is not your password.")}), 400
    entering.confirm()
    return redirect(entering.own_page(request.form.get("next")))


@pages.post("/mail")
@signed_in
@ASKING
def by_mail() -> ResponseReturnValue:
    """Have a code mailed to the person's own address."""
    return have_mailed(viewer().email, request.form.get("next", ""))


def _page(errors: object) -> str:
    return render_template(
        "account/confirm.html",
        errors=errors,
        next=request.values.get("next", ""),
        has_password=viewer().password is not None,
    )
