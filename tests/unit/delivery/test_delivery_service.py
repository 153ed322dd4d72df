import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from builders import IN_A_WEEK, LARGEST, NOW, POLICY, World, at_once, failures

from makerhub.db import Session
from makerhub.delivery import service
from makerhub.delivery.models import Allocation, AllocationState, Receipt, Shipment, ShipmentState
from makerhub.delivery.service import Share, WrongCode
from makerhub.demand import service as demand
from makerhub.demand.models import RequestState, SupplyRequest
from makerhub.errors import IllegalMove, Invalid, MovedMeanwhile
from makerhub.lifecycle import history
from makerhub.stock import service as stock
from makerhub.stock.models import Lot
from makerhub.trace.invariants import breaches


def change(world: World, shipment: Shipment, action: Callable[[Session, Shipment], object]) -> object:
    with world.database.changing() as session:
        return action(session, session.get_one(Shipment, shipment.id))


def in_transit(world: World, quantity: int = 10, *, request: SupplyRequest | None = None) -> Shipment:
    request = request or world.request(10)
    world.reserve(request, world.lot(quantity), quantity)
    shipment = world.pack(request)
    world.depart(shipment)
    return world.get(Shipment, shipment.id)


def unpromised(world: World, lot: Lot) -> int:
    with world.database.reading() as session:
        return service.unpromised(session, lot)


def request_state(world: World, request: SupplyRequest) -> RequestState:
    return world.get(SupplyRequest, request.id).state


def test_reserved_pieces_are_promised_to_their_line_with_the_reason(world: World) -> None:
    request, lot = world.request(), world.lot(6)
    allocation = world.reserve(request, lot, 4)
    assert (allocation.state, allocation.quantity) == (AllocationState.RESERVED, 4)
    assert (allocation.line_id, allocation.lot_id) == (world.line(request).id, lot.id)
    assert allocation.reason == "first in the order of service"
    assert unpromised(world, lot) == 2


@pytest.mark.parametrize("quantity", [7, 10**6])
def test_more_than_there_is_can_not_be_reserved(world: World, quantity: int) -> None:
    request, lot = world.request(), world.lot(6)
    with pytest.raises(Invalid):
        world.reserve(request, lot, quantity)
    assert world.all(Allocation) == []


def test_what_is_promised_can_not_be_promised_again(world: World) -> None:
    lot = world.lot(6)
    world.reserve(world.request(), lot, 4)
    with pytest.raises(Invalid):
        world.reserve(world.request(), lot, 3)
    world.reserve(world.request(), lot, 2)
    assert unpromised(world, lot) == 0


def test_of_many_who_reserve_at_once_nobody_gets_what_is_not_there(world: World) -> None:
    lot = world.lot(10)
    requests = [world.request() for _ in range(8)]
    results = at_once(*[lambda request=request: world.reserve(request, lot, 3) for request in requests])
    assert failures(results) == [Invalid] * 5
    assert unpromised(world, lot) == 1


def test_pieces_at_the_maker_can_not_be_reserved(world: World) -> None:
    with pytest.raises(Invalid):
        world.reserve(world.request(), world.lot_at_maker(4), 1)


def test_what_was_shipped_is_neither_there_nor_promised_twice(world: World) -> None:
    request, lot = world.request(10), world.lot(6)
    world.reserve(request, lot, 4)
    world.pack(request)
    assert unpromised(world, lot) == 2


def test_what_an_ended_request_held_can_be_promised_again(world: World) -> None:
    request, lot = world.request(), world.lot(6)
    allocation = world.reserve(request, lot, 4)
    world.cancel(request)
    with world.database.changing() as session:
        service.release(session, session.get_one(SupplyRequest, request.id), why="cancelled", now=NOW)
    assert world.get(Allocation, allocation.id).state is AllocationState.RELEASED
    assert unpromised(world, lot) == 6


