"""A courier takes what waits at the own hub and hands it over by the code that is told at the door."""

import pytest
from builders import World
from unit.web.browsers import Browser
from unit.web.houses import House, fill

from makerhub.delivery.models import Receipt, Shipment, ShipmentState
from makerhub.demand.models import RequestState, SupplyRequest
from makerhub.people.models import Organisation, Role


@pytest.fixture
def packed(world: World) -> Shipment:
    """Four headbands that wait at the hub for the care home, and are all that was asked for."""
    request = world.request(4)
    world.reserve(request, world.lot(4, request=request), 4)
    return world.pack(request)


@pytest.fixture
def carried(world: World, packed: Shipment) -> Shipment:
    """They are with Kim now."""
    world.depart(packed)
    return world.get(Shipment, packed.id)


@pytest.fixture
def stranger(house: House) -> Browser:
    """A courier of another hub."""
    house.add_person("Cora", (house.add_hub("Other Hub"), Role.COURIER))
    return house.signed_in("cora")


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


def type_code(browser: Browser, shipment: Shipment, code: str) -> int:
    return browser.post(f"/deliveries/{shipment.id}/hand-over", {"code": code}, form="/").status_code


def test_the_way_of_a_delivery(house: House, world: World, packed: Shipment) -> None:
    browser = house.signed_in("kim")
    assert "Kingston Hub to Rosewood" in browser.get("/deliveries").text
    waiting = browser.get(f"/deliveries/{packed.id}")
    assert "4 ×" in waiting.text
    taken = fill(browser, waiting)
    assert taken.headers["Location"] == f"/deliveries/{packed.id}"
    at_door = browser.get(taken.headers["Location"])
    assert "It is yours now." in at_door.text
    code = packed.hand_over_code
    thanks = fill(browser, at_door, code=f" {code[:3]} {code[3:]} ")
    assert "Thank you!" in browser.get(thanks.headers["Location"]).text
    [receipt] = world.all(Receipt)
    assert (receipt.confirmed_by, receipt.by_hand_over_code) == (world.courier.id, True)
    assert world.get(SupplyRequest, packed.request_id).state is RequestState.FULFILLED
    assert "Nothing waits" in browser.get("/deliveries").text


def test_place_and_entrance_of_both_ends_are_shown(house: House, world: World, packed: Shipment) -> None:
    with house.database.changing() as session:
        session.get_one(Organisation, world.hub.id).entrance = "Blue door"
        session.get_one(Organisation, world.care_home.id).place = "8 Orchard Close"
        session.get_one(Organisation, world.care_home.id).entrance = "Ring twice"
    page = house.signed_in("kim").get(f"/deliveries/{packed.id}").text
    for told in ("Blue door", "8 Orchard Close", "Ring twice", "Headband"):
        assert told in page


def test_the_code_is_on_no_page_of_a_courier(house: House, world: World, packed: Shipment) -> None:
    browser = house.signed_in("kim")

    def assert_secret() -> None:
        for address in ("/deliveries", f"/deliveries/{packed.id}"):
            text = browser.get(address).text
            assert packed.hand_over_code not in text
            assert f"{packed.hand_over_code[:3]} {packed.hand_over_code[3:]}" not in text

    assert_secret()
    world.depart(packed)
    assert_secret()
    world.confirm(packed)
    assert_secret()


def test_a_wrong_code_is_said_and_nothing_is_delivered(house: House, world: World, carried: Shipment) -> None:
    browser = house.signed_in("kim")
    page = fill(browser, browser.get(f"/deliveries/{carried.id}"), code=wrong(carried.hand_over_code))
    assert page.status_code == 400
    assert "This is not the hand-over code of this delivery." in page.text
    assert 'href="#code"' in page.text
    assert world.get(Shipment, carried.id).state is ShipmentState.IN_TRANSIT
    assert world.all(Receipt) == []


def test_no_figures_are_no_try(house: House, carried: Shipment) -> None:
    browser = house.signed_in("kim")
    assert [type_code(browser, carried, typed) for typed in ("", "abc", " ", "²") * 3] == [400] * 12
    assert type_code(browser, carried, carried.hand_over_code) == 302


def test_after_five_tries_even_the_right_code_waits(house: House, world: World, carried: Shipment) -> None:
    browser = house.signed_in("kim")
    for _ in range(5):
        assert type_code(browser, carried, wrong(carried.hand_over_code)) == 400
    answer = browser.post(f"/deliveries/{carried.id}/hand-over", {"code": carried.hand_over_code}, form="/")
    assert answer.status_code == 429
    assert "Too many wrong codes." in answer.text
    assert world.all(Receipt) == []


def test_the_tries_of_one_delivery_are_not_those_of_another(house: House, world: World, carried: Shipment) -> None:
    browser = house.signed_in("kim")
    for _ in range(6):
        type_code(browser, carried, wrong(carried.hand_over_code))
    request = world.request(4)
    world.reserve(request, world.lot(4, request=request), 4)
    other = world.pack(request)
    world.depart(other)
    assert type_code(browser, other, other.hand_over_code) == 302


def test_the_code_may_be_typed_in_figures_of_any_script(house: House, carried: Shipment) -> None:
    arabic = carried.hand_over_code.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    assert type_code(house.signed_in("kim"), carried, arabic) == 302


