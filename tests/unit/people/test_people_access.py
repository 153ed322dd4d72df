"""Who sees which rows: nothing without a rule, and what is not yours does not exist."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlmodel import SQLModel

from makerhub.db import Database, Session
from makerhub.demand import access as demand_access
from makerhub.demand.models import SupplyRequest
from makerhub.errors import NotFound
from makerhub.people import access, service
from makerhub.people.models import BrowserSession, Membership, Organisation, OrganisationKind, Person, Role

assert demand_access  # it registers its rules when it is imported

NOW = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)


@dataclass
class World:
    session: Session
    north: Organisation
    home: Organisation
    people: dict[str, Person]

    def sees(self, who: str, model: type[SQLModel]) -> set[object]:
        rows = self.session.exec(access.visible(self.people[who], model))
        return {getattr(row, "email", None) or row.name for row in rows}  # type: ignore[attr-defined]


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    with database.changing() as session:
        north = service.create_organisation(session, kind=OrganisationKind.HUB, name="North", time_zone="UTC")
        home = service.create_organisation(session, kind=OrganisationKind.CARE_HOME, name="Home", time_zone="UTC")
        people = {}
        for who, organisation, role in (
            ("alice", home, Role.REQUESTER),
            ("bob", north, Role.DISPATCHER),
            ("root", north, Role.ADMIN),
            ("charlie", None, None),
        ):
            people[who] = service.create_person(session, email=f"{who}@example.org", name=who, now=NOW)
            if organisation and role:
                service.add_membership(session, people[who], organisation, role, now=NOW)
        yield World(session, north, home, people)


@pytest.mark.parametrize(
    ("who", "organisations", "memberships"),
    [
        ("alice", {"Home"}, {"requester"}),
        ("bob", {"North", "Home"}, {"dispatcher", "admin"}),
        ("root", {"North", "Home"}, {"requester", "dispatcher", "admin"}),
        ("charlie", set(), set()),
    ],
)
def test_everybody_sees_what_is_theirs(world: World, who: str, organisations: set[str], memberships: set[str]) -> None:
    assert world.sees(who, Organisation) == organisations
    assert world.sees(who, Membership) == memberships


def test_people_see_themselves_and_an_administrator_everybody(world: World) -> None:
    assert world.sees("bob", Person) == {"bob@example.org"}
    assert len(world.sees("root", Person)) == 4


def test_what_is_not_yours_can_not_be_told_from_what_is_not_there(world: World) -> None:
    alice = world.people["alice"]
    assert access.find(world.session, alice, Organisation, world.home.id) is world.home
    for key in (world.north.id, uuid4()):
        with pytest.raises(NotFound):
            access.find(world.session, alice, Organisation, key)


def test_a_model_without_a_rule_shows_nothing(world: World) -> None:
    root = world.people["root"]
    world.session.add(BrowserSession(id="x", person_id=root.id, created_at=NOW, seen_at=NOW, expires_at=NOW))
    world.session.flush()
    assert list(world.session.exec(access.visible(root, BrowserSession))) == []


def test_a_disabled_person_sees_nothing(world: World) -> None:
    service.disable(world.session, world.people["root"], now=NOW)
    assert world.sees("root", Organisation) == set()


def test_a_model_has_one_rule() -> None:
    with pytest.raises(ValueError, match="Person has a rule already"):
        access.visibility(Person)(lambda _: access.everything())


def test_organisations_are_those_of_the_roles_that_are_asked_for(world: World) -> None:
    alice = world.people["alice"]
    assert access.organisation_ids(alice) == {world.home.id}
    assert access.organisation_ids(alice, Role.REQUESTER, Role.MAKER) == {world.home.id}
    assert access.organisation_ids(alice, Role.DISPATCHER) == frozenset()
    assert access.has_role(alice, Role.REQUESTER)
    assert not access.has_role(alice, Role.MAKER)


def test_an_action_is_allowed_with_what_one_sees_and_its_rule_admits(world: World) -> None:
    rename = access.Action(Organisation, "rename", lambda _: access.everything())
    close = access.Action(Organisation, "close", lambda _: access.nothing())
    alice, bob = world.people["alice"], world.people["bob"]
    assert access.find(world.session, alice, rename, world.home.id) is world.home
    assert access.can(world.session, alice, rename, world.home)
    assert not access.can(world.session, alice, rename, world.north)  # she does not see it
    assert access.can(world.session, bob, rename, world.north)
    assert not access.can(world.session, bob, close, world.north)
    with pytest.raises(NotFound):
        access.find(world.session, bob, close, world.north.id)
    service.disable(world.session, bob, now=NOW)
    assert not access.can(world.session, bob, rename, world.north)


def test_an_action_has_one_rule() -> None:
    with pytest.raises(ValueError, match="accept SupplyRequest has a rule already"):
        access.action(SupplyRequest, "accept", lambda _: access.everything())
