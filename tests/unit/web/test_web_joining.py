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