def test_a_shipment_takes_all_that_is_reserved_for_its_request(world: World) -> None:
    request, other = world.request(10), world.request(10)
    lots = [world.lot(4), world.lot(4)]
    mine = [world.reserve(request, lot, 3) for lot in lots]
    theirs = world.reserve(other, lots[0], 1)
    shipment = world.pack(request)
    assert (shipment.state, shipment.facility_id, shipment.hub_id) == (
        ShipmentState.PACKED,
        world.care_home.id,
        world.hub.id,
    )
    for allocation in mine:
        row = world.get(Allocation, allocation.id)
        assert (row.state, row.shipment_id) == (AllocationState.SHIPPED, shipment.id)
    assert world.get(Allocation, theirs.id).state is AllocationState.RESERVED
    with world.database.reading() as session:
        assert {row.id for row in service.contents(session, shipment.id)} == {row.id for row in mine}
        assert [stock.at_hub(session, lot) for lot in lots] == [1, 1]


def test_an_empty_shipment_is_not_packed(world: World) -> None:
    with pytest.raises(Invalid):
        world.pack(world.request())
    assert world.all(Shipment) == []


def test_a_courier_brings_a_shipment_back_and_another_one_takes_it(world: World) -> None:
    shipment = in_transit(world)
    with pytest.raises(Invalid):
        change(world, shipment, lambda s, row: service.give_back(s, row, why=" ", courier_id=world.courier.id, now=NOW))
    change(
        world, shipment, lambda s, row: service.give_back(s, row, why="no door", courier_id=world.courier.id, now=NOW)
    )
    row = world.get(Shipment, shipment.id)
    assert (row.state, row.courier_id, row.hand_over_code) == (ShipmentState.PACKED, None, shipment.hand_over_code)
    assert {one.state for one in world.all(Allocation)} == {AllocationState.SHIPPED}
    world.depart(shipment)
    world.confirm(shipment)
    with world.database.reading() as session:
        changes = [(change.after, change.why) for change in history(session, row)]
        assert breaches(session) == []
    assert changes == [("packed", ""), ("in_transit", ""), ("packed", "no door"), ("in_transit", ""), ("delivered", "")]


def test_of_a_courier_who_gives_back_and_a_facility_that_confirms_at_once_one_succeeds(world: World) -> None:
    shipment = in_transit(world)

    def back() -> object:
        give = service.give_back
        return change(world, shipment, lambda s, row: give(s, row, why="no door", courier_id=world.courier.id, now=NOW))

    def arrived() -> object:
        by = world.requester.id
        return change(world, shipment, lambda s, row: service.confirm_by_facility(s, row, by=by, now=NOW))

    at_once(back, arrived)
    state = world.get(Shipment, shipment.id).state
    assert len(world.all(Receipt)) == (state is ShipmentState.DELIVERED)
    with world.database.reading() as session:
        assert breaches(session) == []


def test_a_facility_confirms_what_no_courier_marked_as_taken(world: World) -> None:
    request = world.request(4)
    world.reserve(request, world.lot(4), 4)
    shipment = world.pack(request)
    by = world.requester.id
    change(world, shipment, lambda s, row: service.confirm_by_facility(s, row, by=by, now=NOW))
    assert request_state(world, request) is RequestState.FULFILLED
    with world.database.reading() as session:
        last = history(session, session.get_one(Shipment, shipment.id))[-1]
        assert breaches(session) == []
    assert (last.before, last.after, last.why) == ("packed", "delivered", service.NOT_NOTED)


def test_what_is_packed_for_a_request_that_ended_goes_back_into_the_stock(world: World) -> None:
    request, lot = world.request(), world.lot(6)
    world.reserve(request, lot, 2)
    shipment = world.pack(request)
    world.reserve(request, lot, 3)
    with world.database.changing() as session:
        row = session.get_one(SupplyRequest, request.id)
        service.take_back_unsent(session, row, why=service.ENDED, now=NOW)
    assert world.get(Shipment, shipment.id).state is ShipmentState.UNPACKED
    assert {one.state for one in world.all(Allocation)} == {AllocationState.RELEASED}
    assert unpromised(world, lot) == 6


def test_nothing_is_packed_for_a_request_that_has_ended(world: World) -> None:
    request = world.request()
    allocation = world.reserve(request, world.lot(4), 4)
    world.cancel(request)
    with pytest.raises(Invalid):
        world.pack(request)
    assert world.all(Shipment) == []
    assert world.get(Allocation, allocation.id).state is AllocationState.RESERVED


