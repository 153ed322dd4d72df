"""Signing in by mail: one page asks for the address, a mail brings a link and a code, and either opens the hub once.

Opening the link shows a button, and the button signs in: mail scanners open links, and press nothing. Whether an
account exists is told to nobody: the page writes down who asks, and the answer comes by mail alone.
"""

from http import HTTPStatus
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from makerhub.errors import Invalid, translatable
from makerhub.people import mailed
from makerhub.people.mailed import OutOfUse, WrongCode
from makerhub.people.models import Person
from makerhub.people.service import LONGEST_NAME, normal_email
from makerhub.people.tasks import answer_sign_in_requests
from makerhub.people.tries import TooManyTries
from makerhub.web.entering import confirm, enter, own_page
from makerhub.web.guessing import guess
from makerhub.web.hub import hub
from makerhub.web.limits import at_most
from makerhub.web.mistakes import message_of
from makerhub.web.policy import public
from makerhub.web.viewer import viewer_language, viewer_or_none

ASKED = "sign_in_request"
ASKING = at_most("40 per 15 minutes", per_address="40 per 15 minutes")
TYPING = at_most("60 per 15 minutes", per_address="60 per 15 minutes")
"""A ward's computers share one address. How often for one mailbox, and one code, is bounded in the database."""

pages = Blueprint("sign_in", __name__, url_prefix="/sign-in")


@pages.get("")
@public
def ask() -> ResponseReturnValue:
    """The page that asks for the address."""
    if viewer_or_none() is not None:
        return redirect(own_page(request.args.get("next")))
    return _ask_page({})


@pages.post("")
@public
@ASKING
def send() -> ResponseReturnValue:
    """Have a mail sent, where somebody has that address, and go on to the code whether or not."""
    try:
        email = normal_email(request.form.get("email", ""))
    except Invalid as error:
        return _ask_page(error.fields), HTTPStatus.BAD_REQUEST
    return have_mailed(email, request.form.get("next", ""))


@pages.get("/new")
@public
def new() -> ResponseReturnValue:
    """The page for somebody new: a name and an address, and nothing else."""
    if viewer_or_none() is not None:
        return redirect(own_page(request.args.get("next")))
    return _new_page({})


@pages.post("/new")
@public
@ASKING
def make() -> ResponseReturnValue:
    """Have a mail sent that makes the account; who has one already gets a mail that lets them in."""
    if not hub().settings.open_to_newcomers:
        return _new_page({}), HTTPStatus.BAD_REQUEST
    name = request.form.get("name", "").strip()
    problems: dict[str, str] = {}
    try:
        email = normal_email(request.form.get("email", ""))
    except Invalid as error:
        problems |= error.fields
    if not 0 < len(name) <= LONGEST_NAME:
        problems["name"] = translatable("Enter a name.")
    if problems:
        return _new_page(problems), HTTPStatus.BAD_REQUEST
    return have_mailed(email, request.form.get("next", ""), name)


def have_mailed(email: str, next_page: str, name: str = "") -> ResponseReturnValue:
    """Ask for a mail, and go to the page where its code is typed; with a name for somebody who may be new."""
    with hub().database.changing() as database:
        request_id = mailed.ask(
            database, email, language=viewer_language(), next_page=own_page(next_page), now=hub().clock(), name=name
        )
    hub().soon(answer_sign_in_requests)
    session[ASKED] = {"id": str(request_id), "email": email, "next": own_page(next_page), "is_new": bool(name)}
    return redirect(url_for("sign_in.code"))


@pages.get("/code")
@public
def code() -> str:
    """The page where the code is typed; the mail's link leads in as well."""
    return _code_page() if ASKED in session else _ask_page({})


@pages.post("/code")
@public
@TYPING
def use_code() -> ResponseReturnValue:
    """Let in whoever typed the code of the mail into the browser that asked for it."""
    if ASKED not in session:
        return _ask_page({}), HTTPStatus.BAD_REQUEST
    asked, typed = session[ASKED], request.form.get("code", "")
    with guess() as guessed, hub().database.changing() as database:
        try:
            person, _ = mailed.use_code(database, UUID(asked["id"]), typed, key_box=hub().key_box, now=hub().clock())
        except (
            OutOfUse,
            WrongCode,
            TooManyTries,
        ) as error:  # inside of it: it keeps the count
            problem = error
        else:
            guessed.was_right = True
    if guessed.was_right:
        return _let_in(person, asked["next"])
    is_too_many = isinstance(problem, TooManyTries)
    status = HTTPStatus.TOO_MANY_REQUESTS if is_too_many else HTTPStatus.BAD_REQUEST
    return _code_page(message_of(problem), is_over=isinstance(problem, OutOfUse)), status


@pages.get("/link/<token>")
@public
def link(token: str) -> ResponseReturnValue:
    """A button. Nothing is used up by looking."""
    with hub().database.reading() as database:
        is_open = mailed.is_open(database, token, hub().clock())
    return render_template("sign_in/link.html", token=token, is_open=is_open), 200 if is_open else 404


@pages.post("/link/<token>")
@public
@TYPING
def use_link(token: str) -> ResponseReturnValue:
    """Let in whoever has the link, once."""
    try:
        with hub().database.changing() as database:
            person, next_page = mailed.use_link(database, token, now=hub().clock())
    except OutOfUse:
        return render_template("sign_in/link.html", token=token, is_open=False), 404
    return _let_in(person, next_page)


def _let_in(person: Person, next_page: str) -> ResponseReturnValue:
    """Sign in; whoever is signed in already has proved once more to be it."""
    session.pop(ASKED, None)
    viewer = viewer_or_none()
    if viewer is not None and viewer.id == person.id:
        confirm()
        return redirect(own_page(next_page))
    return enter(person, "mail", next_page)


def _ask_page(errors: object) -> str:
    return render_template("sign_in/ask.html", errors=errors, next=request.values.get("next", ""))


def _new_page(errors: object) -> str:
    is_open = hub().settings.open_to_newcomers
    return render_template("sign_in/new.html", errors=errors, next=request.values.get("next", ""), is_open=is_open)


def _code_page(problem: str = "", *, is_over: bool = False) -> str:
    asked = session[ASKED]
    return render_template(
        "sign_in/code.html",
        email=asked["email"],
        next=asked["next"],
        is_new=asked.get("is_new", False),
        problem=problem,
        is_over=is_over,
    )
