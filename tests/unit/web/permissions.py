"""Who may open which route, measured: everybody asks every route, and nothing is kept of what the asking changed.

Each role has three people: one whose the things are, a colleague at the same place, and a stranger of another place.
"""

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from builders import World, organisation
from sqlmodel import SQLModel
from unit.web.browsers import Browser
from unit.web.houses import House
from unit.web.things import FOR_EVERYBODY, private_words, things_of, values_for

from makerhub.config import SOURCE_TREE
from makerhub.db import Database, Session
from makerhub.keys.box import KeyBox
from makerhub.migrations import tables
from makerhub.people.access import actions, visibility_rules
from makerhub.people.models import OrganisationKind, Role
from makerhub.web.policy import Policy, policy_of

DOCUMENT = SOURCE_TREE / "docs" / "permissions.md"

FROM_OUR_OWN_PAGE = {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}

OWNERS = {
    Role.REQUESTER: "ruth",
    Role.MAKER: "mona",
    Role.DISPATCHER: "dan",
    Role.COURIER: "kim",
    Role.REVIEWER: "rose",
    Role.HELPER: "hal",
    Role.ADMIN: "ada",
}
"""Those whose the things are, by role."""

WORDS = {
    (True, True, True): "all",
    (True, True, False): "place",
    (True, False, False): "own",
    (False, False, False): "–",
}
"""What a cell says, by whether the owner, the colleague and the stranger may."""

assert tables  # every table is known


@dataclass(frozen=True)
class Route:
    """A route with what stands in its address."""

    method: str
    rule: str
    address: str
    endpoint: str
    names: frozenset[str]
    policy: Policy

    @property
    def is_private(self) -> bool:
        """Whether its address names something that belongs to somebody."""
        return bool(self.names - FOR_EVERYBODY)

    @property
    def written(self) -> str:
        """As it stands in the documentation."""
        return re.sub(r"<(?:\w+:)?(\w+)>", r"<\1>", self.rule)


@dataclass(frozen=True)
class Answer:
    """What somebody got for a route."""

    status: int
    location: str
    text: str

    @property
    def admits(self) -> bool:
        """Whether the route did, or said how to do, what it is for."""
        assert self.status < 500, f"{self.status} {self.text[:500]}"
        to_sign_in = self.status == 302 and self.location.partition("?")[0] == "/sign-in"
        return self.status not in (403, 404) and not to_sign_in


class Walk:
    """Everybody's answers to every route; each person walks when first asked for."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.things = things_of(house)
        self.private_words = private_words(house.world, self.things)
        self._settle_people()
        self._answers: dict[str, Mapping[Route, Answer]] = {}
        self.content = content(house.database)

    @cached_property
    def routes(self) -> Sequence[Route]:
        """Every route of the application, by its address. A route without a policy is an error here."""
        return sorted(self._routes(), key=lambda route: (route.written, route.method))

    def answers(self, who: str) -> Mapping[Route, Answer]:
        """What `who` got, by route; "visitor" is signed in as nobody."""
        if who not in self._answers:
            browser = self.house.browser() if who == "visitor" else self.house.signed_in(who)
            fields = {} if who == "visitor" else {"csrf_token": token_of(browser)}
            with nothing_kept(self.house.database):
                self._answers[who] = {route: ask(browser, route, **fields) for route in self.routes}
        return self._answers[who]

    def admitted(self, who: str, route: Route) -> bool:
        """Whether `who` may."""
        return self.answers(who)[route].admits

    def cell(self, route: Route, role: Role) -> str:
        """What the documentation says of a role; raises where the answers make no sense together."""
        found = tuple(self.admitted(who, route) for who in people_of(role))
        if found not in WORDS:
            raise AssertionError(
                f"{route.method} {route.written}: {role} {dict(zip(people_of(role), found, strict=True))}"
            )
        return WORDS[found]

    def _routes(self) -> Iterator[Route]:
        app = self.house.app
        addresses = app.url_map.bind("localhost")
        for rule in app.url_map.iter_rules():
            policy = policy_of(app, rule.endpoint)
            assert policy is not None, f"{rule.endpoint} has no policy"
            values = values_for(rule.endpoint, rule.arguments, self.things)
            for method in (rule.methods or set()) & METHODS:
                address = addresses.build(rule.endpoint, values, method=method)
                yield Route(method, rule.rule, address, rule.endpoint, frozenset(rule.arguments), policy)

    def _settle_people(self) -> None:
        house, here = self.house, self.house.world
        house.add_person("Rose", (here.hub, Role.REVIEWER))
        house.add_person("Hal", (here.hub, Role.HELPER))
        house.add_person("Ada", (here.hub, Role.ADMIN))
        with house.database.changing() as session:
            hub = organisation(session, OrganisationKind.HUB, "Elsewhere Hub")
            facility = organisation(session, OrganisationKind.HOSPITAL, "Elsewhere Hospital")
        mine = {role: here.care_home if role is Role.REQUESTER else here.hub for role in Role}
        others = {role: facility if role is Role.REQUESTER else hub for role in Role}
        for role in Role:
            _, colleague, stranger = people_of(role)
            house.add_person(colleague, (mine[role], role))
            house.add_person(stranger, (others[role], role))
            strange = [(others[other], other) for other in Role if other not in (role, Role.ADMIN)]
            house.add_person(many_sided(role), (mine[role], role), *strange)


def people_of(role: Role) -> tuple[str, str, str]:
    """The owner, a colleague, and one with the same role elsewhere."""
    return OWNERS[role], f"{role}-colleague", f"{role}-elsewhere"


def many_sided(role: Role) -> str:
    """Somebody with this role here, and with every other role but the administrator's elsewhere."""
    return f"{role}-and-more"


