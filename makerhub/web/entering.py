"""Letting somebody in who proved who they are, and where they go then."""

import re
from datetime import datetime

from flask import Flask, redirect, session, url_for
from flask_security import login_user, user_authenticated
from werkzeug.wrappers import Response

from makerhub.people import second_factor
from makerhub.people.models import Person
from makerhub.web.hub import hub
from makerhub.web.policy import CONFIRMED_AT, HAS_SECOND

PASSKEY = "passkey"
HALF_WAY = "half_way"
"""Where a session keeps whose first factor was right."""

OWN_PAGE = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")


def own_page(wanted: str | None) -> str:
    """The page to go to: `wanted`, where it is one of this hub, else the first one."""
    return wanted if wanted and OWN_PAGE.fullmatch(wanted) else url_for("home.start")


def enter(person: Person, how: str, next_page: str) -> Response:
    """Go on with `person`, who proved by `how` to be it: signed in, or asked for the second factor that is set up.

    A passkey is both: the device that has it was unlocked.
    """
    with hub().database.reading() as database:
        wants_second = how != PASSKEY and second_factor.is_in_use(database, person)
    if not wants_second:
        return let_in(person, how, next_page, has_second=how == PASSKEY)
    session[HALF_WAY] = {
        "person": person.fs_uniquifier,
        "how": how,
        "next": own_page(next_page),
        "at": hub().clock().isoformat(),
    }
    return redirect(url_for("second_factor.ask"))


def let_in(person: Person, how: str, next_page: str, *, has_second: bool) -> Response:
    """Sign `person` in."""
    session.pop(HALF_WAY, None)
    session[HAS_SECOND] = has_second
    login_user(person, authn_via=[how])
    return redirect(own_page(next_page))


def confirm() -> None:
    """Keep that the person proved just now to be it: what wants to be `fresh` is open for a while."""
    session[CONFIRMED_AT] = hub().clock().isoformat()


def confirmed_at() -> datetime | None:
    """When the person proved it last, on this browser."""
    kept = session.get(CONFIRMED_AT)
    return datetime.fromisoformat(kept) if kept else None


@user_authenticated.connect
def _confirm(_app: Flask, **_: object) -> None:
    confirm()
