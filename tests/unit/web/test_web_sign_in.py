"""Signing in and out: what each measured weakness of sessions and sign-in pages would look like, and does not."""

import hashlib
import statistics
import time
from collections.abc import Callable

import pytest
from flask import session
from unit.web.browsers import PASSWORD, Site

from makerhub.people import service
from makerhub.people.models import BrowserSession, Person
from makerhub.people.tries import PASSWORD as PASSWORD_DOOR

TRIES = PASSWORD_DOOR.windows[0].most


def test_a_visitor_gets_no_row_and_no_cookie(site: Site) -> None:
    browser = site.browser()
    for page in ("/", "/open", "/static/makerhub.css", "/nothing-here", "/board"):
        assert "Set-Cookie" not in browser.get(page).headers
    assert site.rows() == []


def test_signing_in_opens_the_pages_of_ones_roles(site: Site) -> None:
    alice = site.signed_in("alice")
    assert alice.get("/board").text == "board"
    assert "Alice" in alice.get("/").text


def test_the_address_may_be_typed_in_any_case(site: Site) -> None:
    assert site.browser().sign_in("ALICE@Example.org").status_code == 302


def test_the_cookie_is_for_this_site_over_https_and_for_no_script(site: Site) -> None:
    response = site.browser().sign_in("alice@example.org")
    attributes = {part.strip() for part in response.headers["Set-Cookie"].split(";")}
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/", f"Max-Age={14 * 24 * 3600}"} <= attributes


def test_a_hub_without_https_can_leave_secure_out(make_site: Callable[..., Site]) -> None:
    response = make_site(secure_cookies=False).browser().sign_in("alice@example.org")
    assert "Secure" not in response.headers["Set-Cookie"]


def test_the_database_does_not_hold_the_cookie(site: Site) -> None:
    alice = site.signed_in("alice")
    [row] = site.rows()
    assert row.id == hashlib.sha256((alice.cookie or "").encode()).hexdigest()
    assert row.person_id == site.people["alice"].id
    assert (alice.cookie or "") not in row.content


def test_signing_in_gives_the_session_a_new_name(site: Site) -> None:
    browser = site.browser()
    browser.get("/sign-in/password")
    planted = browser.cookie
    browser.sign_in("alice@example.org")
    assert browser.cookie != planted
    thief = site.browser()
    thief.cookie = planted or ""
    assert thief.get("/board").status_code == 302
    assert len(site.rows()) == 1


def test_a_cookie_copied_before_the_sign_out_is_dead_after_it(site: Site) -> None:
    alice, thief = site.signed_in("alice"), site.browser()
    thief.cookie = alice.cookie or ""
    assert thief.get("/board").status_code == 200
    assert alice.sign_out().status_code == 302
    assert thief.get("/board").status_code == 302
    assert alice.cookie is None
    assert site.rows() == []


def test_a_slow_request_does_not_revive_what_was_ended_meanwhile(site: Site) -> None:
    alice = site.signed_in("alice")
    with site.app.test_request_context("/do", headers={"Cookie": f"makerhub={alice.cookie}"}):
        session["slow"] = True
        alice.sign_out()
        response = site.app.process_response(site.app.make_response("late"))
    assert site.rows() == []
    assert "Set-Cookie" not in response.headers


def test_a_request_of_the_old_session_leaves_the_new_one_alone(site: Site) -> None:
    browser = site.browser()
    browser.get("/sign-in/password")
    with site.app.test_request_context("/do", headers={"Cookie": f"makerhub={browser.cookie}"}):
        session["slow"] = True
        browser.sign_in("alice@example.org")
        site.app.process_response(site.app.make_response("late"))
    assert len(site.rows()) == 1
    assert browser.get("/board").status_code == 200


@pytest.mark.parametrize("end", ["password", "disabled"])
def test_a_new_password_and_disabling_end_every_sign_in(site: Site, end: str) -> None:
    phone, ward, bob = site.signed_in("alice"), site.signed_in("alice"), site.signed_in("bob")
    with site.database.changing() as database:
        alice = database.get_one(Person, site.people["alice"].id)
        if end == "disabled":
            service.disable(database, alice, now=site.time.now)
        else:
            service.set_password(database, alice, PASSWORD * 2, now=site.time.now)
    assert [browser.get("/mine").status_code for browser in (phone, ward, bob)] == [302, 302, 200]


def test_a_row_written_after_the_password_changed_opens_nothing(site: Site) -> None:
    alice = site.signed_in("alice")
    [row] = site.rows()
    with site.database.changing() as database:
        service.set_password(database, database.get_one(Person, site.people["alice"].id), PASSWORD, now=site.time.now)
        database.add(BrowserSession.model_validate(row.model_dump()))
    assert alice.get("/mine").status_code == 302