def test_what_is_packed_many_times_at_once_is_in_one_shipment(world: World) -> None:
    request = world.request(10)
    world.reserve(request, world.lot(4), 4)
    results = at_once(*[lambda: world.pack(request)] * 6)
    assert len(failures(results)) == 5
    assert set(failures(results)) <= {Invalid, MovedMeanwhile}
    assert len(world.all(Shipment)) == 1


def test_many_shipments_of_many_lots_at_once_do_not_block_each_other(world: World) -> None:
    lots = [world.lot(8) for _ in range(4)]
    requests = [world.request(8) for _ in range(8)]
    for number, request in enumerate(requests):
        for lot in lots if number % 2 else reversed(lots):
            world.reserve(request, lot, 1)
    results = at_once(*[lambda request=request: world.pack(request) for request in requests])
    assert failures(results) == []
    assert [unpromised(world, lot) for lot in lots] == [0] * 4


def test_a_courier_takes_a_shipment_once(world: World) -> None:
    shipment = in_transit(world)
    assert (shipment.state, shipment.courier_id) == (ShipmentState.IN_TRANSIT, world.courier.id)
    with pytest.raises(IllegalMove):
        world.depart(shipment)


def test_of_many_couriers_who_take_it_at_once_one_does(world: World) -> None:
    request = world.request(10)
    world.reserve(request, world.lot(4), 4)
    packed = world.pack(request)

    def take() -> None:
        with world.database.changing() as session:
            row = session.merge(packed, load=False)
            service.depart(session, row, courier_id=world.courier.id, now=NOW)

    assert failures(at_once(*[take] * 5)) == [MovedMeanwhile] * 4


@pytest.mark.parametrize("typed", ["", "000000", "12345", "1234567", "abc", "٣٣", "²²²²²²", "x" * 10_000])
def test_a_wrong_code_is_refused(world: World, typed: str) -> None:
    shipment = in_transit(world)
    with world.database.changing() as session:
        session.get_one(Shipment, shipment.id).hand_over_code = "271828"
    with pytest.raises(WrongCode) as refusal:
        world.confirm(shipment, typed)
    assert list(refusal.value.fields) == ["code"]
    assert world.get(Shipment, shipment.id).state is ShipmentState.IN_TRANSIT
    assert world.all(Receipt) == []


@pytest.mark.parametrize("typed", ["271828", " 271 828 ", "271-828", "٢٧١٨٢٨"])
def test_the_right_code_is_taken_however_it_was_typed(world: World, typed: str) -> None:
    shipment = in_transit(world)
    with world.database.changing() as session:
        session.get_one(Shipment, shipment.id).hand_over_code = "271828"
    receipt = world.confirm(shipment, typed)
    assert (receipt.confirmed_by, receipt.by_hand_over_code, receipt.at) == (world.courier.id, True, NOW)
    assert world.get(Shipment, shipment.id).state is ShipmentState.DELIVERED


def test_a_code_has_six_figures(world: World) -> None:
    assert [len(in_transit(world, 1).hand_over_code) for _ in range(3)] == [6] * 3


def test_a_shipment_is_confirmed_once(world: World) -> None:
    shipment = in_transit(world)
    world.confirm(shipment)
    with pytest.raises(IllegalMove):
        world.confirm(shipment)
    assert len(world.all(Receipt)) == 1


def test_of_fifty_confirmations_at_once_one_counts(world: World) -> None:
    request = world.request(10)
    shipment = in_transit(world, 10, request=request)

    def confirm() -> None:
        with world.database.changing() as session:
            row = session.merge(shipment, load=False)
            service.confirm_by_code(session, row, shipment.hand_over_code, by=world.courier.id, now=NOW)

    results = at_once(*[confirm] * 50)
    assert results.count(None) == 1
    assert failures(results) == [MovedMeanwhile] * 49
    assert len(world.all(Receipt)) == 1
    assert request_state(world, request) is RequestState.FULFILLED


