"""The people of a hub on the pages: who gives and takes which role, leaving, and the map of makers."""

import pytest
from builders import NOW, World
from unit.web.houses import House

from makerhub.hubs import service as hubs
from makerhub.hubs.models import MakerCell
from makerhub.people.models import Membership, Organisation, Person, Role
from makerhub.places.importing import SAMPLE, import_places


@pytest.fixture(autouse=True)
def known(world: World) -> None:
    import_places(world.database, [SAMPLE], name="sample", clock=lambda: NOW)
    with world.database.changing() as session:
        hubs.profile_for(session, session.get_one(Organisation, world.hub.id), now=NOW)


def roles(world: World, who: Person) -> set[Role]:
    return {one.role for one in world.all(Membership) if one.person_id == who.id}


def held(world: World, who: Person) -> str:
    return str(next(one.id for one in world.all(Membership) if one.person_id == who.id))


def act(house: House, who: str, deed: str, **fields: str) -> int:
    return house.signed_in(who).post(f"/dispatch/hub/{house.world.hub.id}/people/{deed}", fields, form="/").status_code


def test_a_dispatcher_names_another_one_and_takes_a_role_back(house: House, world: World) -> None:
    page = house.signed_in("dan").get(f"/dispatch/hub/{world.hub.id}/people").text
    for name in ("Mona", "Kim", "Dan"):
        assert name in page
    assert world.maker.email not in page
    assert act(house, "dan", "give", person=str(world.maker.id), role="dispatcher") == 302
    assert roles(world, world.maker) == {Role.MAKER, Role.DISPATCHER}
    assert act(house, "dan", "take", membership=held(world, world.courier)) == 302
    assert roles(world, world.courier) == set()


@pytest.mark.parametrize("role", ["admin", "reviewer", "requester", ""])
def test_a_dispatcher_gives_no_role_from_above(house: House, world: World, role: str) -> None:
    assert act(house, "dan", "give", person=str(world.maker.id), role=role) == 400
    assert roles(world, world.maker) == {Role.MAKER}


def test_nobody_reaches_over_to_another_hub(house: House, world: World) -> None:
    elsewhere = house.add_hub("Elsewhere")
    eve = house.add_person("Eve", (elsewhere, Role.DISPATCHER))
    ada = house.add_person("Ada", (world.hub, Role.ADMIN))
    assert act(house, "eve", "take", membership=held(world, world.courier)) == 404
    assert act(house, "dan", "take", membership=held(world, eve)) == 404
    assert act(house, "dan", "take", membership=held(world, ada)) == 404
    assert act(house, "dan", "give", person=str(eve.id), role="maker") == 400
    assert act(house, "mona", "take", membership=held(world, world.maker)) == 404
    assert act(house, "ada", "take", membership=held(world, world.courier)) == 302


def test_the_last_dispatcher_stays(house: House, world: World) -> None:
    assert act(house, "dan", "take", membership=held(world, world.dispatcher)) == 400
    page = house.signed_in("dan").get(f"/hubs/{world.hub.id}/leave").text
    assert "without a dispatcher" in page
    assert " disabled>" in page


def test_a_maker_leaves_and_sees_before_what_happens(house: House, world: World) -> None:
    mona, page = house.signed_in("mona"), f"/hubs/{world.hub.id}/leave"
    assert "Mona&#39;s" in mona.get(page).text
    assert mona.post(page, {}, form=page).status_code == 400
    assert mona.post(page, {"roles": "maker"}, form=page).status_code == 302
    assert roles(world, world.maker) == set()
    assert mona.get(page).status_code == 404
    assert house.signed_in("ruth").get(page).status_code == 404


def test_a_maker_is_counted_on_the_map_and_withdraws(house: House, world: World) -> None:
    mona = house.signed_in("mona")
    assert "You are on no map" in mona.get("/my-home").text
    assert mona.post("/my-home/map", {"map_place": "Nowhere"}, form="/my-home").status_code == 400
    assert mona.post("/my-home/map", {"map_place": "KT1 2EE"}, form="/my-home").status_code == 302
    assert [one.person_id for one in world.all(MakerCell)] == [world.maker.id]
    assert "Take me off the map" in mona.get("/my-home").text
    assert mona.post("/my-home/map", {"map_place": ""}, form="/my-home").status_code == 302
    assert world.all(MakerCell) == []
