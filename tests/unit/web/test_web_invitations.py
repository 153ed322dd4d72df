"""The pages of inviting and of joining."""

import pytest
from builders import World
from unit.web.browsers import Browser
from unit.web.houses import House

from makerhub.notices.models import Mail
from makerhub.notices.service import values_of
from makerhub.people.entry_models import Invitation
from makerhub.people.models import Person, Role


@pytest.fixture
def dan(house: House) -> Browser:
    """The dispatcher."""
    return house.signed_in("dan")


def invite(house: House, browser: Browser, **changes: str) -> int:
    form = {"email": "nina@example.org", "role": "maker", "organisation": str(house.world.hub.id), **changes}
    return browser.post("/invitations", form, form="/invitations").status_code


def link(house: House) -> str:
    [mail] = house.world.all(Mail)
    return str((values_of(mail, house.world.key_box) or {})["link"]).removeprefix("http://127.0.0.1:8000")


def test_an_invitation_goes_out_by_mail_and_is_listed(house: House, dan: Browser) -> None:
    assert invite(house, dan) == 302
    assert house.nudged == ["send_mails"]
    text = dan.get("/invitations").text
    assert "nina@example.org" in text
    assert link(house) not in text


def test_opening_the_link_shows_what_one_joins_and_changes_nothing(house: House, dan: Browser) -> None:
    invite(house, dan)
    before = len(house.world.all(Person))
    text = house.browser().get(link(house)).text
    for word in ("Join Kingston Hub", "Dan invites you", "Maker", "nina@example.org"):
        assert word in text
    assert len(house.world.all(Person)) == before


def test_whoever_joins_is_signed_in(house: House, dan: Browser) -> None:
    invite(house, dan)
    nina, address = house.browser(), link(house)
    assert nina.post(address, {"name": ""}, form=address).status_code == 400
    assert nina.post(address, {"name": "Nina"}, form=address).headers["Location"] == "/"
    assert nina.get("/printers").status_code == 200
    assert "is over" in house.browser().get(address).text
    assert "Joined" in dan.get("/invitations").text


def test_an_invitation_is_taken_back(house: House, dan: Browser) -> None:
    invite(house, dan)
    [row] = house.world.all(Invitation)
    dan.post(f"/invitations/{row.id}/revoke", form="/invitations")
    assert house.browser().get(link(house)).status_code == 404


def test_only_what_one_may_give_is_offered_and_taken(house: House, dan: Browser, world: World) -> None:
    elsewhere = house.add_hub("Elsewhere Hub")
    text = dan.get("/invitations").text
    assert "Rosewood" in text
    assert "Elsewhere Hub" not in text
    assert 'value="admin"' not in text
    assert invite(house, dan, organisation=str(elsewhere.id)) == 400
    assert invite(house, dan, role="admin") == 400
    assert invite(house, dan, role="requester") == 400
    assert invite(house, dan, role="requester", organisation=str(world.care_home.id)) == 302


def test_another_hub_does_not_see_or_take_back_what_was_sent(house: House, dan: Browser) -> None:
    house.add_person("Dora", (house.add_hub("Elsewhere Hub"), Role.DISPATCHER))
    invite(house, dan)
    [row] = house.world.all(Invitation)
    dora = house.signed_in("dora")
    assert "nina@example.org" not in dora.get("/invitations").text
    assert dora.post(f"/invitations/{row.id}/revoke", form="/invitations").status_code == 404