def test_what_is_not_on_its_way_can_not_arrive(world: World) -> None:
    request = world.request(10)
    world.reserve(request, world.lot(4), 4)
    with pytest.raises(IllegalMove):
        world.confirm(world.pack(request))


def test_somebody_of_the_facility_confirms_without_a_code(world: World) -> None:
    shipment = in_transit(world)
    change(
        world,
        shipment,
        lambda session, row: service.confirm_by_facility(session, row, by=world.requester.id, now=NOW),
    )
    receipt = world.all(Receipt)[0]
    assert (receipt.confirmed_by, receipt.by_hand_over_code) == (world.requester.id, False)


def test_a_request_is_fulfilled_by_its_last_delivery(world: World) -> None:
    request = world.request(10)
    world.deliver(request, world.lot(6), 6)
    assert request_state(world, request) is RequestState.ACCEPTED
    world.deliver(request, world.lot(4), 4)
    assert request_state(world, request) is RequestState.FULFILLED


def test_a_request_is_fulfilled_when_its_last_two_deliveries_are_confirmed_at_once(world: World) -> None:
    request = world.request(2)
    first, second = (in_transit(world, 1, request=request) for _ in range(2))
    other = threading.Thread(target=lambda: world.confirm(second))
    with world.database.changing() as session:
        row = session.get_one(Shipment, first.id)
        service.confirm_by_code(session, row, first.hand_over_code, by=world.courier.id, now=NOW)
        other.start()
        other.join(timeout=0.3)  # it has confirmed all but what it must wait for
    other.join()
    assert request_state(world, request) is RequestState.FULFILLED


def test_a_delivery_for_a_request_that_was_cancelled_on_the_way_is_still_received(world: World) -> None:
    request = world.request(10)
    shipment = in_transit(world, 10, request=request)
    world.cancel(request)
    world.confirm(shipment)
    assert request_state(world, request) is RequestState.CANCELLED
    assert len(world.all(Receipt)) == 1


def delivered(world: World, request: SupplyRequest) -> int:
    with world.database.reading() as session:
        return service.delivered_items(session, request.id)[world.line(request).id]


@pytest.mark.parametrize(
    ("bands", "clips", "items"),
    [(3, 0, 0), (0, 6, 0), (3, 6, 3), (3, 5, 2), (2, 6, 2), (1, 1, 0)],
)
def test_a_kit_is_delivered_when_all_its_parts_are(world: World, bands: int, clips: int, items: int) -> None:
    request = world.request(3, version=world.kit)
    for name, quantity in (("band", bands), ("clip", clips)):
        if quantity:
            lot = world.lot(quantity, request=request, part=world.part(world.kit, name))
            world.deliver(request, lot, quantity)
    assert delivered(world, request) == items
    complete = RequestState.FULFILLED if items == 3 else RequestState.ACCEPTED
    assert request_state(world, request) is complete


def test_what_is_on_its_way_is_promised_and_not_delivered(world: World) -> None:
    request = world.request(10)
    in_transit(world, 4, request=request)
    assert delivered(world, request) == 0
    with world.database.reading() as session:
        line, part = world.line(request), world.part(world.headband)
        assert service.promised_pieces(session, line.id, part.id) == 4


def test_each_line_counts_for_itself(world: World) -> None:
    lines = world.new_line(quantity=2), world.new_line(quantity=3, needed_by=IN_A_WEEK + timedelta(days=1))
    with world.database.changing() as session:
        request = demand.submit(session, world.new_request(*lines), largest=LARGEST, policy=POLICY, now=NOW)
        demand.accept(session, request, by=world.dispatcher.id, now=NOW)
        early, late = demand.lines_of(session, request.id)
    lot = world.lot(5)
    with world.database.changing() as session:
        service.reserve(session, Share(early.id, lot.id, 2, "early"), now=NOW)
    shipment = world.pack(request)
    world.depart(shipment)
    world.confirm(shipment)
    with world.database.reading() as session:
        assert service.delivered_items(session, request.id) == {early.id: 2, late.id: 0}
    assert request_state(world, request) is RequestState.ACCEPTED
