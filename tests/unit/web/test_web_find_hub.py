"""Finding and joining a hub: without an account, in any spelling, and without telling where anybody lives."""

import pytest
from builders import NOW, POST, World, person
from unit.web.houses import House

from makerhub.hubs import proposals
from makerhub.hubs import service as hubs
from makerhub.people.models import JoinRequest, Organisation
from makerhub.places.importing import SAMPLE, import_places


@pytest.fixture(autouse=True)
def described(world: World) -> None:
    import_places(world.database, [SAMPLE], name="sample", attribution="A sample", clock=lambda: NOW)
    with world.database.changing() as session:
        profile = hubs.profile_for(session, session.get_one(Organisation, world.hub.id), now=NOW)
        told = hubs.Told(
            "Kingston Hub", "Kingston", place="12 Mill Lane", postcode="KT1", chat_links=["https://chat.example"]
        )
        hubs.describe(session, profile, told, by=None, now=NOW)
        far = hubs.Told("Manchester Hub", "Manchester", postcode="M1")
        proposed = proposals.propose(session, far, why="needed", time_zone="UTC", by=person(session, "Mandy"), now=NOW)
        proposals.accept(session, proposed, post=POST, by=world.dispatcher.id, now=NOW)


@pytest.mark.parametrize("typed", ["KT1 2EE", "kt1", "Kingston upon Thames", "KINGSTON-upon-thames"])
def test_a_visitor_finds_the_nearest_hub_first(house: House, typed: str) -> None:
    page = house.browser().get("/hubs", query_string={"near": typed}).text
    assert page.index("1. Kingston Hub") < page.index("2. Manchester Hub")
    assert "km by road" in page
    assert '<svg class="hub-map"' in page
    assert "A sample" in page


def test_ambiguous_and_unknown_places_offer_the_way_on(house: House) -> None:
    choices = house.browser().get("/hubs?near=newport").text
    assert "Newport, Isle of Wight, GB" in choices
    assert "km by road" not in choices
    unknown = house.browser().get("/hubs", query_string={"near": "<script>Nowhere"}).text
    assert "We do not know" in unknown
    assert "<script>N" not in unknown
    assert "Kingston Hub" in unknown


def test_the_address_and_the_chat_group_are_for_its_people(house: House, world: World) -> None:
    place = f"/hubs/{world.hub.id}"
    for browser in (house.browser(), house.signed_in("charlie")):
        page = browser.get(place).text
        assert "12 Mill Lane" not in page
        assert "chat.example" not in page
    page = house.signed_in("mona").get(place).text
    assert "12 Mill Lane" in page
    assert "https://chat.example" in page


def test_somebody_asks_to_join(house: House, world: World) -> None:
    charlie = house.signed_in("charlie")
    assert charlie.post(f"/hubs/{world.hub.id}/join", {"role": "dispatcher"}, form="/").status_code == 400
    assert charlie.post(f"/hubs/{world.hub.id}/join", {"role": "courier"}, form="/").status_code == 302
    assert [one.person_id for one in world.all(JoinRequest)] == [house.people["charlie"].id]


def test_a_hub_that_is_only_proposed_is_nowhere(house: House, world: World) -> None:
    proposed = world.propose_hub()
    assert house.browser().get(f"/hubs/{proposed.organisation_id}").status_code == 404
    assert "Surbiton Hub" not in house.browser().get("/hubs").text
