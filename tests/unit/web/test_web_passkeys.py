"""Passkeys, as far as no device is needed: what is no signature opens nothing. A browser's device: tests/browser."""

import html
import json
import re

import pytest
from sqlmodel import select
from unit.web.browsers import Browser, Site

from makerhub.people.entry_models import Passkey


def options(browser: Browser, address: str) -> dict[str, object]:
    found = re.search(r'data-options="([^"]+)"', browser.get(address).text)
    assert found
    asked: dict[str, object] = json.loads(html.unescape(found[1]))
    return asked


def test_each_page_has_a_challenge_of_its_own_and_names_nobodys_keys(site: Site) -> None:
    first, second = (options(site.browser(), "/sign-in/passkey") for _ in range(2))
    assert first["challenge"] != second["challenge"]
    assert (first["rpId"], first["userVerification"]) == ("localhost", "required")
    assert first.get("allowCredentials", []) == []


@pytest.mark.parametrize(
    "credential",
    [
        "",
        "{}",
        "[]",
        "null",
        "x",
        json.dumps({"id": "AA", "rawId": "AA", "type": "public-key", "response": {}}),
        "9" * 5000,
        json.dumps({"id": "AA", "rawId": "AA", "type": "public-key", "response": {"clientDataJSON": "AA"}}),
        json.dumps({"id": 1, "rawId": [], "type": {}, "response": "x"}),
    ],
)
def test_what_no_device_signed_opens_nothing(site: Site, credential: str) -> None:
    browser = site.browser()
    page = browser.post("/sign-in/passkey", {"credential": credential}, form="/sign-in/passkey")
    assert page.status_code == 400
    assert "not known here" in page.text
    bob = site.signed_in("bob")
    fields = {"credential": credential, "name": "My phone"}
    assert bob.post("/account/passkeys", fields, form="/account/passkeys").status_code == 400
    assert bob.post("/confirm/passkey", {"credential": credential}, form="/account/passkeys").status_code == 400
    with site.database.reading() as session:
        assert session.exec(select(Passkey)).all() == []


def test_a_new_passkey_is_bound_to_its_person_and_wants_an_unlocked_device(site: Site) -> None:
    asked = options(site.signed_in("bob"), "/account/passkeys")
    selection = asked["authenticatorSelection"]
    assert isinstance(selection, dict)
    assert (selection["userVerification"], selection["residentKey"]) == ("required", "required")
