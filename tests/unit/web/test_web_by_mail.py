"""The pages of signing in by mail, of what is mine, and of the proof that it is still me."""

import re
import statistics
import time
from collections.abc import Callable
from http import HTTPStatus

import pytest
from builders import at_once
from flask import Blueprint
from sqlmodel import select
from unit.web.browsers import PASSWORD, Browser, Site

from makerhub.notices.models import Mail
from makerhub.notices.service import values_of
from makerhub.people.models import Person, SignInRequest
from makerhub.people.tasks import answer_sign_in_requests
from makerhub.web.entering import own_page
from makerhub.web.policy import fresh, signed_in

ALICE = "alice@example.org"


@pytest.fixture
def site(make_site: Callable[..., Site]) -> Site:
    """Bob has a page that wants a proof."""
    site = make_site()
    pages = Blueprint("secret", __name__)

    @pages.get("/secret")
    @signed_in
    @fresh
    def secret() -> str:
        return "the address"

    @pages.post("/secret")
    @signed_in
    @fresh
    def change() -> str:
        return "changed"

    site.app.register_blueprint(pages)
    return site


def ask(browser: Browser, email: str = ALICE, next_page: str = "") -> None:
    fields = {"email": email} | ({"next": next_page} if next_page else {})
    response = browser.post("/sign-in", fields, form="/sign-in")
    assert response.headers["Location"] == "/sign-in/code"


def mail(site: Site) -> tuple[str, str]:
    """The path of the link, and the code, of the last mail."""
    hub = site.app.extensions["makerhub"]
    answer_sign_in_requests.function(site.database, hub.key_box, hub.settings, site.time, lambda _: None)
    with site.database.reading() as session:
        values = values_of(session.exec(select(Mail)).all()[-1], hub.key_box)
    assert values is not None
    return str(values["link"]).removeprefix("http://127.0.0.1:8000"), str(values["code"])


def type_code(browser: Browser, code: str) -> tuple[int, str]:
    response = browser.post("/sign-in/code", {"code": code}, form="/sign-in/code")
    return response.status_code, response.headers.get("Location", "")


def test_whoever_types_the_code_is_in_and_where_they_wanted(site: Site) -> None:
    browser = site.browser()
    ask(browser, next_page="/board?late=1")
    assert type_code(browser, mail(site)[1]) == (302, "/board?late=1")
    assert browser.get("/board").text == "board"


def test_opening_the_link_changes_nothing_and_its_button_signs_in_on_any_device(site: Site) -> None:
    scanner, phone = site.browser(), site.browser()
    ask(site.browser(), next_page="/board")
    link, _ = mail(site)
    for _ in range(3):
        assert "Press the button" in scanner.get(link).text
    assert scanner.client.head(link).status_code == 200
    assert scanner.get("/mine").status_code == 302
    assert phone.post(link, form=link).headers["Location"] == "/board"
    assert phone.get("/mine").status_code == 200
    assert "used up" in scanner.get(link).text
    assert scanner.post(link).status_code == 404
    assert scanner.get("/mine").status_code == 302


def test_sixteen_presses_at_once_are_one_sign_in(site: Site) -> None:
    ask(site.browser())
    link, _ = mail(site)
    browsers = [site.browser() for _ in range(16)]
    tokens = [re.search(r'name="csrf_token" value="([^"]+)"', browser.get(link).text) for browser in browsers]

    def press(browser: Browser, token: re.Match[str] | None) -> int:
        assert token
        headers = {"Sec-Fetch-Site": "same-origin"}
        return browser.client.post(link, data={"csrf_token": token[1]}, headers=headers).status_code

    pressed = [lambda b=browser, t=token: press(b, t) for browser, token in zip(browsers, tokens, strict=True)]
    assert sorted(map(str, at_once(*pressed))) == ["302"] + ["404"] * 15
    assert sum(browser.get("/mine").status_code == 200 for browser in browsers) == 1


def test_a_link_takes_a_form_of_ours(site: Site) -> None:
    ask(site.browser())
    link, _ = mail(site)
    assert site.browser().client.post(link).status_code == 400


def test_the_code_is_of_no_use_in_another_browser(site: Site) -> None:
    mine, thief = site.browser(), site.browser()
    ask(mine)
    _, code = mail(site)
    assert "We mail you a link" in thief.get("/sign-in/code").text
    ask(thief, "nobody@example.org")
    assert type_code(thief, code)[0] == 400


