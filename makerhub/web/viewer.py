"""Who looks at the page: the person, and the language and time zone in which pages speak to them."""

from typing import cast
from zoneinfo import ZoneInfo

from babel import Locale, negotiate_locale
from flask import g, has_request_context, request
from flask_login import current_user  # type: ignore[import-untyped]
from sqlmodel import col, select

from makerhub.errors import NotFound
from makerhub.people.access import organisation_ids
from makerhub.people.models import Organisation, Person
from makerhub.web.hub import hub


def viewer_or_none() -> Person | None:
    """The signed-in person, detached from any database session, with `roles` loaded; None for a visitor."""
    return cast("Person", current_user._get_current_object()) if current_user.is_authenticated else None


def viewer() -> Person:
    """The signed-in person. Raises `NotFound` for a visitor: a page that asks has a policy that lets none in."""
    person = viewer_or_none()
    if person is None:
        raise NotFound
    return person


def viewer_zone() -> ZoneInfo:
    """The viewer's time zone: their own choice, else that of an organisation of theirs, else the hub's."""
    if "viewer_zone" not in g:
        g.viewer_zone = ZoneInfo(_zone_name(viewer_or_none()))
    return cast("ZoneInfo", g.viewer_zone)


LANGUAGE_COOKIE = "language"


def viewer_language() -> str:
    """The language of the page: the person's, else the one chosen here, else the browser's, else the hub's first."""
    languages = hub().settings.languages
    if not has_request_context():
        return languages[0]
    person = viewer_or_none()
    if person and person.language in languages:
        return person.language
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    if chosen in languages:
        return chosen
    wanted = [language.replace("-", "_") for language in request.accept_languages.values()]
    return negotiate_locale(wanted, languages) or languages[0]  # unlike best_match, takes German for Austria's German


def viewer_direction() -> str:
    """How the page runs: “ltr” from left to right, or “rtl”."""
    return Locale.parse(viewer_language()).text_direction


def viewer_locale() -> Locale:
    """How days, times and numbers are written: plain English means “29 Mar 2026, 14:05”, which nobody misreads."""
    language = viewer_language()
    return Locale.parse("en_GB" if language == "en" else language)


def _zone_name(person: Person | None) -> str:
    if person is None:
        return hub().settings.time_zone
    return person.time_zone or _zone_of_organisation(person) or hub().settings.time_zone


def _zone_of_organisation(person: Person) -> str | None:
    mine = select(Organisation.time_zone).where(col(Organisation.id).in_(organisation_ids(person)))
    with hub().database.reading() as session:
        return session.exec(mine.order_by(col(Organisation.name)).limit(1)).first()
