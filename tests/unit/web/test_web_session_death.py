"""A cookie that was copied while somebody was signed in opens nothing any more, once it should not."""

from collections.abc import Callable

import pytest
from sqlmodel import select
from unit.web.browsers import PASSWORD, Browser, Site
from unit.web.test_web_second_factor import SETUP, set_up

from makerhub.people import second_factor as factors
from makerhub.people import service
from makerhub.people.models import Membership, Organisation, Person, Role
from makerhub.privacy.erasure import erase

Event = Callable[[Site, Browser], object]


def sign_out(_site: Site, alice: Browser) -> None:
    alice.sign_out()


def new_password(_site: Site, alice: Browser) -> None:
    typed = {"password": PASSWORD * 2, "again": PASSWORD * 2}
    assert alice.post("/account/password", typed, form="/account/password").status_code == 302


def second_factor(site: Site, alice: Browser) -> None:
    set_up(site, alice)


def disabled(site: Site, _alice: Browser) -> None:
    with site.database.changing() as session:
        service.disable(session, session.get_one(Person, site.people["alice"].id), now=site.time.now)


def erased(site: Site, _alice: Browser) -> None:
    with site.database.changing() as session:
        erase(session, session.get_one(Person, site.people["alice"].id), by=None, now=site.time.now)


def ended_from_another_device(site: Site, _alice: Browser) -> None:
    site.signed_in("alice").post("/account/sign-ins/end-others", form="/account")


def run_out(site: Site, _alice: Browser) -> None:
    site.time.pass_by(days=15)


@pytest.mark.parametrize(
    "event", [sign_out, new_password, second_factor, disabled, erased, ended_from_another_device, run_out]
)
def test_a_copied_cookie_dies_with(site: Site, event: Event) -> None:
    alice, thief = site.signed_in("alice"), site.browser()
    thief.cookie = alice.cookie or ""
    assert thief.get("/mine").status_code == 200
    event(site, alice)
    assert thief.get("/mine").status_code == 302


def by_the_page(_site: Site, alice: Browser) -> None:
    alice.post(f"{SETUP}/remove", form=SETUP)


def by_the_operator(site: Site, _alice: Browser) -> None:
    with site.database.changing() as session:
        factors.remove(session, session.get_one(Person, site.people["alice"].id), now=site.time.now)


@pytest.mark.parametrize("reset", [by_the_page, by_the_operator])
def test_a_copied_cookie_dies_with_the_second_factor_by_which_it_was_opened(site: Site, reset: Event) -> None:
    alice, thief, other = site.signed_in("alice"), site.browser(), site.browser()
    app, _ = set_up(site, alice)
    site.time.pass_by(minutes=1)
    other.sign_in("alice@example.org")
    other.post("/sign-in/second", {"figures": app.generate(site.time.now).token}, form="/sign-in/second")
    thief.cookie = alice.cookie or ""
    assert [one.get("/mine").status_code for one in (thief, other)] == [200, 200]
    reset(site, alice)
    assert [one.get("/mine").status_code for one in (thief, other)] == [302, 302]
    if reset is by_the_page:
        assert alice.get("/mine").status_code == 200


def test_a_role_that_is_taken_closes_its_pages_to_the_cookie_that_had_it(site: Site) -> None:
    alice = site.signed_in("alice")
    assert alice.get("/board").status_code == 200
    with site.database.changing() as session:
        mine = select(Membership).where(Membership.person_id == site.people["alice"].id)
        service.take_membership(session, session.exec(mine).one(), now=site.time.now)
    assert [alice.get(page).status_code for page in ("/board", "/mine")] == [404, 200]


def test_a_role_that_needs_a_second_factor_wants_one_of_a_sign_in_that_is_older(
    make_site: Callable[..., Site],
) -> None:
    site = make_site(second_factor_roles=("dispatcher",))
    bob = site.signed_in("bob")
    assert bob.get("/mine").status_code == 200
    with site.database.changing() as session:
        person = session.get_one(Person, site.people["bob"].id)
        hub = session.get_one(Organisation, person.roles[0].organisation_id)
        service.add_membership(session, person, hub, Role.DISPATCHER, now=site.time.now)
    assert bob.get("/mine").headers["Location"].startswith(SETUP)
