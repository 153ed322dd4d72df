"""A facility follows its requests: how far they are, what is on its way, what has arrived; outsiders see nothing."""

from uuid import uuid4

import pytest
from builders import POLICY, World, later
from unit.web.houses import House, fill

from makerhub.delivery import service as delivery
from makerhub.delivery.models import Receipt, Shipment, ShipmentState
from makerhub.demand import service as demand
from makerhub.demand.models import RequestState, SupplyRequest
from makerhub.people.models import Role
from makerhub.planning.holding import NOT_PROVED
from makerhub.production.models import AttemptState
from makerhub.web.progress import Progress, progress_of, total


def progress(world: World, request: SupplyRequest) -> Progress:
    with world.database.reading() as session:
        return total(progress_of(session, demand.lines_of(session, request.id)).values())


def submitted(world: World) -> SupplyRequest:
    with world.database.changing() as session:
        return demand.submit(session, world.new_request(), largest=100, policy=POLICY, now=later())


def on_its_way(world: World) -> tuple[SupplyRequest, Shipment]:
    """A request for ten, of which four are with the courier."""
    request = world.request()
    world.reserve(request, world.lot(4, request=request), 4)
    shipment = world.pack(request)
    world.depart(shipment)
    return request, shipment


def test_items_are_followed_from_the_first_print_to_the_door(house: House, world: World) -> None:
    request = world.request(40)
    assert progress(world, request) == Progress(40)
    assert progress(world, request).waiting == 40

    world.deliver(request, world.lot(10, good=12, request=request), 10)
    lot = world.lot(8, request=request)
    world.reserve(request, lot, 5)
    world.pack(request)
    world.reserve(request, lot, 2)
    world.lot_at_maker(6, request=request)
    world.attempt(AttemptState.PRINTING, job=world.job(4, request=request))
    world.job(9, request=request)

    seen = progress(world, request)
    assert seen == Progress(40, delivered=10, on_the_way=5, reserved=2, printed=7, printing=4)
    assert seen.waiting == 12
    page = house.signed_in("alice").get(f"/requests/{request.id}").text
    for words in (
        "10</strong> arrived",
        "5</strong> packed",
        "2</strong> ready",
        "7</strong> printed",
        "4</strong> being",
    ):
        assert words in page
    assert "12</strong> not begun" in page


def test_an_item_is_as_far_as_the_last_of_its_parts(world: World) -> None:
    request = world.request(2, version=world.kit)
    band, clip = world.part(world.kit, "band"), world.part(world.kit, "clip")
    world.lot_at_maker(2, request=request, part=band)
    assert progress(world, request).waiting == 2
    world.lot_at_maker(3, request=request, part=clip)
    assert progress(world, request) == Progress(2, printed=1)
    world.attempt(AttemptState.PRINTING, job=world.job(1, request=request, part=clip))
    assert progress(world, request) == Progress(2, printed=1, printing=1)


def test_what_went_to_somebody_else_is_not_counted(world: World) -> None:
    first, urgent = world.request(), world.request()
    lot = world.lot(4, request=first)
    assert progress(world, first).printed == 4
    world.reserve(urgent, lot, 3)
    assert progress(world, first).printed == 1
    assert progress(world, urgent).reserved == 3


def test_more_than_was_asked_for_is_not_shown(world: World) -> None:
    request = world.request(3)
    world.lot_at_maker(8, request=request)
    assert progress(world, request) == Progress(3, printed=3)


def test_the_list_shows_open_requests_first_and_only_ones_own(house: House, world: World) -> None:
    gone = world.request(11)
    world.cancel(gone)
    world.request(22)
    world.request(33, facility_id=house.elsewhere.id, requested_by=house.people["bob"].id)
    page = house.signed_in("alice").get("/requests").text
    assert page.index("22 × Headband") < page.index("Earlier") < page.index("11 × Headband")
    assert "33 × Headband" not in page
    bobs = house.signed_in("bob").get("/requests").text
    assert "33 × Headband" in bobs
    assert "22 × Headband" not in bobs


def test_an_empty_list_says_what_to_do(house: House) -> None:
    page = house.signed_in("alice").get("/requests").text
    assert "You have not asked for anything yet" in page
    assert 'href="/ask"' in page


