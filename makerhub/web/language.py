"""The language of the pages: everybody may choose one, and whoever is signed in keeps it."""

from babel import Locale
from flask import Blueprint, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from makerhub.errors import Invalid
from makerhub.people import service as people
from makerhub.people.models import Person
from makerhub.web.hub import hub
from makerhub.web.navigation import Audience
from makerhub.web.policy import public, signed_in
from makerhub.web.viewer import LANGUAGE_COOKIE, viewer

pages = Blueprint("language", __name__, url_prefix="/language")
audience = Audience(pages)

A_YEAR_SECONDS = 365 * 24 * 3600


def offered() -> list[tuple[str, str]]:
    """The languages of this hub, each with its name in itself; nothing where there is no choice."""
    languages = hub().settings.languages
    names = [(code, Locale.parse(code).get_display_name(code) or code) for code in languages]
    return [(code, name[:1].upper() + name[1:]) for code, name in names] if len(languages) > 1 else []


@pages.get("/<code>")
@public
def show(code: str) -> ResponseReturnValue:
    """Show the pages to this browser in another language: it remembers that itself, the hub does not."""
    if code not in hub().settings.languages:
        abort(404)
    response = redirect(_back(request.args.get("next", "")))
    _remember(response, code)
    return response


@pages.post("")
@signed_in
def keep() -> ResponseReturnValue:
    """Speak to me in this language, here and in letters."""
    code = request.form.get("language", "")
    if code not in hub().settings.languages:
        raise Invalid
    with hub().database.changing() as session:
        people.set_language(session, session.get_one(Person, viewer().id), code)
    response = redirect(_back(request.form.get("next", "")))
    _remember(response, code)
    return response


def _remember(response: Response, code: str) -> None:
    secure = hub().settings.secure_cookies
    response.set_cookie(LANGUAGE_COOKIE, code, max_age=A_YEAR_SECONDS, httponly=True, secure=secure, samesite="Lax")


def _back(address: str) -> str:
    """The page one came from; never another site, whose address begins with two slashes or a backslash."""
    is_ours = address.startswith("/") and not address.startswith(("//", "/\\"))
    return address if is_ours else url_for("home.start")
