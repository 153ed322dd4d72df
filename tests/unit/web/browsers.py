"""A hub with pages, people who may and may not, and browsers that speak like real ones."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from flask import Blueprint, Flask, flash, render_template_string, request, session
from flask.testing import FlaskClient
from sqlmodel import select
from werkzeug.test import TestResponse

from makerhub.db import Database
from makerhub.errors import IllegalMove, Invalid, MovedMeanwhile, NotAllowed, NotFound
from makerhub.people import service
from makerhub.people.models import BrowserSession, OrganisationKind, Person, Role
from makerhub.web.navigation import Audience, Entry
from makerhub.web.policy import allowed, public, signed_in

PASSWORD = "correct horse battery"
START = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
ERRORS = {
    "missing": NotFound(),
    "forbidden": NotAllowed(),
    "invalid": Invalid("At most %(most)s.", most=5),
    "illegal": IllegalMove(before="in_transit", after="packed"),
    "moved": MovedMeanwhile(),
    "broken": RuntimeError("secret detail"),
}


@dataclass
class Time:
    """A clock that stands still until it is told."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **much: float) -> None:
        self.now += timedelta(**much)


def a_form() -> str:
    return render_template_string('{% from "_parts.html" import button_form %}{{ button_form("/do", "Do") }}')


def try_pages() -> Audience:
    """Pages of every policy, and some that go wrong."""
    pages = Blueprint("try", __name__)

    @pages.get("/open")
    @public
    def open_to_all() -> str:
        return "open"

    @pages.get("/mine")
    @signed_in
    def mine() -> str:
        flash("hello")
        return "mine"

    @pages.get("/board")
    @allowed(Role.DISPATCHER)
    def board() -> str:
        return "board"

    @pages.get("/form")
    @public
    def form() -> str:
        return a_form()

    @pages.post("/do")
    @public
    def do() -> str:
        session["did"] = session.get("did", 0) + 1
        return "done"

    @pages.get("/forgotten")
    def forgotten() -> str:
        return "nobody said who may see this"

    @pages.get("/error/<kind>")
    @public
    def error(kind: str) -> str:
        raise ERRORS[kind]

    @pages.get("/template")
    @public
    def template() -> str:
        return render_template_string(request.args["it"], at=datetime(2026, 10, 25, 1, 30, tzinfo=UTC))

    entries = (
        Entry("try.open_to_all", "Catalogue", "See the catalogue"),
        Entry("try.board", "Dispatch", "Share the work out", "See what is short", (Role.DISPATCHER,)),
    )
    return Audience(pages, entries)


@dataclass
class Site:
    """A running site: its clock, its database and its people by name."""

    app: Flask
    database: Database
    time: Time
    people: dict[str, Person] = field(default_factory=dict)

    def browser(self) -> "Browser":
        return Browser(self.app.test_client())

    def signed_in(self, who: str) -> "Browser":
        browser = self.browser()
        assert browser.sign_in(self.people[who].email).status_code == 302
        return browser

    def rows(self) -> list[BrowserSession]:
        with self.database.reading() as session:
            return list(session.exec(select(BrowserSession)))


class Browser:
    """A client that keeps its cookie, reads tokens from forms and says where its requests come from."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    @property
    def cookie(self) -> str | None:
        cookie = self.client.get_cookie("makerhub")
        return cookie.value if cookie else None

    @cookie.setter
    def cookie(self, value: str) -> None:
        self.client.set_cookie("makerhub", value)

    def get(self, address: str, **options: Any) -> TestResponse:
        return self.client.get(address, buffered=True, **options)

    def post(
        self, address: str, fields: dict[str, str] | None = None, form: str = "/form", **options: Any
    ) -> TestResponse:
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.get(form).text)
        data = {"csrf_token": token[1] if token else "", **(fields or {})}
        headers = {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost", **options.pop("headers", {})}
        return self.client.post(address, data=data, headers=headers, **options)

    def sign_in(self, email: str, password: str = PASSWORD, next_page: str = "") -> TestResponse:
        fields = {"email": email, "password": password} | ({"next": next_page} if next_page else {})
        return self.post("/sign-in/password", fields, form="/sign-in/password")

    def sign_out(self) -> TestResponse:
        return self.post("/sign-out")


@cache
def hashed_password() -> str:
    """One hash for all: each costs a tenth of a second."""
    return service.hash_password(PASSWORD)


def add_people(site: Site) -> None:
    with site.database.changing() as session:
        hub = service.create_organisation(session, kind=OrganisationKind.HUB, name="North", time_zone="Europe/Berlin")
        for name, role in (("alice", Role.DISPATCHER), ("bob", Role.MAKER), ("charlie", None)):
            person = service.create_person(session, email=f"{name}@example.org", name=name.title(), now=START)
            person.password = hashed_password()
            if role:
                service.add_membership(session, person, hub, role, now=START)
            site.people[name] = person