def test_a_wrong_code_is_told_and_five_of_them_end_it(site: Site) -> None:
    browser = site.browser()
    ask(browser)
    _, code = mail(site)
    for _ in range(4):
        page = browser.post("/sign-in/code", {"code": "x"}, form="/sign-in/code")
        assert "This is not the code" in page.text
    assert "Ask for a new one" in browser.post("/sign-in/code", {"code": "x"}, form="/sign-in/code").text
    assert type_code(browser, code)[0] == 400


def test_the_answer_is_the_same_whether_somebody_has_the_address_or_not(site: Site) -> None:
    pages = set()
    for email in (ALICE, "nobody@example.org"):
        browser = site.browser()
        ask(browser, email)
        wrong = browser.post("/sign-in/code", {"code": "1"}, form="/sign-in/code")
        for page in (browser.get("/sign-in/code"), wrong):
            text = re.sub(r'name="csrf_token" value="[^"]+"', "", page.text.replace(email, "EMAIL"))
            pages.add((page.status_code, text.split("<main")[1]))
    assert len(pages) == 2


def test_it_takes_as_long_whether_somebody_has_the_address_or_not(site: Site) -> None:
    """The work is the same by construction: one row for either; a mail is written later, by nobody who waits."""

    def seconds(name: str) -> float:
        times = []
        for number in range(5):
            browser = site.browser()
            browser.get("/sign-in")
            start = time.perf_counter()
            ask(browser, f"{name}{number}@example.org" if name == "nobody" else ALICE)
            times.append(time.perf_counter() - start)
        return statistics.median(times)

    known, unknown = seconds("alice"), seconds("nobody")
    assert 0.5 < unknown / known < 2
    with site.database.reading() as session:
        assert session.exec(select(Mail)).all() == []


def test_what_is_no_address_is_told(site: Site) -> None:
    page = site.browser().post("/sign-in", {"email": "alice"}, form="/sign-in")
    assert page.status_code == 400
    assert "Enter an e-mail address" in page.text


def test_one_address_asks_for_so_many_mails_and_no_more(site: Site) -> None:
    browser = site.browser()
    statuses = [
        browser.post("/sign-in", {"email": f"{number}@example.org"}, form="/sign-in").status_code
        for number in range(41)
    ]
    assert statuses == [302] * 40 + [HTTPStatus.TOO_MANY_REQUESTS]


@pytest.mark.parametrize("wanted", ["https://evil.example", "//evil.example", "/\\evil.example", "\t//e", "/a\nb", ""])
def test_nobody_is_sent_to_another_site(site: Site, wanted: str) -> None:
    with site.app.test_request_context():
        assert own_page(wanted) == "/"


# What is mine


def test_sign_ins_are_listed_with_their_device_and_this_one_is_marked(site: Site) -> None:
    phone = site.signed_in("alice")
    phone.get("/account", headers={"User-Agent": "Mozilla/5.0 (Android 14; Mobile) Gecko/130.0 Firefox/130.0"})
    site.signed_in("bob")
    site.time.pass_by(minutes=11)
    phone.get("/mine", headers={"User-Agent": "Mozilla/5.0 (Android 14; Mobile) Gecko/130.0 Firefox/130.0"})
    text = site.signed_in("alice").get("/account").text
    assert text.count("Last seen") == 2
    assert text.count("This one") == 1
    assert "Firefox on Android" in text
    assert "127.0.0.1" in text


def key_of(site: Site, name: str) -> str:
    return next(str(row.key) for row in site.rows() if row.person_id == site.people[name].id)


def test_a_sign_in_is_ended_from_another_device(site: Site) -> None:
    lost = site.signed_in("alice")
    key = key_of(site, "alice")
    here = site.signed_in("alice")
    assert here.post(f"/account/sign-ins/{key}/end").status_code == 302
    assert [browser.get("/mine").status_code for browser in (lost, here)] == [302, 200]


def test_nobody_ends_the_sign_in_of_somebody_else(site: Site) -> None:
    alice = site.signed_in("alice")
    site.signed_in("bob").post(f"/account/sign-ins/{key_of(site, 'alice')}/end")
    assert alice.get("/mine").status_code == 200


def test_all_others_are_ended_at_once(site: Site) -> None:
    others, bob, here = [site.signed_in("alice") for _ in range(2)], site.signed_in("bob"), site.signed_in("alice")
    here.post("/account/sign-ins/end-others")
    assert [browser.get("/mine").status_code for browser in (*others, bob, here)] == [302, 302, 200, 200]


