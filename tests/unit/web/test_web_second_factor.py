"""Signing in with a second factor: asked for where it is set up, and set up at the sign-in where a role needs it."""

import re
from collections.abc import Callable
from urllib.parse import unquote

import pytest
from passlib.totp import TOTP  # type: ignore[import-untyped]
from unit.web.browsers import PASSWORD, Browser, Site
from unit.web.test_web_by_mail import ask, mail, type_code

from makerhub.config import BadConfiguration
from makerhub.people.models import Person
from makerhub.people.service import disable

SETUP = "/account/second-factor"
ALICE = "alice@example.org"


@pytest.fixture
def site(make_site: Callable[..., Site]) -> Site:
    """A site where Alice, a dispatcher, needs a second factor and Bob, a maker, does not."""
    return make_site(second_factor_roles=("dispatcher",))


def set_up(site: Site, browser: Browser) -> tuple[TOTP, list[str]]:
    """Read the key, type the figures; gives the app and the codes on paper."""
    browser.post(f"{SETUP}/begin", form=SETUP)
    key = re.search(r'<code class="key">([^<]+)</code>', browser.get(SETUP).text)
    assert key
    app = TOTP(key=key[1].replace(" ", ""))
    page = browser.post(f"{SETUP}/finish", {"figures": app.generate(site.time.now).token}, form=SETUP)
    assert page.status_code == 200, page.text
    return app, re.findall(r"<code>([A-Z0-9-]{19})</code>", page.text)


def test_a_dispatcher_sets_it_up_before_anything_else(site: Site) -> None:
    alice = site.signed_in("alice")
    for page in ("/", "/board", "/open", "/mine", "/account/tokens"):
        assert alice.get(page).headers["Location"].startswith(SETUP)
    assert "Your role needs one" in alice.get(SETUP).text
    cookie = alice.cookie
    set_up(site, alice)
    assert alice.cookie != cookie
    assert alice.get("/board").text == "board"
    assert site.signed_in("bob").get("/mine").status_code == 200


def test_the_way_goes_on_to_the_page_that_was_wanted(site: Site) -> None:
    alice = site.signed_in("alice")
    address = alice.get("/board?late=1").headers["Location"]
    assert unquote(address) == f"{SETUP}?next=/board?late=1"
    page = alice.post(f"{SETUP}/begin", {"next": "/board?late=1"}, form=address)
    assert 'name="next" value="/board?late=1"' in alice.get(page.headers["Location"]).text


def test_a_password_alone_then_opens_nothing(site: Site) -> None:
    app, _ = set_up(site, site.signed_in("alice"))
    site.time.pass_by(minutes=1)
    browser = site.browser()
    assert browser.sign_in(ALICE, next_page="/board").headers["Location"] == "/sign-in/second"
    assert browser.get("/board").status_code == 302
    assert browser.get("/account").status_code == 302
    answer = type_figures(browser, app.generate(site.time.now).token)
    assert answer == (302, "/board")
    assert browser.get("/board").text == "board"


def type_figures(browser: Browser, figures: str) -> tuple[int, str]:
    answer = browser.post("/sign-in/second", {"figures": figures}, form="/sign-in/second")
    return answer.status_code, answer.headers.get("Location", "")


def test_nor_does_a_mail_alone(site: Site) -> None:
    app, _ = set_up(site, site.signed_in("alice"))
    site.time.pass_by(minutes=1)
    browser = site.browser()
    ask(browser)
    assert type_code(browser, mail(site)[1]) == (302, "/sign-in/second")
    assert browser.get("/board").status_code == 302
    assert type_figures(browser, app.generate(site.time.now).token)[0] == 302
    assert browser.get("/board").text == "board"


def test_figures_that_were_used_open_nothing_again(site: Site) -> None:
    app, _ = set_up(site, site.signed_in("alice"))
    site.time.pass_by(minutes=1)
    figures = app.generate(site.time.now).token
    for browser, status in ((site.browser(), 302), (site.browser(), 400)):
        browser.sign_in(ALICE)
        assert type_figures(browser, figures)[0] == status


