"""One's tokens for programs of one's own: making one, which is shown once, and taking them back."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]

from makerhub.errors import Invalid, translatable
from makerhub.people import tokens
from makerhub.people.tokens import Scope
from makerhub.web.hub import hub
from makerhub.web.policy import fresh, signed_in
from makerhub.web.viewer import viewer

SCOPES = {
    Scope.PROFILE: translatable("Say who I am, and my roles"),
    Scope.REQUESTS: translatable("Read the requests that I see"),
}

pages = Blueprint("my_tokens", __name__, url_prefix="/account/tokens")


@pages.get("")
@signed_in
@fresh
def mine() -> str:
    """One's tokens, and a form for a further one."""
    return _page({})


@pages.post("")
@signed_in
@fresh
def make() -> ResponseReturnValue:
    """Make a token; its text is in this answer and nowhere else."""
    try:
        with hub().database.changing() as database:
            _row, text = tokens.make(
                database, viewer(), request.form.get("name", ""), request.form.getlist("scopes"), now=hub().clock()
            )
    except Invalid as error:
        return _page(error.fields), 400
    return _page({}, text)


@pages.post("/<uuid:token_key>/revoke")
@signed_in
@fresh
def revoke(token_key: UUID) -> ResponseReturnValue:
    """Let one of one's own tokens open nothing any more."""
    with hub().database.changing() as database:
        tokens.revoke(database, viewer(), token_key, now=hub().clock())
    flash(_("That token opens nothing any more."), "success")
    return redirect(url_for("my_tokens.mine"))


def _page(errors: object, made: str = "") -> str:
    with hub().database.reading() as database:
        mine = tokens.tokens_of(database, viewer(), hub().clock())
    return render_template(
        "account/tokens.html",
        tokens=mine,
        scopes=SCOPES,
        scope_options=[(scope.value, _(about)) for scope, about in SCOPES.items()],
        chosen=[] if made else request.form.getlist("scopes"),
        name="" if made else request.form.get("name", ""),
        made=made,
        address=hub().settings.address,
        errors=errors,
    )
