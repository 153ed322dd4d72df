"""The pages of passkeys: signing in with one, and making and removing one's own.

The challenge is kept with the session and is gone when it is answered: what a device signed once opens nothing twice.
"""

import secrets
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]

from makerhub.errors import Invalid, translatable
from makerhub.people import passkeys
from makerhub.people.models import Person
from makerhub.people.passkeys import PasskeyRefused, Site
from makerhub.web.entering import enter, own_page
from makerhub.web.hub import hub
from makerhub.web.limits import at_most
from makerhub.web.mistakes import message_of
from makerhub.web.policy import fresh, public, signed_in
from makerhub.web.viewer import viewer, viewer_or_none

CHALLENGE = "passkey_challenge"
OFTEN = at_most("60 per 15 minutes", per_address="120 per 15 minutes")

pages = Blueprint("passkeys", __name__)


@pages.get("/sign-in/passkey")
@public
def ask() -> ResponseReturnValue:
    """The page that asks the device."""
    if viewer_or_none() is not None:
        return redirect(own_page(request.args.get("next")))
    return _ask_page("")


@pages.post("/sign-in/passkey")
@public
@OFTEN
def sign_in() -> ResponseReturnValue:
    """Let in whose passkey signed the challenge of this browser."""
    try:
        person = use()
    except PasskeyRefused as error:
        return _ask_page(message_of(error)), 400
    return enter(person, "passkey", request.form.get("next", ""))


@pages.get("/account/passkeys")
@signed_in
@fresh
def mine() -> str:
    """One's passkeys, and a form for a further one."""
    return _mine_page({})


@pages.post("/account/passkeys")
@signed_in
@fresh
@OFTEN
def add() -> ResponseReturnValue:
    """Keep a new passkey."""
    challenge, typed = _answered(), request.form
    try:
        with hub().database.changing() as database:
            passkeys.add(
                database, viewer(), typed.get("name", ""), typed.get("credential", ""), site(), challenge,
                now=hub().clock(),
            )  # fmt: skip
    except Invalid as error:
        return _mine_page(error.fields), 400
    except PasskeyRefused:
        return _mine_page({"name": translatable("Your device made no passkey. Try again.")}), 400
    flash(_("Your passkey is kept. Next time, sign in with it."), "success")
    return redirect(url_for("passkeys.mine"))


@pages.post("/account/passkeys/<uuid:passkey_key>/remove")
@signed_in
@fresh
def remove(passkey_key: UUID) -> ResponseReturnValue:
    """Let one of one's own passkeys open nothing any more."""
    with hub().database.changing() as database:
        passkeys.remove(database, viewer(), passkey_key, now=hub().clock())
    flash(_("That passkey opens nothing any more. Remove it from your device, too."), "success")
    return redirect(url_for("passkeys.mine"))


def use() -> Person:
    """Whose passkey signed the challenge that this browser was given. Raises `PasskeyRefused`."""
    challenge = _answered()
    with hub().database.changing() as database:
        return passkeys.use(database, request.form.get("credential", ""), site(), challenge, now=hub().clock())


def options_to_use(person: Person | None = None) -> str:
    """What the page's script hands to the device, with a new challenge."""
    challenge = _challenge()
    with hub().database.reading() as database:
        return passkeys.options_to_use(database, site(), challenge, person)


def site() -> Site:
    """What this hub's passkeys are bound to: its public address, else, on somebody's own machine, the request's."""
    address = urlsplit(hub().settings.public_address or request.host_url)
    return Site(address.hostname or "", f"{address.scheme}://{address.netloc}")


def _challenge() -> bytes:
    challenge = secrets.token_bytes(32)
    session[CHALLENGE] = challenge.hex()
    return challenge


def _answered() -> bytes:
    """The challenge of this browser, for once. Without one the answer is refused, since nobody guesses what follows."""
    kept: Any = session.pop(CHALLENGE, None)
    return bytes.fromhex(kept) if kept else secrets.token_bytes(32)


def _ask_page(problem: str) -> str:
    return render_template(
        "passkeys/ask.html", problem=problem, options=options_to_use(), next=request.values.get("next", "")
    )


def _mine_page(errors: object) -> str:
    challenge = _challenge()
    with hub().database.reading() as database:
        return render_template(
            "passkeys/mine.html",
            passkeys=passkeys.passkeys_of(database, viewer()),
            options=passkeys.options_to_make(database, viewer(), site(), challenge),
            errors=errors,
        )
