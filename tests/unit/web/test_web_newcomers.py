"""Somebody new makes an account from a hub's page: by a mail alone, and without telling who is here already."""

import re
from pathlib import Path

import pytest
from builders import NOW, World, later
from sqlmodel import select
from unit.web.houses import House, fill

from makerhub.hubs import service as hubs
from makerhub.notices import service as notices
from makerhub.notices.models import Mail
from makerhub.people import mailed
from makerhub.people.models import JoinRequest, Organisation, Person, SignInRequest


def answer_all(world: World) -> list[str]:
    """Answer who waits; gives the path of each mailed link."""
    with world.database.changing() as session:
        for request in mailed.unanswered(session, NOW):
            mailed.answer(session, request, key_box=world.key_box, pages="https://hub.example", now=NOW)
        links = []
        for mail in session.exec(select(Mail)).all():
            values = notices.values_of(mail, world.key_box)
            links += [str(values["link"]).removeprefix("https://hub.example")] if values else []
        return links


def names(world: World) -> set[str]:
    return {one.name for one in world.all(Person)}


def test_somebody_new_gets_in_by_the_mail_and_joins_the_hub(house: House, world: World) -> None:
    with world.database.changing() as session:
        hubs.profile_for(session, session.get_one(Organisation, world.hub.id), now=NOW)
    place = f"/hubs/{world.hub.id}"
    browser = house.browser()
    assert "Make an account" in browser.get(place).text
    sent = fill(browser, browser.get(f"/sign-in/new?next={place}"), name="Nina", email="nina@example.org")
    assert sent.headers["Location"] == "/sign-in/code"
    assert "on its way" in browser.get("/sign-in/code").text
    assert "Nina" not in names(world)
    (link,) = answer_all(world)
    entered = fill(browser, browser.get(link))
    assert entered.headers["Location"] == place
    assert "Nina" in names(world)
    assert "answer" in browser.get(place).text
    assert browser.post(f"{place}/join", {"role": "maker"}, form=place).status_code == 302
    assert len(world.all(JoinRequest)) == 1
    assert world.all(SignInRequest) == []
    assert house.browser().get(link).status_code == 404


def test_who_is_here_already_gets_the_usual_mail_and_keeps_the_name(house: House, world: World) -> None:
    browser = house.browser()
    fill(browser, browser.get("/sign-in/new"), name="Mallory", email=world.maker.email)
    (link,) = answer_all(world)
    assert [mail.letter for mail in world.all(Mail)] == ["sign_in"]
    fill(browser, browser.get(link))
    assert "Mallory" not in names(world)
    assert "Mona" in browser.get("/account").text


def test_two_mails_make_one_account(house: House, world: World) -> None:
    browsers = (house.browser(), house.browser())
    for browser in browsers:
        fill(browser, browser.get("/sign-in/new"), name="Nina", email="nina@example.org")
    first, second = answer_all(world)
    fill(browsers[0], browsers[0].get(first))
    assert browsers[1].get(second).status_code == 404
    assert [one.name for one in world.all(Person)].count("Nina") == 1


def test_the_mail_says_nothing_that_a_stranger_typed(house: House, world: World) -> None:
    browser = house.browser()
    fill(browser, browser.get("/sign-in/new"), name="Visit evil.example", email="v@example.org")
    answer_all(world)
    with world.database.reading() as session:
        values = notices.values_of(session.exec(select(Mail)).one(), world.key_box)
    assert values is not None
    assert "evil" not in str(values)


def test_what_is_not_used_is_forgotten_and_makes_nobody_known(house: House, world: World) -> None:
    browser = house.browser()
    fill(browser, browser.get("/sign-in/new"), name="Nina", email="nina@example.org")
    (link,) = answer_all(world)
    house.time.now = later(hours=2)
    assert browser.get(link).status_code == 404
    with world.database.changing() as session:
        mailed.forget_expired(session, later(hours=2))
    assert world.all(SignInRequest) == []
    assert "Nina" not in names(world)


@pytest.mark.parametrize(("typed", "problem"), [({"name": " "}, "Enter a name"), ({"email": "nina"}, "like name@")])
def test_what_is_wrong_is_said(house: House, typed: dict[str, str], problem: str) -> None:
    browser = house.browser()
    page = fill(browser, browser.get("/sign-in/new"), **({"name": "Nina", "email": "n@example.org"} | typed))
    assert page.status_code == 400
    assert problem in page.text


def test_an_installation_may_be_by_invitation_only(world: World, tmp_path: Path) -> None:
    house = House(world, tmp_path, open_to_newcomers=False)
    page = house.browser().get("/sign-in/new")
    assert "by invitation" in page.text
    assert not re.search(r'<input[^>]+name="email"', page.text)
    sent = house.browser().post("/sign-in/new", {"name": "N", "email": "n@example.org"}, form="/sign-in")
    assert sent.status_code == 400
    assert world.all(SignInRequest) == []
