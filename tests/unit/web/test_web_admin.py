"""The administrator's page: letting people in, and whether the hub is in order."""

import re
from datetime import UTC, datetime

import pytest
from builders import World, at_once
from sqlalchemy import update
from sqlmodel import col
from unit.web.browsers import PASSWORD, Browser
from unit.web.houses import House
from werkzeug.test import TestResponse

from makerhub.people.models import Membership, Organisation, OrganisationKind, Person, Role
from makerhub.stock.models import Entry

FORM = {
    "email": "Dora@Example.org",
    "name": "Dora",
    "password": PASSWORD,
    "organisation": "Kingston Hub",
    "kind": "",
    "role": "courier",
}


@pytest.fixture
def ada(house: House, world: World) -> Browser:
    """The administrator."""
    house.add_person("Ada", (world.hub, Role.ADMIN))
    return house.signed_in("ada")


def let_in(browser: Browser, **changes: str) -> TestResponse:
    return browser.post("/admin/people", {**FORM, **changes}, form="/")


def the(world: World, email: str = "dora@example.org") -> Person:
    return next(person for person in world.all(Person) if person.email == email)


def counts(world: World) -> tuple[int, int, int]:
    return len(world.all(Person)), len(world.all(Organisation)), len(world.all(Membership))


def wrong(page: TestResponse) -> list[str]:
    """The fields that the summary names."""
    return re.findall(r'<a href="#([a-z]+)">', page.text)


def test_the_page_shows_people_and_the_books(ada: Browser) -> None:
    text = ada.get("/admin").text
    assert "books are in order" in text
    assert "mona@example.org" in text
    assert "Kingston Hub" in text


def test_a_breach_of_the_books_is_shown(world: World, ada: Browser) -> None:
    world.lot()
    with world.database.changing() as session:
        session.execute(update(Entry).where(col(Entry.quantity) == 4).values(quantity=5))
    text = ada.get("/admin").text
    assert "does not add up" in text
    assert "books are in order" not in text


def test_somebody_new_can_sign_in_afterwards(house: House, world: World, ada: Browser) -> None:
    assert let_in(ada).headers["Location"] == "/admin"
    assert "Dora can sign in now." in ada.get("/admin").text
    dora = the(world)
    assert [(held.role, held.organisation_id) for held in dora.roles] == [(Role.COURIER, world.hub.id)]
    assert dora.created_at.replace(tzinfo=UTC) == datetime(2020, 3, 25, 9, tzinfo=UTC)
    assert house.browser().sign_in("dora@example.org").status_code == 302


def test_the_form_sent_twice_is_one_person(world: World, ada: Browser) -> None:
    let_in(ada)
    before = counts(world)
    assert let_in(ada).status_code == 302
    assert counts(world) == before


def test_two_forms_at_the_same_moment_are_one_person(house: House, world: World, ada: Browser) -> None:
    other = house.signed_in("ada")
    results = at_once(lambda: let_in(ada).status_code, lambda: let_in(other).status_code)
    assert results == [302, 302]
    assert [person.email for person in world.all(Person)].count("dora@example.org") == 1


def test_somebody_who_is_here_gets_a_further_role_and_keeps_name_and_password(world: World, ada: Browser) -> None:
    assert let_in(ada, email=" MONA@example.org", name="Changed", password="another password").status_code == 302
    mona = the(world, "mona@example.org")
    assert (mona.name, mona.password) == ("Mona", None)
    assert {held.role for held in mona.roles} == {Role.MAKER, Role.COURIER}


def test_a_new_name_makes_a_new_organisation_and_blanks_around_it_do_not(world: World, ada: Browser) -> None:
    before = counts(world)
    assert let_in(ada, organisation="  Kingston Hub ").status_code == 302
    assert counts(world)[1] == before[1]
    assert let_in(ada, organisation=" Elm House ", kind="care_home", role="requester").status_code == 302
    [elm] = [place for place in world.all(Organisation) if place.name == "Elm House" and place.kind == "care_home"][-1:]
    assert elm.kind is OrganisationKind.CARE_HOME


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("email", {"email": ""}),
        ("email", {"email": "not an address"}),
        ("email", {"email": "x" * 300 + "@example.org"}),
        ("name", {"name": ""}),
        ("name", {"name": "n" * 201}),
        ("password", {"password": ""}),
        ("password", {"password": "too short"}),
        ("password", {"password": "p" * 201}),
        ("organisation", {"organisation": ""}),
        ("organisation", {"organisation": "o" * 201, "kind": "hub"}),
        ("kind", {"organisation": "New Place"}),
        ("kind", {"organisation": "New Place", "kind": "pub"}),
        ("role", {"role": ""}),
        ("role", {"role": "king"}),
        ("role", {"role": "requester"}),
        ("role", {"role": "maker", "organisation": "Rosewood"}),
        ("role", {"role": "dispatcher", "organisation": "New Home", "kind": "care_home"}),
    ],
)
def test_each_bad_field_is_named_and_the_others_are_kept(
    world: World, ada: Browser, field: str, changes: dict[str, str]
) -> None:
    before = counts(world)
    refused = let_in(ada, **changes)
    assert refused.status_code == 400
    assert wrong(refused) == [field]
    assert f'id="{field}-error"' in refused.text
    typed = {**FORM, **changes}
    for name in ("email", "name", "organisation"):
        kind = 'type="email"' if name == "email" else 'type="text" dir="auto"'
        assert f'name="{name}" {kind} value="{typed[name]}"' in refused.text
    if typed["role"] in set(Role):
        assert f'<option value="{typed["role"]}" selected>' in refused.text
    assert PASSWORD not in refused.text
    assert counts(world) == before


def test_everything_that_is_wrong_is_said_at_once(ada: Browser) -> None:
    refused = let_in(ada, email="", organisation="", role="")
    assert wrong(refused) == ["email", "organisation", "role"]


def test_an_administrator_may_belong_anywhere(world: World, ada: Browser) -> None:
    assert let_in(ada, role="admin", organisation="Rosewood").status_code == 302
    assert the(world).roles[0].organisation_id == world.care_home.id


@pytest.mark.parametrize("who", ["mona", "dan", "kim", "alice", "charlie"])
def test_nobody_else_lets_people_in(house: House, world: World, who: str) -> None:
    browser = house.signed_in(who)
    before = counts(world)
    assert browser.get("/admin").status_code == 404
    assert let_in(browser, email=f"{who}@example.org", role="admin").status_code == 404
    assert counts(world) == before


def test_names_are_escaped(ada: Browser) -> None:
    let_in(ada, name="<script>alert(1)</script>", organisation="<b>Hub</b>", kind="hub")
    text = ada.get("/admin").text
    assert "<script>alert" not in text
    assert "<b>Hub" not in text