def test_a_new_password_is_set_after_a_proof_and_ends_the_other_sign_ins(site: Site) -> None:
    here, copy, elsewhere = site.signed_in("alice"), site.browser(), site.signed_in("alice")
    copy.cookie = here.cookie or ""
    new = "staple horse battery"
    assert here.post("/account/password", {"password": new, "again": new}, form="/account/password").status_code == 302
    assert [browser.get("/mine").status_code for browser in (here, copy, elsewhere)] == [200, 302, 302]
    assert site.browser().sign_in(ALICE, new).status_code == 302
    assert site.browser().sign_in(ALICE, PASSWORD).status_code == 200


@pytest.mark.parametrize(
    ("password", "again", "problem"), [("short", "short", "12"), ("x" * 20, "y" * 20, "not the same")]
)
def test_a_password_that_will_not_do_is_told(site: Site, password: str, again: str, problem: str) -> None:
    fields = {"password": password, "again": again}
    page = site.signed_in("alice").post("/account/password", fields, form="/account/password")
    assert page.status_code == 400
    assert problem in page.text


def test_somebody_without_a_password_sets_one_after_signing_in_by_mail(site: Site) -> None:
    with site.database.changing() as session:
        session.get_one(Person, site.people["charlie"].id).password = None
    browser = site.browser()
    ask(browser, "charlie@example.org", next_page="/account/password")
    assert type_code(browser, mail(site)[1]) == (302, "/account/password")
    assert "Set a password" in browser.get("/account/password").text


# The proof


def test_a_page_that_hurts_asks_for_a_proof_after_a_quarter_of_an_hour(site: Site) -> None:
    bob = site.signed_in("bob")
    assert bob.get("/secret").text == "the address"
    site.time.pass_by(minutes=15)
    assert bob.get("/secret?of=3").headers["Location"] == "/confirm?next=/secret?of%3D3"
    page = bob.post("/confirm", {"password": "wrong", "next": "/secret?of=3"}, form="/confirm")
    assert (page.status_code, "not your password" in page.text) == (400, True)
    assert bob.get("/secret").status_code == 302
    answer = bob.post("/confirm", {"password": PASSWORD, "next": "/secret?of=3"}, form="/confirm")
    assert answer.headers["Location"] == "/secret?of=3"
    assert bob.get("/secret").text == "the address"


def test_a_stale_form_leads_back_to_where_it_stood(site: Site) -> None:
    bob = site.signed_in("bob")
    site.time.pass_by(minutes=15)
    answer = bob.post("/secret", headers={"Referer": "http://localhost/secret?x=1"})
    assert answer.headers["Location"] == "/confirm?next=/secret"
    assert bob.post("/secret", headers={"Referer": "https://evil.example/x"}).headers["Location"] == "/confirm"


def test_the_proof_is_of_this_browser_only(site: Site) -> None:
    one, other = site.signed_in("bob"), site.signed_in("bob")
    site.time.pass_by(minutes=15)
    one.post("/confirm", {"password": PASSWORD}, form="/confirm")
    assert (one.get("/secret").status_code, other.get("/secret").status_code) == (200, 302)


def test_a_code_by_mail_is_a_proof_too(site: Site) -> None:
    bob = site.signed_in("bob")
    site.time.pass_by(minutes=15)
    assert bob.post("/confirm/mail", {"next": "/secret"}, form="/confirm").headers["Location"] == "/sign-in/code"
    cookie = bob.cookie
    assert type_code(bob, mail(site)[1]) == (302, "/secret")
    assert bob.get("/secret").text == "the address"
    assert bob.cookie == cookie


def test_wrong_proofs_are_bounded(site: Site) -> None:
    bob = site.signed_in("bob")
    site.time.pass_by(minutes=15)
    statuses = [bob.post("/confirm", {"password": "no"}, form="/confirm").status_code for _ in range(11)]
    assert statuses == [400] * 10 + [HTTPStatus.TOO_MANY_REQUESTS]


def test_requests_for_mails_hold_no_more_than_they_need(site: Site) -> None:
    ask(site.browser())
    with site.database.reading() as session:
        [row] = session.exec(select(SignInRequest)).all()
    assert (row.person_id, row.link_sha256, row.sealed_code) == (None, None, b"")