def test_a_code_on_paper_lets_in_once(site: Site) -> None:
    _, codes = set_up(site, site.signed_in("alice"))
    for browser, status in ((site.browser(), 302), (site.browser(), 400)):
        browser.sign_in(ALICE)
        assert type_figures(browser, codes[0])[0] == status


def test_the_half_way_state_ends_after_ten_minutes_and_with_the_account(site: Site) -> None:
    app, codes = set_up(site, site.signed_in("alice"))
    slow, shut_out = site.browser(), site.browser()
    slow.sign_in(ALICE)
    site.time.pass_by(minutes=11)
    assert slow.get("/sign-in/second").headers["Location"] == "/sign-in"
    assert type_figures_at(slow, app.generate(site.time.now).token)[1] == "/sign-in"
    shut_out.sign_in(ALICE)
    with site.database.changing() as session:
        disable(session, session.get_one(Person, site.people["alice"].id), now=site.time.now)
    assert type_figures_at(shut_out, codes[0])[1] == "/sign-in"
    assert shut_out.get("/board").status_code == 302


def type_figures_at(browser: Browser, figures: str) -> tuple[int, str]:
    answer = browser.post("/sign-in/second", {"figures": figures})
    return answer.status_code, answer.headers.get("Location", "")


def test_without_a_first_factor_there_is_nothing_to_answer(site: Site) -> None:
    assert site.browser().get("/sign-in/second").headers["Location"] == "/sign-in"


def test_setting_it_up_ends_sign_ins_that_did_without(site: Site) -> None:
    other, here = site.signed_in("bob"), site.signed_in("bob")
    set_up(site, here)
    assert [browser.get("/mine").status_code for browser in (other, here)] == [302, 200]


def test_somebody_who_need_not_may_use_it_and_remove_it(site: Site) -> None:
    bob = site.signed_in("bob")
    set_up(site, bob)
    assert site.browser().sign_in("bob@example.org").headers["Location"] == "/sign-in/second"
    bob.post(f"{SETUP}/remove", form=SETUP)
    assert site.browser().sign_in("bob@example.org").headers["Location"] == "/"


def test_whose_role_needs_one_sets_another_up_after_removing_it(site: Site) -> None:
    alice = site.signed_in("alice")
    set_up(site, alice)
    alice.post(f"{SETUP}/remove", form=SETUP)
    assert alice.get("/board").headers["Location"].startswith(SETUP)


def test_wrong_figures_are_told(site: Site) -> None:
    alice = site.signed_in("alice")
    alice.post(f"{SETUP}/begin", form=SETUP)
    page = alice.post(f"{SETUP}/finish", {"figures": "12"}, form=SETUP)
    assert (page.status_code, "not the figures of your app" in page.text) == (400, True)
    assert alice.get("/board").status_code == 302


def test_figures_are_the_proof_where_they_are_in_use(site: Site) -> None:
    bob = site.signed_in("bob")
    app, _ = set_up(site, bob)
    site.time.pass_by(minutes=16)
    assert 'name="password"' not in bob.get("/confirm").text
    assert bob.get(SETUP).headers["Location"].startswith("/confirm")
    fields = {"figures": app.generate(site.time.now).token, "next": SETUP}
    assert bob.post("/confirm/figures", fields, form="/confirm").headers["Location"] == SETUP
    assert bob.get(SETUP).status_code == 200


def test_the_picture_needs_nothing_from_elsewhere(site: Site) -> None:
    bob = site.signed_in("bob")
    bob.post(f"{SETUP}/begin", form=SETUP)
    text = bob.get(SETUP).text
    assert 'src="data:image/svg+xml' in text
    assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=", text)


def test_a_role_that_is_none_is_refused_at_the_start(make_site: Callable[..., Site]) -> None:
    with pytest.raises(BadConfiguration):
        make_site(second_factor_roles=("boss",))


def test_a_demonstration_asks_for_none(make_site: Callable[..., Site]) -> None:
    assert make_site(second_factor_roles=()).signed_in("alice").get("/board").text == "board"
    assert PASSWORD
