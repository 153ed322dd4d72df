"""Signing in: Flask-Security as the engine of passwords, with the hub's own sessions, limits, answers and mails.

What the library ships and we close: its tokens (accepted in a query string, neither listed nor scoped), its answers
in JSON, and a cookie and a token in one request. Nothing tells whether an account exists: one answer, in one time.
"""

from datetime import timedelta
from functools import wraps
from http import HTTPStatus
from typing import Any

from flask import Flask, Request, Response, g, make_response, request
from flask_security import LoginForm, Security, UserDatastore
from flask_security.tf_plugin import TfPlugin
from sqlmodel import select

from makerhub.db import Database
from makerhub.people.models import Membership, Person
from makerhub.people.service import SHORTEST_PASSWORD
from makerhub.people.tries import PASSWORD
from makerhub.web import account, by_mail, confirm, my_tokens, passkeys, second_factor
from makerhub.web.entering import enter
from makerhub.web.guessing import guess
from makerhub.web.policy import PUBLIC, Policy

LONGEST_EMAIL = 254

POLICIES: dict[str, Policy] = {"security.login": PUBLIC, "security.logout": PUBLIC}

SETTINGS: dict[str, Any] = {
    "SECURITY_LOGIN_URL": "/sign-in/password",
    "SECURITY_LOGOUT_URL": "/sign-out",
    "SECURITY_LOGOUT_METHODS": ["POST"],
    "SECURITY_LOGIN_USER_TEMPLATE": "sign_in/password.html",
    "SECURITY_FLASH_MESSAGES": False,
    "SECURITY_RETURN_GENERIC_RESPONSES": True,
    "SECURITY_API_ENABLED_METHODS": ["session"],
    "SECURITY_PASSWORD_HASH": "argon2",
    "SECURITY_PASSWORD_SCHEMES": ["argon2"],
    "SECURITY_PASSWORD_SINGLE_HASH": {"argon2"},  # a hash is made without a running hub too: people.service
    "SECURITY_PASSWORD_LENGTH_MIN": SHORTEST_PASSWORD,
    "SECURITY_FRESHNESS": timedelta(seconds=-1),  # policy.fresh asks, and by the hub's own clock
    "SECURITY_STATIC_FOLDER": None,
    "SECURITY_CACHE_CONTROL": None,  # safety.send_headers speaks for every page
    "SECURITY_CLI_USERS_NAME": False,
    "SECURITY_CLI_ROLES_NAME": False,
    "SESSION_PROTECTION": None,  # it would tie a sign-in to an address, and phones change theirs
}


class SignInForm(LoginForm):
    """E-mail address and password; how long a sign-in lasts is the hub's setting, not a box to tick."""

    remember = None

    def validate_next(self, field: Any) -> None:
        """Take any `next`: the redirect itself refuses another site and goes to the first page instead."""


class OwnSecondFactor(TfPlugin):
    """Where the library would ask for its own second factor once a password was right, the hub goes on by itself."""

    def tf_enter(
        self,
        user: Any,
        remember_me: bool | None,  # noqa: ARG002 - the library's signature
        primary_authn_via: str,
        next_loc: str | None,
    ) -> Any:
        """See `entering.enter`."""
        return enter(user, primary_authn_via, next_loc or "")


class PersonDatastore(UserDatastore):
    """Persons as the library asks for them. Each call is a transaction of its own; none outlives its call."""

    def __init__(self, database: Database) -> None:
        super().__init__(Person, Membership)
        self._database = database

    def find_user(self, case_insensitive: bool = False, **identity: Any) -> Person | None:
        """The person with this one attribute, detached, with roles loaded. E-mail addresses are kept in lower case."""
        [(attribute, value)] = identity.items()
        wanted = value.lower() if case_insensitive else value
        with self._database.reading() as session:
            return session.exec(select(Person).where(getattr(Person, attribute) == wanted)).one_or_none()

    def put(self, person: Person) -> Person:
        """Have the person's changes written at the next `commit()`."""
        g.setdefault("changed_persons", []).append(person)
        return person

    def commit(self) -> None:
        """Write the persons that were put."""
        changed = g.pop("changed_persons", [])
        if changed:
            with self._database.changing() as session:
                session.add_all(changed)


def add_sign_in(app: Flask, database: Database) -> None:
    """Give `app` the pages of signing in and out and of one's account, and `current_user`."""
    app.config.update(SETTINGS)
    security = Security(app, PersonDatastore(database), login_form=SignInForm)
    security.want_json(_never_json)
    security.two_factor_plugins = OwnSecondFactor()
    app.login_manager.request_loader(_no_tokens)  # type: ignore[attr-defined]
    _count_guesses(app)
    for pages in (by_mail.pages, second_factor.pages, passkeys.pages, confirm.pages, account.pages, my_tokens.pages):
        app.register_blueprint(pages)


def _never_json(_request: Request) -> bool:
    return False


def _no_tokens(_request: Request) -> None:
    """The library would take `?auth_token=` for a sign-in; ours come by the session alone."""


def _count_guesses(app: Flask) -> None:
    """Bound the wrong passwords for one account and from one address; right ones do not count."""
    view: Any = app.view_functions["security.login"]

    @wraps(view)
    def login(*arguments: Any, **named: Any) -> Response:
        if request.method != "POST":
            return make_response(view(*arguments, **named))
        with guess((PASSWORD, request.form.get("email", "")[:LONGEST_EMAIL])) as guessed:
            response = make_response(view(*arguments, **named))
            guessed.was_right = response.status_code != HTTPStatus.OK
        return response

    app.view_functions["security.login"] = login
