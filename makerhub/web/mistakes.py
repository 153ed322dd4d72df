"""What a page says when something went wrong: what happened, in plain words, and a way on."""

import math
from dataclasses import dataclass
from http import HTTPStatus
from typing import cast
from urllib.parse import urlsplit

from flask import Flask, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext  # type: ignore[import-untyped]
from werkzeug.exceptions import HTTPException, InternalServerError

from makerhub.errors import IllegalMove, Invalid, MakerhubError, MovedMeanwhile, NotAllowed, NotFound, translatable
from makerhub.people.tries import TooManyTries
from makerhub.web.entering import OWN_PAGE
from makerhub.web.words import words

STATUSES: tuple[tuple[type[MakerhubError], HTTPStatus], ...] = (
    (TooManyTries, HTTPStatus.TOO_MANY_REQUESTS),
    (NotFound, HTTPStatus.NOT_FOUND),
    (NotAllowed, HTTPStatus.FORBIDDEN),
    (Invalid, HTTPStatus.BAD_REQUEST),
    (IllegalMove, HTTPStatus.CONFLICT),
    (MovedMeanwhile, HTTPStatus.CONFLICT),
    (MakerhubError, HTTPStatus.INTERNAL_SERVER_ERROR),
)


@dataclass(frozen=True)
class Words:
    """What the page of a status says; both are templates to translate."""

    title: str
    text: str


DONE_ALREADY = translatable("This has been done already: it is “%(after)s” now.")

PAGES = {
    400: Words(
        translatable("This did not arrive as it should"),
        translatable("The page may have been open for too long. Go back, load it again and repeat what you did."),
    ),
    403: Words(translatable("You are not allowed to do this"), translatable("Ask the people of your hub about it.")),
    404: Words(
        translatable("There is no such page"),
        translatable("The address may be wrong, or the page is not yours to see."),
    ),
    409: Words(
        translatable("This has changed in the meantime"),
        translatable("Somebody else was faster. Load the page again to see how it stands."),
    ),
    413: Words(translatable("This file is too large"), translatable("Go back and choose a smaller one.")),
    429: Words(
        translatable("Too many tries"),
        translatable("Wait %(minutes)s min, then go back and try again."),
    ),
    500: Words(
        translatable("Something went wrong here"),
        translatable(
            "It is our mistake, and it is written down. What you entered may not have been saved. Try again later."
        ),
    ),
}


def explain_mistakes(app: Flask) -> None:
    """Answer every error with a page of its own, and rules that were broken with the rule's own words."""
    app.register_error_handler(MakerhubError, _broken_rule)
    app.register_error_handler(HTTPException, _http_error)


def message_of(error: MakerhubError) -> str:
    """The error's message in the viewer's language, with its values filled in; states appear in words."""
    values = error.values
    if isinstance(error, IllegalMove):
        values = {name: gettext(words(str(state))) for name, state in values.items()}
        if values["before"] == values["after"]:
            return cast("str", gettext(DONE_ALREADY) % values)
    text: str = gettext(error.template)
    return text % values if values else text


def _broken_rule(error: MakerhubError) -> ResponseReturnValue:
    status = next(status for kind, status in STATUSES if isinstance(error, kind))
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, TooManyTries) else {}
    return _page(status, message_of(error)), status, headers


def _http_error(error: HTTPException) -> ResponseReturnValue:
    status = error.code or InternalServerError.code
    if status < HTTPStatus.BAD_REQUEST or error.response is not None:
        return error  # a redirect, or an answer that is complete as it is
    headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
    text = gettext(_words_for(status).text)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        text %= {"minutes": _minutes(headers.get("Retry-After", ""))}
    return _page(status, text), status, headers


def _minutes(retry_after: str) -> int:
    """Whole minutes to wait, from seconds; those who tried to sign in wait for a quarter of an hour."""
    return math.ceil(int(retry_after) / 60) if retry_after.isdecimal() else 15


def _words_for(status: int) -> Words:
    return PAGES.get(status) or PAGES[500 if status >= HTTPStatus.INTERNAL_SERVER_ERROR else 400]


def _page(status: int, text: str) -> str:
    return render_template("mistake.html", title=gettext(_words_for(status).title), text=text, back=_page_before())


def _page_before() -> str:
    """The page of this hub on which the link or the form stood; "" where nothing led here but an address."""
    before = urlsplit(request.referrer or "")
    is_another = request.method != "GET" or before.path != request.path
    is_ours = before.netloc == request.host and OWN_PAGE.fullmatch(before.path) is not None
    return before.path if is_ours and is_another else ""
