"""The dispatcher of the hub answers who wants to join; nobody of another hub does."""

from builders import World
from unit.web.houses import House

from makerhub.people.models import JoinRequest, JoinState, Role


def test_the_hub_s_dispatcher_lets_somebody_in_and_no_other(house: House, world: World) -> None:
    house.add_person("Dora", (house.add_hub("Elsewhere Hub"), Role.DISPATCHER))
    asked = world.ask_to_join(Role.COURIER)
    assert "Mona" not in house.signed_in("dora").get("/dispatch/joining").text
    address = f"/dispatch/joining/{asked.id}/accept"
    for who in ("dora", "mona", "charlie"):
        assert house.signed_in(who).post(address, form="/").status_code == 404
    dan = house.signed_in("dan")
    assert "Mona" in dan.get("/dispatch/joining").text
    assert dan.post(address, form="/").status_code == 302
    assert world.get(JoinRequest, asked.id).state is JoinState.ACCEPTED
    assert house.signed_in("dan").post(address, form="/").status_code == 409


def test_who_asks_for_a_facility_is_shown_to_the_dispatchers_whom_it_asks_and_to_all_if_it_asks_nobody(
    house: House, world: World
) -> None:
    house.add_person("Dora", (house.add_hub("Elsewhere Hub"), Role.DISPATCHER))
    world.ask_to_join(Role.REQUESTER, world.care_home)
    for who in ("dan", "dora"):
        assert "mona@example.org" in house.signed_in(who).get("/dispatch/joining").text
    world.request()
    assert "mona@example.org" in house.signed_in("dan").get("/dispatch/joining").text
    assert "mona@example.org" not in house.signed_in("dora").get("/dispatch/joining").text
    [asked] = world.all(JoinRequest)
    answer = house.signed_in("dora").post(f"/dispatch/joining/{asked.id}/accept", form="/")
    assert answer.status_code == 404
