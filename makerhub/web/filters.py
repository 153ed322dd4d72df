"""What templates say beyond plain text: times in the viewer's zone, numbers, states in words, links in the menu."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType

from babel.numbers import format_decimal
from flask import Flask, current_app, request, url_for
from flask_babel import gettext  # type: ignore[import-untyped]
from jinja2 import StrictUndefined
from markupsafe import Markup

from makerhub.web.hub import hub
from makerhub.web.language import offered
from makerhub.web.navigation import Audience, Entry
from makerhub.web.times import as_ago, as_date, as_time
from makerhub.web.viewer import viewer_direction, viewer_language, viewer_locale, viewer_or_none, viewer_zone
from makerhub.web.words import tone, words

MOST_IN_MENU = 8
SHOWN_OF_MANY = 5
"""Dispatchers have a dozen entries: five rows of a phone, and more than a line of a desk."""


def add_filters(app: Flask) -> None:
    """Give templates their filters and globals; a name that a template does not know is an error, not silence."""
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.filters |= {
        "time": _time,
        "date": _date,
        "ago": _ago,
        "number": _number,
        "label": _label,
        "tone": tone,
        "translate": _translate,
    }
    app.jinja_env.globals |= {
        "viewer": viewer_or_none,
        "language": viewer_language,
        "direction": viewer_direction,
        "languages": offered,
        "entries": _entries,
        "menu": _menu,
        "blueprints": app.blueprints,
    }


def _time(moment: datetime) -> Markup:
    return as_time(moment, viewer_zone(), viewer_locale())


def _date(moment: datetime | date) -> Markup:
    return as_date(moment, viewer_zone(), viewer_locale())


def _ago(moment: datetime) -> Markup:
    return as_ago(moment, hub().clock(), viewer_zone(), viewer_locale(), gettext("just now"))


def _number(value: int | float | Decimal) -> str:
    return format_decimal(value, locale=viewer_locale())


def _label(state: str) -> str:
    return _translate(words(state))


def _translate(text: str, values: Mapping[str, object] = MappingProxyType({})) -> str:
    translated: str = gettext(text, **values)
    return translated


def _entries() -> list[Entry]:
    """The viewer's entries of the menu, in the order of the audiences."""
    audiences: tuple[Audience, ...] = current_app.extensions["makerhub.audiences"]
    person = viewer_or_none()
    return [entry for audience in audiences for entry in audience.entries if entry.is_for(person)]


@dataclass(frozen=True)
class _Link:
    """An entry of the menu on this page; one that `is_here` leads to this page, or to what it is a part of."""

    name: str
    address: str
    is_here: bool


def _menu() -> tuple[list[_Link], list[_Link]]:
    """What stands in the menu and what it unfolds: where there is much, the first ones and the one of this page."""
    addresses = {entry.name: url_for(entry.endpoint) for entry in _entries()}
    around = [address for address in addresses.values() if f"{request.path}/".startswith(f"{address}/")]
    here = max(around, key=len, default="")
    links = [_Link(name, address, address == here) for name, address in addresses.items()]
    if len(links) <= MOST_IN_MENU:
        return links, []
    shown = [link for place, link in enumerate(links) if place < SHOWN_OF_MANY or link.is_here]
    return shown, [link for link in links if link not in shown]