def test_a_sign_in_ends_when_it_is_not_used_and_lasts_while_it_is(site: Site) -> None:
    used, unused = site.signed_in("alice"), site.signed_in("alice")
    for _ in range(3):
        site.time.pass_by(days=7)
        assert used.get("/mine").status_code == 200
    assert unused.get("/mine").status_code == 302


def test_looking_around_does_not_write_at_each_request(site: Site) -> None:
    alice = site.signed_in("alice")
    alice.get("/board")
    [before] = site.rows()
    site.time.pass_by(minutes=9)
    alice.get("/board")
    assert site.rows() == [before]


def test_the_same_answer_whatever_was_wrong(site: Site) -> None:
    with site.database.changing() as database:
        service.disable(database, database.get_one(Person, site.people["charlie"].id), now=site.time.now)
        service.create_person(database, email="dora@example.org", name="Dora", now=site.time.now)
    answers = {
        (response.status_code, response.text.replace(email, "EMAIL").split("<main")[1].split("csrf_token")[0])
        for email, password in (
            ("alice@example.org", "wrong password"),
            ("nobody@example.org", PASSWORD),
            ("charlie@example.org", PASSWORD),
            ("dora@example.org", PASSWORD),
            ("not an address", PASSWORD),
        )
        for response in [site.browser().sign_in(email, password)]
    }
    [(status, text)] = answers
    assert status == 200
    assert "The e-mail address or the password is wrong." in text


def test_an_unknown_address_takes_as_long_as_a_known_one(site: Site) -> None:
    def seconds(email: str) -> float:
        browser, times = site.browser(), []
        for _ in range(5):
            start = time.perf_counter()
            browser.sign_in(email, "wrong password")
            times.append(time.perf_counter() - start)
        return statistics.median(times)

    known, unknown = seconds("alice@example.org"), seconds("nobody@example.org")
    assert 0.5 < unknown / known < 2


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example",
        "\\\\evil.example",
        "/\\evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        "http://localhost@evil.example/",
        "http://localhost.evil.example/",
        " //evil.example",
        "\t//evil.example",
    ],
)
def test_nobody_is_sent_to_another_site_after_signing_in(site: Site, target: str) -> None:
    for response in (
        site.browser().sign_in("alice@example.org", next_page=target),
        site.browser().post(
            "/sign-in/password",
            {"email": "alice@example.org", "password": PASSWORD},
            form="/sign-in/password",
            query_string={"next": target},
        ),
    ):
        assert response.status_code == 302
        assert goes_to(response.headers["Location"]) == "localhost"


def goes_to(location: str) -> str:
    """The host to which a browser would go: it drops control characters and takes backslashes for slashes."""
    seen = "".join(letter for letter in location if letter > " ").replace("\\", "/")
    if seen.startswith("//"):
        return seen.lstrip("/").split("/")[0]
    return seen.split("/")[2] if "://" in seen.split("?")[0] else "localhost"


def test_a_visitor_comes_back_to_the_page_that_was_asked_for(site: Site) -> None:
    browser = site.browser()
    asked = browser.get("/board?late=1")
    assert asked.status_code == 302
    page = browser.get(asked.headers["Location"])
    assert 'name="next" value="/board?late=1"' in page.text
    assert browser.sign_in("alice@example.org", next_page="/board?late=1").headers["Location"] == "/board?late=1"


def test_a_live_part_of_the_page_asks_for_the_sign_in_in_the_whole_window(site: Site) -> None:
    response = site.browser().get("/board", headers={"HX-Request": "true"})
    assert (response.status_code, response.headers["HX-Redirect"]) == (204, "/sign-in")


def test_wrong_passwords_are_bounded_for_each_account(site: Site) -> None:
    browser = site.browser()
    for _ in range(TRIES):
        assert browser.sign_in("alice@example.org", "wrong password").status_code == 200
    refused = browser.sign_in("Alice@example.org")
    assert refused.status_code == 429
    assert "Too many tries" in refused.text
    assert browser.sign_in("bob@example.org").status_code == 302


def test_right_passwords_are_not_counted(site: Site) -> None:
    for _ in range(TRIES + 1):
        assert site.browser().sign_in("alice@example.org").status_code == 302


def test_the_librarys_tokens_open_nothing(site: Site) -> None:
    with site.app.test_request_context():
        token = site.people["alice"].get_auth_token()
    browser = site.browser()
    assert browser.get("/board", query_string={"auth_token": token}).status_code == 302
    assert browser.get("/board", headers={"Authentication-Token": str(token)}).status_code == 302


def test_json_is_answered_with_pages(site: Site) -> None:
    response = site.signed_in("alice").get("/sign-in/password", headers={"Accept": "application/json"})
    assert response.status_code == 302
    assert not response.is_json


def test_no_transaction_outlives_its_request(site: Site) -> None:
    site.signed_in("alice").get("/board")
    with site.database.engine.connect() as connection:
        assert not connection.in_transaction()
    assert site.database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
