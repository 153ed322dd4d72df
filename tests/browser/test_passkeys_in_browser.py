"""Passkeys and figures with a real browser and its own authenticator, under the pages' content policy."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import pytest
from browser.conftest import DESK, PHONE, Open, Town
from passlib.totp import TOTP  # type: ignore[import-untyped]
from playwright.sync_api import CDPSession, Page, expect

from makerhub.people.entry_models import Passkey

LOCALHOST = "localhost"


@pytest.fixture
def site(town: Town) -> str:
    """The same pages under a name: a passkey is bound to one, and never to an address of figures."""
    return town.address.replace("127.0.0.1", LOCALHOST)


@contextmanager
def device(page: Page, **changes: Any) -> Iterator[CDPSession]:
    """A device with passkeys whose owner unlocks it, of which the browser knows meanwhile."""
    client = page.context.new_cdp_session(page)
    client.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
        **changes,
    }
    client.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    yield client


def make_passkey(page: Page, site: str) -> None:
    page.goto(f"{site}/account/passkeys")
    page.get_by_label("Name").fill("My phone")
    page.get_by_role("button", name="Make a passkey").click()


@pytest.mark.parametrize("size", [PHONE, DESK])
def test_a_passkey_is_made_and_signs_in_without_anything_else(
    town: Town, site: str, open_page: Open, size: tuple[int, int]
) -> None:
    page = open_page(size)
    with device(page):
        town.sign_in(page, "mona", site)
        make_passkey(page, site)
        expect(page.get_by_text("Your passkey is kept")).to_be_visible()
        expect(page.locator("main")).to_contain_text("My phone")
        page.get_by_role("button", name="Sign out").click()
        page.goto(f"{site}/sign-in/passkey?next=/printers")
        page.get_by_role("button", name="Use my passkey").click()
        page.wait_for_url(f"{site}/printers")
        expect(page.locator("header")).to_contain_text("Mona")
    [passkey] = town.world.all(Passkey)
    assert passkey.sign_count > 0
    assert passkey.used_at is not None


def test_what_was_signed_once_opens_nothing_twice(town: Town, site: str, open_page: Open) -> None:
    page = open_page()
    with device(page):
        town.sign_in(page, "mona", site)
        make_passkey(page, site)
        page.get_by_role("button", name="Sign out").click()
        page.goto(f"{site}/sign-in/passkey")
        with page.expect_request(lambda request: request.method == "POST") as sent:
            page.get_by_role("button", name="Use my passkey").click()
        page.wait_for_url(f"{site}/")
        signed = sent.value.post_data or ""
    [credential] = parse_qs(signed)["credential"]
    thief = town.house.browser()
    answer = thief.post("/sign-in/passkey", {"credential": credential}, form="/sign-in/passkey")
    assert answer.status_code == 400


def test_a_device_that_was_not_unlocked_makes_and_opens_nothing(town: Town, site: str, open_page: Open) -> None:
    page = open_page()
    with device(page, isUserVerified=False):
        town.sign_in(page, "mona", site)
        make_passkey(page, site)
        expect(page.get_by_text("Your device gave no answer")).to_be_visible()
    assert town.world.all(Passkey) == []


def test_a_removed_passkey_opens_nothing(town: Town, site: str, open_page: Open) -> None:
    page = open_page()
    with device(page):
        town.sign_in(page, "mona", site)
        make_passkey(page, site)
        page.get_by_role("button", name="Remove").click()
        expect(page.get_by_text("opens nothing any more")).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        page.goto(f"{site}/sign-in/passkey")
        page.route("**/sign-in/passkey", lambda route: route.fulfill(body="caught"))  # Chromium complains about a 400
        with page.expect_request(lambda request: request.method == "POST") as sent:
            page.get_by_role("button", name="Use my passkey").click()
        [cookie] = page.context.cookies()
    browser, signed = town.house.browser(), parse_qs(sent.value.post_data or "")
    browser.cookie = cookie["value"]
    fields = {name: values[0] for name, values in signed.items()}
    answer = browser.client.post("/sign-in/passkey", data=fields, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 400
    assert "not known here" in answer.text


def test_a_passkey_is_the_proof_before_what_hurts(town: Town, site: str, open_page: Open) -> None:
    page = open_page()
    with device(page):
        town.sign_in(page, "mona", site)
        make_passkey(page, site)
        expect(page.get_by_text("Your passkey is kept")).to_be_visible()
        town.house.time.pass_by(minutes=16)
        page.goto(f"{site}/account/password")
        expect(page.get_by_role("heading", name="Is it still you?")).to_be_visible()
        page.get_by_role("button", name="Use my passkey").click()
        page.wait_for_url(f"{site}/account/password")


def test_without_javascript_the_page_says_that_passkeys_do_not_work(site: str, open_page: Open) -> None:
    page = open_page(javascript=False)
    page.goto(f"{site}/sign-in/passkey")
    expect(page.get_by_text("This browser can not use passkeys.")).to_be_visible()
    expect(page.get_by_role("button", name="Use my passkey")).to_be_hidden()


@pytest.mark.parametrize("size", [PHONE, DESK])
def test_figures_are_set_up_by_the_key_and_asked_for(
    town: Town, site: str, open_page: Open, size: tuple[int, int]
) -> None:
    town.house.time.now = datetime.now(UTC)
    page = open_page(size)
    town.sign_in(page, "mona", site)
    page.goto(f"{site}/account/second-factor")
    page.get_by_role("button", name="Set it up").click()
    expect(page.get_by_role("img", name="A picture that your app reads")).to_have_js_property("complete", True)
    assert page.locator("img.qr").evaluate("image => image.naturalWidth") > 100
    page.get_by_text("without a camera").click()
    app = TOTP(key=page.locator("code.key").inner_text().replace(" ", ""))
    page.get_by_label("Figures of your app").fill(app.generate(town.house.time.now).token)
    page.get_by_role("button", name="Use it from now on").click()
    assert page.locator(".codes li").count() == 10
    code = page.locator(".codes li").first.inner_text()
    page.get_by_role("link", name="I have them").click()
    page.get_by_role("button", name="Sign out").click()
    town.type_password(page, "mona", site)
    page.get_by_label("Figures of your app").fill(code)
    page.locator("main").get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{site}/")
