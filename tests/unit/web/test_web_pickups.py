"""The pages of pickups: the dispatcher's and the courier's."""

from builders import World, later, person
from unit.web.houses import House

from makerhub.delivery.models import AddressView, Pickup, PickupState
from makerhub.people.models import Organisation, Role

STREET = "7 Larch Lane"


def test_a_dispatcher_gives_a_pickup_to_a_courier_and_never_sees_the_address(house: House, world: World) -> None:
    pickup, dan = world.pickup(), house.signed_in("dan")
    address = f"/pickups/{pickup.id}"
    assert "For Kingston Hub" in dan.get("/pickups").text
    assert STREET not in dan.get(address).text
    assert "Mona" not in dan.get(address).text
    assert dan.post(f"{address}/give", {"courier": ""}, form=address).status_code == 400
    assert dan.post(f"{address}/give", {"courier": str(world.courier.id)}, form=address).status_code == 302
    assert world.get(Pickup, pickup.id).courier_id == world.courier.id
    assert dan.post(f"{address}/address", form="/pickups").status_code == 404
    assert world.all(AddressView) == []


def test_a_courier_goes_the_whole_way_and_sees_the_address_only_on_it(house: House, world: World) -> None:
    pickup, kim = world.pickup(PickupState.GIVEN), house.signed_in("kim")
    address = f"/pickups/{pickup.id}"
    assert kim.post(f"{address}/address", form=address).status_code == 404
    kim.post(f"{address}/set-out", form=address)
    before = kim.get(address)
    assert "Show the address" in before.text
    assert STREET not in before.text
    shown = kim.post(f"{address}/address", form=address)
    assert STREET in shown.text
    assert shown.headers["Cache-Control"] == "no-store"
    assert STREET not in kim.get(address).text, "a page that is loaded again shows it only after another look"
    assert len(world.all(AddressView)) == 1
    kim.post(f"{address}/collected", form=address)
    after = kim.get(address)
    assert "Collected" in after.text
    assert "Show the address" not in after.text
    assert kim.post(f"{address}/address", form="/pickups").status_code == 404
    assert len(world.all(AddressView)) == 1


def test_when_the_time_is_over_the_address_is_gone(house: House, world: World) -> None:
    pickup = world.pickup(PickupState.UNDER_WAY)
    house.time.now = later(hours=4)
    kim = house.signed_in("kim")
    assert "Show the address" not in kim.get(f"/pickups/{pickup.id}").text
    assert kim.post(f"/pickups/{pickup.id}/address", form="/pickups").status_code == 404


def test_a_courier_who_can_not_do_it_gives_it_back(house: House, world: World) -> None:
    pickup, kim = world.pickup(PickupState.UNDER_WAY), house.signed_in("kim")
    kim.post(f"/pickups/{pickup.id}/give-back", form=f"/pickups/{pickup.id}")
    assert world.get(Pickup, pickup.id).state is PickupState.ASKED
    assert kim.get(f"/pickups/{pickup.id}").status_code == 404
    assert "Nothing to fetch" in kim.get("/pickups").text


def test_another_courier_of_the_same_hub_sees_nothing_of_it(house: House, world: World) -> None:
    pickup = world.pickup(PickupState.UNDER_WAY)
    with world.database.changing() as session:
        house.people["cora"] = person(session, "Cora", (world.hub, Role.COURIER))
    cora = house.signed_in("cora")
    assert cora.get(f"/pickups/{pickup.id}").status_code == 404
    for step in ("set-out", "address", "collected", "give-back"):
        assert cora.post(f"/pickups/{pickup.id}/{step}", form="/pickups").status_code == 404
    assert world.get(Pickup, pickup.id).state is PickupState.UNDER_WAY


def test_setting_out_too_early_is_explained(house: House, world: World) -> None:
    pickup, kim = world.pickup(PickupState.GIVEN), house.signed_in("kim")
    house.time.now = later(hours=-1)
    kim.post(f"/pickups/{pickup.id}/set-out", form=f"/pickups/{pickup.id}")
    assert "too early" in kim.get(f"/pickups/{pickup.id}").text
    assert world.get(Pickup, pickup.id).state is PickupState.GIVEN


def test_a_dispatcher_offers_pickups_at_the_own_hub_only(house: House, world: World) -> None:
    elsewhere, dan = house.add_hub("Elsewhere"), house.signed_in("dan")
    assert dan.post("/pickups/offer", {"hub": str(elsewhere.id), "offers": "yes"}, form="/pickups").status_code == 400
    assert not world.get(Organisation, elsewhere.id).offers_pickup
    assert dan.post("/pickups/offer", {"hub": str(world.hub.id), "offers": "yes"}, form="/pickups").status_code == 302
    assert world.get(Organisation, world.hub.id).offers_pickup
    dan.post("/pickups/offer", {"hub": str(world.hub.id), "offers": "no"}, form="/pickups")
    assert not world.get(Organisation, world.hub.id).offers_pickup
