"""The pages of the second factor: asked for at the sign-in, set up by picture, with codes on paper for a lost phone."""

from datetime import datetime, timedelta
from http import HTTPStatus

import segno
from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]
from flask_security import login_user
from sqlmodel import select

from makerhub.errors import translatable
from makerhub.people import second_factor
from makerhub.people.models import Person
from makerhub.people.second_factor import WrongFigures
from makerhub.people.sign_ins import end_other_sign_ins
from makerhub.people.tries import TooManyTries
from makerhub.web import entering
from makerhub.web.entering import HALF_WAY, own_page
from makerhub.web.guessing import guess
from makerhub.web.hub import hub
from makerhub.web.limits import at_most
from makerhub.web.mistakes import message_of
from makerhub.web.policy import HAS_SECOND, fresh, public, signed_in
from makerhub.web.sessions import this_session
from makerhub.web.viewer import viewer

HALF_WAY_FOR = timedelta(minutes=10)

pages = Blueprint("second_factor", __name__)


@pages.get("/sign-in/second")
@public
def ask() -> ResponseReturnValue:
    """The page that asks for the figures, of somebody whose first factor was right."""
    return _ask_page("") if _half_way() else _start_again()


@pages.post("/sign-in/second")
@public
@at_most("60 per 15 minutes", per_address="60 per 15 minutes")
def answer() -> ResponseReturnValue:
    """Let in whoever has the figures, or a code on paper."""
    person = _half_way()
    if person is None:
        return _start_again()
    try:
        problem = check(person, request.form.get("figures", ""))
    except TooManyTries as error:
        return _ask_page(message_of(error)), HTTPStatus.TOO_MANY_REQUESTS
    if problem:
        return _ask_page(problem), 400
    half = session.pop(HALF_WAY)
    return entering.let_in(person, half["how"], half["next"], has_second=True)


@pages.get("/account/second-factor")
@signed_in
@fresh
def overview() -> str:
    """Whether it is in use; how to set it up."""
    return _overview_page("")


@pages.post("/account/second-factor/begin")
@signed_in
@fresh
def begin() -> ResponseReturnValue:
    """Make a secret for the app."""
    with hub().database.changing() as database:
        second_factor.begin(database, viewer(), key_box=hub().key_box, now=hub().clock())
    return redirect(url_for("second_factor.overview", next=request.form.get("next") or None))


@pages.post("/account/second-factor/finish")
@signed_in
@fresh
def finish() -> ResponseReturnValue:
    """Put it into use, once the app shows the right figures; sign-ins that did without end."""
    with hub().database.changing() as database:
        factor = second_factor.factor_of(database, viewer())
        if factor is None or factor.confirmed_at is not None:
            return redirect(url_for("second_factor.overview"))
        try:
            codes = second_factor.finish(
                database, factor, request.form.get("figures", ""), key_box=hub().key_box, now=hub().clock()
            )
        except (WrongFigures, TooManyTries) as error:  # inside of the transaction, which keeps the count
            problem = error
        else:
            end_other_sign_ins(database, viewer(), this_session().row_id)
            session[HAS_SECOND] = True
            login_user(viewer(), authn_via=["totp"])
            return _codes_page(codes)
    return _overview_page(message_of(problem)), 400


@pages.post("/account/second-factor/codes")
@signed_in
@fresh
def renew_codes() -> ResponseReturnValue:
    """New codes for paper."""
    with hub().database.changing() as database:
        factor = second_factor.factor_of(database, viewer())
        if factor is None or factor.confirmed_at is None:
            return redirect(url_for("second_factor.overview"))
        return _codes_page(second_factor.renew_recovery_codes(database, factor))


@pages.post("/account/second-factor/remove")
@signed_in
@fresh
def remove() -> ResponseReturnValue:
    """Ask for no figures any more; somebody whose role needs them sets them up again, with another phone."""
    with hub().database.changing() as database:
        second_factor.remove(database, viewer(), now=hub().clock(), by=viewer().id, keep=this_session().row_id)
    session.pop(HAS_SECOND, None)
    this_session().renew(viewer().id)
    flash(_("You are asked for no figures any more."), "success")
    return redirect(url_for("account.overview"))


def check(person: Person, figures: str) -> str:
    """Take the person's figures; gives what is wrong with them, or "". Raises `TooManyTries`."""
    with guess() as guessed:
        problem = _check(person, figures)
        guessed.was_right = not problem
    return problem


def _check(person: Person, figures: str) -> str:
    with hub().database.changing() as database:
        factor = second_factor.factor_of(database, person)
        if factor is None:
            return translatable("You have not set up figures yet.")
        try:
            second_factor.check(database, factor, figures, key_box=hub().key_box, now=hub().clock())
        except WrongFigures as error:  # inside of the transaction, which keeps the count
            return message_of(error)
    return ""


def _half_way() -> Person | None:
    """Whoever proved the first factor on this browser a moment ago."""
    half = session.get(HALF_WAY)
    if half is None or hub().clock() - datetime.fromisoformat(half["at"]) > HALF_WAY_FOR:
        return None
    with hub().database.reading() as database:
        alive = select(Person).where(Person.fs_uniquifier == half["person"], Person.active)
        return database.exec(alive).one_or_none()


def _start_again() -> ResponseReturnValue:
    session.pop(HALF_WAY, None)
    flash(_("That took too long. Please begin again."), "warning")
    return redirect(url_for("sign_in.ask"), code=303)


def _ask_page(problem: str) -> str:
    return render_template("second_factor/ask.html", problem=problem)


def _overview_page(problem: str) -> str:
    with hub().database.reading() as database:
        factor = second_factor.factor_of(database, viewer())
        left = second_factor.codes_left(database, viewer())
    is_begun = factor is not None and factor.confirmed_at is None
    picture = key = ""
    if factor is not None and is_begun:
        address = second_factor.app_address(factor, viewer(), hub().key_box)
        picture = segno.make(address, error="m").svg_data_uri(scale=5, border=4, light="#fff")
        key = second_factor.key_to_type(factor, hub().key_box)
    return render_template(
        "second_factor/overview.html",
        is_begun=is_begun,
        is_in_use=factor is not None and not is_begun,
        is_required=second_factor.is_required(viewer(), hub().settings),
        left=left,
        picture=picture,
        key=key,
        next=request.values.get("next", ""),
        problem=problem,
    )


def _codes_page(codes: list[str]) -> str:
    return render_template("second_factor/codes.html", codes=codes, next=own_page(request.form.get("next")))