def ask(browser: Browser, route: Route, **fields: str) -> Answer:
    """Ask for a route as a page of ours would; who signs out, or is given a new name, keeps the old one here."""
    cookie = browser.cookie
    data = fields if route.method != "GET" else None
    response = browser.client.open(
        route.address, method=route.method, data=data, headers=FROM_OUR_OWN_PAGE, buffered=True
    )
    if cookie:
        browser.cookie = cookie
    is_text = (response.mimetype or "").startswith("text/")
    return Answer(response.status_code, response.headers.get("Location", ""), response.text if is_text else "")


def token_of(browser: Browser) -> str:
    """The token that the forms of a session carry."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/").text)
    assert found
    return found[1]


class _Undo(Exception):
    """Ends a transaction that shall not be kept."""


@contextmanager
def nothing_kept(database: Database) -> Iterator[None]:
    """Meanwhile every transaction goes its whole way and is rolled back at its end."""
    kept = database.changing

    @contextmanager
    def changing() -> Iterator[Session]:
        with suppress(_Undo), kept() as session:
            yield session
            session.flush()
            session.expunge_all()  # so that what was changed can be read as after a commit
            raise _Undo

    database.changing = changing  # type: ignore[method-assign]
    try:
        yield
    finally:
        del database.changing


def content(database: Database) -> dict[str, list[Any]]:
    """Every row of every table but the sign-ins."""
    with database.reading() as session:
        return {
            table.name: sorted(map(repr, session.execute(table.select())))
            for table in SQLModel.metadata.sorted_tables
            if table.name != "browser_session"
        }


HEAD = """# Who may do what

Written by `make permissions`, and a test compares it with what the hub really answers. Nothing here is typed by hand:
every route is asked by a visitor, by somebody without a role, and by three people of each role. All else is refused
with the page of an address that does not exist, so that an answer tells nothing about other people's things.

| In a cell | Who of the role may open the page, or press the button |
|---|---|
| own | whoever it belongs to: the printer's owner, the courier who carries the shipment |
| place | whoever has the role in the hub, or in the facility, that it belongs to |
| all | whoever has the role anywhere: the address names nothing of anybody, or it is an administrator who asks |
| – | nobody |
"""


def document(walk: Walk) -> str:
    """The page, as it should be."""
    return "\n".join([HEAD, *_routes_table(walk), "", *_actions_table(), ""])


def _routes_table(walk: Walk) -> Iterator[str]:
    yield "## Routes\n"
    yield "| | Route | Visitors | Signed in | " + " | ".join(role.title() for role in Role) + " |"
    yield "|---|---|---|---|" + "---|" * len(Role)
    for route in walk.routes:
        everybody = ["yes" if walk.admitted(who, route) else "–" for who in ("visitor", "charlie")]
        cells = [*everybody, *(walk.cell(route, role) for role in Role)]
        yield f"| {route.method} | `{route.written}` | {' | '.join(cells)} |"


def _actions_table() -> Iterator[str]:
    yield "## Rows\n"
    yield "Pages show rows through `visible()` and act on them through `find()`; the rules are in each `access.py`.\n"
    yield "| Row | Action | Who |"
    yield "|---|---|---|"
    rows = [(model.__name__, "see", _first_sentence(rule)) for model, rule in visibility_rules().items()]
    rows += [(one.model.__name__, one.name, _first_sentence(one.rule)) for one in actions()]
    for model, name, who in sorted(rows, key=lambda row: (row[0], row[1] != "see")):
        yield f"| {model} | {name} | {who} |"


def _first_sentence(rule: Any) -> str:
    said = " ".join((rule.__doc__ or "").split())
    assert said, f"{rule.__module__}.{rule.__name__} does not say in words whom it lets"
    return said.removesuffix(".")


@contextmanager
def walking(folder: Path) -> Iterator[Walk]:
    """A walk through a house of its own, on SQLite."""
    database = Database(f"sqlite:///{folder / 'walk.sqlite'}")
    SQLModel.metadata.create_all(database.engine)
    try:
        yield Walk(House(World(database, KeyBox(folder / "hub.key")), folder))
    finally:
        database.dispose()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place, walking(Path(place)) as walked:
        DOCUMENT.write_text(document(walked), encoding="utf-8")
        asked = sum(len(answers) for answers in walked._answers.values())
        print(f"{len(walked.routes)} routes, {len(walked._answers)} people, {asked} answers: {DOCUMENT}")
