"""A dispatcher's own hub: described, seen as visitors see it, put to sleep, woken and closed."""

import pytest
from builders import NOW, World
from unit.web.houses import House

from makerhub.audit.models import Deed
from makerhub.demand.models import RequestState, SupplyRequest
from makerhub.hubs import service as hubs
from makerhub.hubs.models import HubProfile, HubState
from makerhub.notices.models import Mail
from makerhub.people.models import Organisation, Role

SAID = {
    "name": "Kingston Hub",
    "area": "Kingston",
    "languages": "English, Polski",
    "about": "We make shields.",
    "place": "12 Mill Lane",
    "opening_hours": "Mondays 17:00",
    "entrance": "The blue door",
    "chat_links": "https://chat.example/kingston\n",
}


@pytest.fixture(autouse=True)
def known(world: World) -> None:
    with world.database.changing() as session:
        hubs.profile_for(session, session.get_one(Organisation, world.hub.id), now=NOW)


def profile(world: World) -> HubProfile:
    return world.all(HubProfile)[0]


def change(house: House, to: str, why: str = "It is summer.", who: str = "dan") -> int:
    page = f"/dispatch/hub/{house.world.hub.id}/to/{to}"
    return house.signed_in(who).post(page, {"why": why}, form="/").status_code


def test_a_dispatcher_describes_the_hub_after_a_look_as_a_visitor(house: House, world: World) -> None:
    dan, page = house.signed_in("dan"), f"/dispatch/hub/{world.hub.id}/describe"
    assert dan.get("/dispatch/hub").headers["Location"] == f"/dispatch/hub/{world.hub.id}"
    looked = dan.post(page, SAID | {"preview": "yes"}, form=page)
    assert "Nothing is saved yet" in looked.text
    assert "English, Polski" in looked.text
    visible, _, form = looked.text.partition("<h1>")[2].partition("</main>")
    assert "12 Mill Lane" not in visible, form
    assert "chat.example" not in visible
    assert profile(world).area == ""
    assert "We make shields." in dan.post(page, SAID | {"again": "yes"}, form=page).text
    assert dan.post(page, SAID, form=page).status_code == 302
    kept = profile(world)
    assert (kept.area, kept.languages, kept.chat_links) == (
        "Kingston", "English, Polski", ["https://chat.example/kingston"],
    )  # fmt: skip
    assert [(deed.what, deed.by) for deed in world.all(Deed) if deed.entity == "hub_profile"] == [
        ("described", world.dispatcher.id)
    ]
    link = house.signed_in("mona").get(f"/hubs/{world.hub.id}").text
    assert '<a href="https://chat.example/kingston" rel="noopener noreferrer nofollow">' in link


def test_a_wrong_link_is_said_and_nothing_is_lost(house: House, world: World) -> None:
    page = f"/dispatch/hub/{world.hub.id}/describe"
    answer = house.signed_in("dan").post(page, SAID | {"chat_links": "javascript:alert(1)"}, form=page)
    assert answer.status_code == 400
    assert "addresses that begin with https://" in answer.text
    assert "The blue door" in answer.text


def test_nobody_else_looks_after_it(house: House, world: World) -> None:
    house.add_person("Eve", (house.add_hub("Elsewhere"), Role.DISPATCHER))
    for who in ("mona", "kim", "charlie", "eve"):
        assert house.signed_in(who).get(f"/dispatch/hub/{world.hub.id}").status_code == 404, who
        assert change(house, "sleep", who=who) == 404, who
    assert profile(world).state is HubState.ACTIVE


def test_it_sleeps_says_so_and_is_woken_and_its_people_are_told(house: House, world: World) -> None:
    world.request(2)
    before = house.signed_in("dan").get(f"/dispatch/hub/{world.hub.id}/to/sleep").text
    assert "What is open stays open" in before
    assert change(house, "sleep", why="") == 400
    assert change(house, "sleep") == 302
    assert world.all(SupplyRequest)[0].state is RequestState.ACCEPTED
    assert {mail.address for mail in world.all(Mail)} == {
        world.maker.email, world.dispatcher.email, world.courier.email,
    }  # fmt: skip
    assert "wakes it with one press" in house.browser().get(f"/hubs/{world.hub.id}").text
    assert "Sleeping" in house.browser().get("/hubs").text
    assert "Kingston Hub" not in house.signed_in("ruth").get("/ask/where").text
    assert change(house, "wake") == 302
    assert profile(world).state is HubState.ACTIVE
    assert change(house, "wake") == 409
    assert change(house, "explode") == 404


def test_it_is_closed_only_where_nothing_is_open_and_opened_again(house: House, world: World) -> None:
    request = world.request(2)
    assert change(house, "close") == 400
    assert profile(world).state is HubState.ACTIVE
    world.cancel(request)
    lot = world.lot_at_maker(1)
    page = house.signed_in("dan").get(f"/dispatch/hub/{world.hub.id}/to/close").text
    assert "can not be closed" in page
    assert change(house, "close") == 400, lot
    assert profile(world).state is HubState.ACTIVE


def test_a_closed_hub_leads_on(house: House, world: World) -> None:
    assert change(house, "close") == 302
    page = house.browser().get(f"/hubs/{world.hub.id}").text
    assert "has closed" in page
    assert "Find a hub near it" in page
    assert "Kingston Hub" not in house.browser().get("/hubs").text
    joining = house.signed_in("charlie").post(f"/hubs/{world.hub.id}/join", {"role": "maker"}, form="/")
    assert joining.status_code == 400
    assert change(house, "wake") == 302
    assert "Kingston Hub" in house.browser().get("/hubs").text