def test_who_asks_for_two_facilities_sees_which(house: House, world: World) -> None:
    world.request()
    world.request(facility_id=world.hospital.id)
    page = house.signed_in("ruth").get("/requests").text
    assert "Rosewood" in page
    assert "St Mary&#39;s" in page


def test_the_page_tells_what_happened_and_why(house: House, world: World) -> None:
    request = submitted(world)
    with world.database.changing() as session:
        row = session.get_one(SupplyRequest, request.id)
        demand.decline(session, row, by=world.dispatcher.id, why="No elastic left.", now=later(hours=1))
    page = house.signed_in("alice").get(f"/requests/{request.id}").text
    assert page.index("can not take the request on. No elastic left.") < page.index("You sent the request.")
    assert "Dan" not in page


def test_the_live_part_comes_alone_and_stops_when_nothing_can_change(house: House, world: World) -> None:
    browser = house.signed_in("alice")
    assert "hx-get" in browser.get(f"/requests/{submitted(world).id}").text
    request, shipment = on_its_way(world)
    live = browser.get(f"/requests/{request.id}/now")
    assert "<html" not in live.text
    assert "4</strong> packed" in live.text
    assert f'hx-get="/requests/{request.id}/now"' in browser.get(f"/requests/{request.id}").text
    world.cancel(request)
    assert "hx-get" in browser.get(f"/requests/{request.id}").text  # a delivery is still to come
    world.confirm(shipment)
    assert "hx-get" not in browser.get(f"/requests/{request.id}").text


def test_the_hand_over_code_is_shown_until_it_was_used(house: House, world: World) -> None:
    request, shipment = on_its_way(world)
    code = f"{shipment.hand_over_code[:3]} {shipment.hand_over_code[3:]}"
    browser = house.signed_in("alice")
    assert code in browser.get(f"/requests/{request.id}").text
    assert code not in browser.get("/requests").text
    world.confirm(shipment)
    assert code not in browser.get(f"/requests/{request.id}").text


def test_the_facility_says_that_it_has_arrived(house: House, world: World) -> None:
    request, shipment = on_its_way(world)
    browser = house.signed_in("alice")
    asked = browser.get(f"/requests/{request.id}/arrived/{shipment.id}")
    assert "4 ×" in asked.text
    assert world.get(Shipment, shipment.id).state is ShipmentState.IN_TRANSIT
    answer = fill(browser, asked)
    assert answer.headers["Location"] == f"/requests/{request.id}"
    page = browser.get(answer.headers["Location"]).text
    assert "Thank you." in page
    assert "What has arrived" in page
    assert "4</strong> arrived" in page
    [receipt] = world.all(Receipt)
    assert (receipt.confirmed_by, receipt.by_hand_over_code) == (house.people["alice"].id, False)


def test_confirming_twice_is_one_receipt(house: House, world: World) -> None:
    request, shipment = on_its_way(world)
    browser = house.signed_in("alice")
    asked = browser.get(f"/requests/{request.id}/arrived/{shipment.id}")
    assert [fill(browser, asked).status_code for _ in range(2)] == [302, 302]
    assert len(world.all(Receipt)) == 1


def test_what_nobody_marked_as_taken_can_be_confirmed_when_it_is_there(house: House, world: World) -> None:
    request = world.request(4)
    world.reserve(request, world.lot(4, request=request), 4)
    shipment = world.pack(request)
    browser = house.signed_in("alice")
    assert "Is it with you already?" in browser.get(f"/requests/{request.id}").text
    assert fill(browser, browser.get(f"/requests/{request.id}/arrived/{shipment.id}")).status_code == 302
    assert [receipt.by_hand_over_code for receipt in world.all(Receipt)] == [False]
    assert world.get(SupplyRequest, request.id).state is RequestState.FULFILLED