def test_pressing_delivered_twice_is_one_receipt(house: House, world: World, carried: Shipment) -> None:
    browser = house.signed_in("kim")
    assert [type_code(browser, carried, carried.hand_over_code) for _ in range(2)] == [302, 302]
    assert len(world.all(Receipt)) == 1


def test_of_two_couriers_one_takes_it_and_the_other_is_told(house: House, world: World, packed: Shipment) -> None:
    house.add_person("Lou", (world.hub, Role.COURIER))
    kim, lou = house.signed_in("kim"), house.signed_in("lou")
    page = lou.get(f"/deliveries/{packed.id}")
    fill(kim, kim.get(f"/deliveries/{packed.id}"))
    late = fill(lou, page)
    assert late.headers["Location"] == "/deliveries"
    assert "Another courier has taken this delivery already." in lou.get("/deliveries").text
    assert world.get(Shipment, packed.id).courier_id == world.courier.id
    assert lou.get(f"/deliveries/{packed.id}").status_code == 404
    assert type_code(lou, packed, packed.hand_over_code) == 404


def test_taking_twice_is_taking_once(house: House, packed: Shipment) -> None:
    browser = house.signed_in("kim")
    page = browser.get(f"/deliveries/{packed.id}")
    assert {fill(browser, page).headers["Location"] for _ in range(2)} == {f"/deliveries/{packed.id}"}


def test_nobody_hands_over_what_was_not_taken(house: House, world: World, packed: Shipment) -> None:
    assert type_code(house.signed_in("kim"), packed, packed.hand_over_code) == 404
    assert world.get(Shipment, packed.id).state is ShipmentState.PACKED


def test_a_courier_of_another_hub_finds_nothing(world: World, packed: Shipment, stranger: Browser) -> None:
    assert "Rosewood" not in stranger.get("/deliveries").text
    assert stranger.get(f"/deliveries/{packed.id}").status_code == 404
    assert stranger.post(f"/deliveries/{packed.id}/taken", form="/").status_code == 404
    world.depart(packed)
    assert stranger.post(f"/deliveries/{packed.id}/taken", form="/").status_code == 404
    assert type_code(stranger, packed, packed.hand_over_code) == 404
    assert stranger.get(f"/deliveries/{packed.id}/thanks").status_code == 404
    assert world.get(Shipment, packed.id).state is ShipmentState.IN_TRANSIT


def test_only_couriers_have_these_pages(house: House, packed: Shipment) -> None:
    for who in ("alice", "bob", "charlie", "mona", "dan"):
        browser = house.signed_in(who)
        assert browser.get("/deliveries").status_code == 404, who
        assert browser.get(f"/deliveries/{packed.id}").status_code == 404, who
        assert browser.post(f"/deliveries/{packed.id}/taken", form="/").status_code == 404, who
    assert house.browser().get("/deliveries").headers["Location"].startswith("/sign-in")


def test_what_one_sees_in_another_role_is_not_ones_delivery(house: House, carried: Shipment) -> None:
    house.add_person("Dora", (house.world.hub, Role.DISPATCHER), (house.add_hub("Other Hub"), Role.COURIER))
    browser = house.signed_in("dora")
    assert "Rosewood" not in browser.get("/deliveries").text
    assert browser.get(f"/deliveries/{carried.id}").status_code == 404
    assert type_code(browser, carried, carried.hand_over_code) == 404


def test_thanks_come_after_the_delivery(house: House, carried: Shipment) -> None:
    assert house.signed_in("kim").get(f"/deliveries/{carried.id}/thanks").status_code == 404


def test_a_courier_brings_a_delivery_back_and_it_waits_for_another(
    house: House, world: World, carried: Shipment, stranger: Browser
) -> None:
    kim = house.signed_in("kim")
    assert f"/deliveries/{carried.id}/back" in kim.get(f"/deliveries/{carried.id}").text
    page = kim.get(f"/deliveries/{carried.id}/back")
    assert stranger.get(f"/deliveries/{carried.id}/back").status_code == 404
    assert stranger.post(f"/deliveries/{carried.id}/back", {"why": "mine"}, form="/").status_code == 404
    assert fill(kim, page, why=" ").status_code == 400
    assert fill(kim, page, why="Nobody was at the door.").headers["Location"] == "/deliveries"
    assert world.get(Shipment, carried.id).state is ShipmentState.PACKED
    assert "allocate_lots" in house.nudged
    house.add_person("Cleo", (world.hub, Role.COURIER))
    cleo = house.signed_in("cleo")
    assert fill(cleo, cleo.get(f"/deliveries/{carried.id}")).status_code == 302
    assert kim.get(f"/deliveries/{carried.id}").status_code == 404
    told = house.signed_in("ruth").get(f"/requests/{carried.request_id}").text
    assert "brought the delivery back" in told
    assert "Nobody was at the door." in told


def test_what_has_arrived_can_not_be_brought_back(house: House, world: World, carried: Shipment) -> None:
    world.confirm(carried)
    kim = house.signed_in("kim")
    assert kim.get(f"/deliveries/{carried.id}/back").status_code == 404
    assert kim.post(f"/deliveries/{carried.id}/back", {"why": "late"}, form="/").status_code == 409
    assert world.get(Shipment, carried.id).state is ShipmentState.DELIVERED
