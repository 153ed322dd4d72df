"""What programs may ask: with a token alone, for what it was made for, as its owner and nobody else."""

import re

import pytest
from builders import World
from unit.web.browsers import Browser
from unit.web.houses import House
from werkzeug.test import TestResponse

from makerhub.people.entry_models import ApiToken
from makerhub.people.models import Person
from makerhub.people.service import disable

PAGE = "/account/tokens"


def make(browser: Browser, *scopes: str) -> str:
    """A new token, as the page shows it once."""
    page = browser.post(PAGE, {"name": "Stock list", "scopes": scopes[0] if scopes else ""}, form=PAGE)
    shown = re.search(r"mhp_[\w-]{43}", page.text)
    assert shown, page.text
    return shown[0]


def ask(house: House, address: str, token: str = "", browser: Browser | None = None) -> TestResponse:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return (browser or house.browser()).get(f"/api/v1/{address}", headers=headers)


def test_a_token_tells_whose_it_is(house: House) -> None:
    answer = ask(house, "me", make(house.signed_in("mona"), "profile"))
    assert answer.json is not None
    assert (answer.json["name"], answer.json["roles"][0]["role"]) == ("Mona", "maker")
    assert "Set-Cookie" not in answer.headers


def test_it_shows_the_requests_that_its_owner_sees(house: House, world: World) -> None:
    request = world.request(12)
    mine = ask(house, "requests", make(house.signed_in("ruth"), "requests")).json
    others = ask(house, "requests", make(house.signed_in("bob"), "requests")).json
    assert mine is not None
    assert others is not None
    [found] = mine["requests"]
    assert (found["id"], found["facility"], found["lines"][0]["quantity"]) == (str(request.id), "Rosewood", 12)
    assert (others["requests"], others["next"]) == ([], None)


@pytest.mark.parametrize("token", ["", "mhp_made-up", "x" * 500])
def test_without_a_token_nothing_is_answered(house: House, token: str) -> None:
    answer = ask(house, "me", token)
    assert (answer.status_code, "Bearer" in answer.headers["WWW-Authenticate"]) == (401, True)


def test_a_cookie_is_not_looked_at_and_a_token_beside_it_is_its_owner(house: House) -> None:
    ruth = house.signed_in("ruth")
    assert ask(house, "me", browser=ruth).status_code == 401
    answer = ask(house, "me", make(house.signed_in("mona"), "profile"), browser=ruth).json
    assert answer is not None
    assert answer["name"] == "Mona"


def test_a_token_opens_no_page_and_is_taken_from_the_header_alone(house: House) -> None:
    token = make(house.signed_in("mona"), "profile")
    assert house.browser().get("/printers", headers={"Authorization": f"Bearer {token}"}).status_code == 302
    assert house.browser().get(f"/api/v1/me?auth_token={token}&token={token}").status_code == 401


def test_a_token_is_for_what_it_was_made_for(house: House) -> None:
    assert ask(house, "requests", make(house.signed_in("ruth"), "profile")).status_code == 403


def test_it_is_dead_once_taken_back_run_out_or_its_owner_shut_out(house: House) -> None:
    ruth, mona = house.signed_in("ruth"), house.signed_in("mona")
    taken_back, of_mona = make(ruth, "profile"), make(mona, "profile")
    row = next(row for row in house.world.all(ApiToken) if row.prefix == taken_back[:10])
    mona.post(f"{PAGE}/{row.id}/revoke", form=PAGE)  # somebody else's: nothing happens
    assert ask(house, "me", taken_back).status_code == 200
    ruth.post(f"{PAGE}/{row.id}/revoke", form=PAGE)
    assert ask(house, "me", taken_back).status_code == 401
    assert ask(house, "me", of_mona).status_code == 200
    with house.database.changing() as session:
        disable(session, session.get_one(Person, house.people["mona"].id), now=house.time.now)
    assert ask(house, "me", of_mona).status_code == 401
    lasting = make(house.signed_in("kim"), "profile")
    house.time.pass_by(days=365)
    assert ask(house, "me", lasting).status_code == 401


def test_its_text_is_shown_once_and_not_kept(house: House) -> None:
    ruth = house.signed_in("ruth")
    token = make(ruth, "profile")
    assert token not in ruth.get(PAGE).text
    assert token not in repr(house.world.all(ApiToken))
    assert "Not used yet" in ruth.get(PAGE).text
    ask(house, "me", token)
    assert "Last used" in ruth.get(PAGE).text


def test_a_token_wants_a_name_a_purpose_and_a_fresh_proof(house: House) -> None:
    ruth = house.signed_in("ruth")
    for fields in ({"name": "", "scopes": "profile"}, {"name": "x"}, {"name": "x", "scopes": "everything"}):
        assert ruth.post(PAGE, fields, form=PAGE).status_code == 400
    house.time.pass_by(minutes=16)
    assert ruth.get(PAGE).headers["Location"].startswith("/confirm")