def test_what_was_unpacked_is_no_delivery_any_more_and_the_reason_is_told(house: House, world: World) -> None:
    request = world.request()
    world.reserve(request, world.lot(4, request=request), 4)
    shipment = world.pack(request)
    with world.database.changing() as session:
        delivery.unpack(session, session.get_one(Shipment, shipment.id), why=NOT_PROVED, now=house.time())
    page = house.signed_in("alice").get(f"/requests/{request.id}").text
    assert "A delivery for you" not in page
    assert "not enough is proved of the facility for so much" in page
    assert NOT_PROVED in house.signed_in("dan").get(f"/dispatch/requests/{request.id}").text
    answer = house.signed_in("alice").post(f"/requests/{request.id}/arrived/{shipment.id}", form="/")
    assert answer.status_code == 409
    assert world.all(Receipt) == []


def test_a_shipment_belongs_to_its_request(house: House, world: World) -> None:
    _, shipment = on_its_way(world)
    other = world.request()
    browser = house.signed_in("alice")
    assert browser.get(f"/requests/{other.id}/arrived/{shipment.id}").status_code == 404
    assert browser.post(f"/requests/{other.id}/arrived/{shipment.id}", form="/").status_code == 404
    assert world.all(Receipt) == []


def test_cancelling_asks_once_more_and_frees_what_was_reserved(house: House, world: World) -> None:
    request = world.request()
    browser = house.signed_in("alice")
    asked = browser.get(f"/requests/{request.id}/cancel")
    assert "Cancel this request?" in asked.text
    assert world.get(SupplyRequest, request.id).state is RequestState.ACCEPTED
    fill(browser, asked)
    assert world.get(SupplyRequest, request.id).state is RequestState.CANCELLED
    assert {"allocate_lots", "plan_jobs"} <= set(house.nudged)
    assert "I no longer need this" not in browser.get(f"/requests/{request.id}").text
    assert "It is closed already." in browser.get(f"/requests/{request.id}/cancel").text
    assert fill(browser, asked).status_code == 409


def test_a_withdrawn_design_is_told_on_the_request(house: House, world: World) -> None:
    request = world.request()
    world.withdraw(world.headband)
    assert "no more of it is made" in house.signed_in("alice").get(f"/requests/{request.id}").text


@pytest.mark.parametrize("page", ["", "/now", "/sent", "/cancel", "/arrived/{shipment}"])
def test_outsiders_open_no_page_of_a_request(house: House, world: World, page: str) -> None:
    request, shipment = on_its_way(world)
    address = f"/requests/{request.id}{page.format(shipment=shipment.id)}"
    assert house.signed_in("alice").get(address).status_code == 200
    for who in ("bob", "charlie", "mona", "dan", "kim"):
        assert house.signed_in(who).get(address).status_code == 404, who
    assert house.browser().get(address).headers["Location"].startswith("/sign-in")
    assert house.signed_in("alice").get(f"/requests/{uuid4()}{page.format(shipment=shipment.id)}").status_code == 404


@pytest.mark.parametrize("action", ["cancel", "arrived/{shipment}"])
def test_outsiders_change_nothing(house: House, world: World, action: str) -> None:
    request, shipment = on_its_way(world)
    address = f"/requests/{request.id}/{action.format(shipment=shipment.id)}"
    for who in ("bob", "charlie", "mona", "dan", "kim"):
        assert house.signed_in(who).post(address, form="/").status_code == 404, who
    assert world.get(SupplyRequest, request.id).state is RequestState.ACCEPTED
    assert world.all(Receipt) == []


def test_a_dispatcher_who_also_asks_elsewhere_is_no_requester_here(house: House, world: World) -> None:
    request, shipment = on_its_way(world)
    house.add_person("Dora", (world.hub, Role.DISPATCHER), (house.elsewhere, Role.REQUESTER))
    browser = house.signed_in("dora")
    assert browser.get(f"/requests/{request.id}").status_code == 404
    assert browser.post(f"/requests/{request.id}/cancel", form="/").status_code == 404
    assert browser.post(f"/requests/{request.id}/arrived/{shipment.id}", form="/").status_code == 404
    assert "Headband" not in browser.get("/requests").text


def test_a_colleague_of_the_facility_may_help(house: House, world: World) -> None:
    request, _ = on_its_way(world)
    assert house.signed_in("ruth").get(f"/requests/{request.id}").status_code == 200
