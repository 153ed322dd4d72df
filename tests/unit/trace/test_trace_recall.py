from typing import Any

import pytest
from builders import NOW, World, later

from makerhub.delivery.models import Allocation, AllocationState, Shipment, ShipmentState
from makerhub.designs.models import Approval, ApprovalState, DesignVersion, PlateSlice, VersionState
from makerhub.errors import IllegalMove, Invalid
from makerhub.production.models import Attempt, AttemptState
from makerhub.stock import service as stock
from makerhub.stock.ledger import Account, balance
from makerhub.stock.models import AccountKind, Lot, LotState
from makerhub.trace import recall
from makerhub.trace.models import NoticeState, Recall, RecallNotice
from makerhub.trace.recall import Scope
from makerhub.trace.tasks import carry_out_recalls


def withdraw(world: World, why: str = "the hook cracks") -> Recall:
    with world.database.changing() as session:
        row = session.get_one(DesignVersion, world.headband.id)
        return recall.withdraw_version(session, row, by=world.dispatcher.id, why=why, now=NOW)


def sweep(world: World) -> None:
    carry_out_recalls.function(world.database, lambda: later(hours=1))


def answer(world: World, notice: RecallNotice, set_aside: int) -> None:
    with world.database.changing() as session:
        row = session.get_one(RecallNotice, notice.id)
        recall.answer(session, row, set_aside=set_aside, by=world.requester.id, now=NOW)


def notices(world: World) -> list[tuple[object, int, NoticeState]]:
    return [(notice.facility_id, notice.pieces, notice.state) for notice in world.all(RecallNotice)]


def test_it_ends_requests_and_sets_aside_what_lies_at_makers_and_hubs(world: World) -> None:
    at_maker, at_hub, other = world.lot_at_maker(4), world.lot(4), world.lot(2, part=world.part(world.kit))
    withdraw(world)
    assert world.get(DesignVersion, world.headband.id).state is VersionState.WITHDRAWN
    assert world.get(Lot, at_maker.id).state is LotState.RECALLED
    assert world.get(Lot, at_hub.id).state is LotState.RECALLED
    assert world.get(Lot, other.id).state is LotState.PASSED
    assert notices(world) == []


def test_what_is_reserved_is_released_and_can_not_be_reserved_again(world: World) -> None:
    request, lot = world.request(), world.lot(4)
    allocation = world.reserve(request, lot, 4)
    withdraw(world)
    assert world.get(Allocation, allocation.id).state is AllocationState.RELEASED
    with pytest.raises(Invalid, match="promised to somebody else"):
        world.reserve(request, lot, 1)


def test_a_packed_shipment_is_unpacked_with_all_that_is_in_it(world: World) -> None:
    request, recalled, sound = world.request(), world.lot(4), world.lot(3, part=world.part(world.kit))
    world.reserve(request, recalled, 4)
    world.reserve(request, sound, 3)
    shipment = world.pack(request)
    withdraw(world)
    assert world.get(Shipment, shipment.id).state is ShipmentState.UNPACKED
    with world.database.reading() as session:
        for lot, pieces in ((recalled, 4), (sound, 3)):
            assert balance(session, lot.id, Account(AccountKind.HUB, world.hub.id)) == pieces
            assert balance(session, lot.id, Account(AccountKind.SHIPMENT, shipment.id)) == 0
    assert world.get(Lot, sound.id).state is LotState.PASSED
    assert notices(world) == []
    assert world.reserve(request, sound, 3).state is AllocationState.RESERVED


def test_every_facility_that_got_pieces_is_told_once(world: World) -> None:
    lot = world.lot(9)
    for facility, pieces in ((world.care_home, 2), (world.care_home, 3), (world.hospital, 4)):
        world.deliver(world.request(pieces, facility_id=facility.id), lot, pieces)
    withdraw(world)
    sweep(world)
    told = {(world.care_home.id, 5, NoticeState.OPEN), (world.hospital.id, 4, NoticeState.OPEN)}
    assert set(notices(world)) == told


def test_what_is_on_its_way_is_recalled_from_whoever_gets_it(world: World) -> None:
    request = world.request()
    world.reserve(request, world.lot(4), 4)
    shipment = world.pack(request)
    world.depart(shipment)
    withdraw(world)
    assert notices(world) == [(world.care_home.id, 4, NoticeState.OPEN)]
    world.confirm(shipment)


def test_prints_that_were_under_way_are_set_aside_by_the_sweep(world: World) -> None:
    finished = world.attempt(AttemptState.FINISHED, job=world.job(3))
    withdraw(world)
    with world.database.changing() as session:
        attempt = session.get_one(Attempt, finished.id)
        late = stock.count_print(session, attempt, good=3, by=world.maker.id, now=NOW)
    assert late is not None
    sweep(world)
    assert world.get(Lot, late.id).state is LotState.RECALLED
    with pytest.raises(IllegalMove), world.database.changing() as session:
        stock.inspect(session, session.get_one(Lot, late.id), passed=3, by=world.dispatcher.id, now=NOW)


def test_only_one_material_or_one_hub_may_be_recalled(world: World) -> None:
    petg, other = world.lot(4), world.lot(4)
    with world.database.changing() as session:
        plate_id = session.get_one(Attempt, other.attempt_id).plate_slice_id
        session.get_one(PlateSlice, plate_id).material = "PLA"
    with world.database.changing() as session:
        scope = Scope(world.headband.id, material="PLA", hub_id=world.hub.id)
        recall.recall(session, scope, by=world.dispatcher.id, why="it softens when washed", now=NOW)
        elsewhere = Scope(world.headband.id, hub_id=world.care_home.id)
        recall.recall(session, elsewhere, by=world.dispatcher.id, why="nothing was made there", now=NOW)
    assert world.get(Lot, petg.id).state is LotState.PASSED
    assert world.get(Lot, other.id).state is LotState.RECALLED


def test_what_it_would_touch_is_known_before(world: World) -> None:
    world.deliver(world.request(), world.lot(4), 3)
    with world.database.reading() as session:
        reach = recall.reach(session, Scope(world.headband.id))
    assert (reach.lots, reach.shipments, reach.facilities) == (1, 0, {world.care_home.id: 3})


def test_a_shipment_that_would_be_unpacked_is_counted_once(world: World) -> None:
    request, one, another = world.request(), world.lot(4), world.lot(4)
    world.reserve(request, one, 2)
    world.reserve(request, another, 2)
    world.pack(request)
    with world.database.reading() as session:
        reach = recall.reach(session, Scope(world.headband.id))
    assert (reach.lots, reach.shipments, reach.facilities) == (2, 1, {})


def withdraw_within(world: World, **scope: Any) -> Recall:
    with world.database.changing() as session:
        row = session.get_one(DesignVersion, world.headband.id)
        wanted = Scope(row.id, **scope)
        return recall.withdraw_within(session, row, wanted, by=world.dispatcher.id, why="it softens", now=NOW)


def test_a_version_is_withdrawn_for_one_material_and_its_lots_are_recalled(world: World) -> None:
    lot = world.lot(4)
    other = withdraw_within(world, material="PLA")
    assert (other.material, world.get(Lot, lot.id).state) == ("PLA", LotState.PASSED)
    withdraw_within(world, material="PETG", hub_id=world.hub.id)
    assert world.get(Lot, lot.id).state is LotState.RECALLED
    assert world.get(DesignVersion, world.headband.id).state is VersionState.PUBLISHED
    withdrawn = [row for row in world.all(Approval) if row.state is ApprovalState.WITHDRAWN]
    assert {(row.material, row.hub_id, row.evidence) for row in withdrawn} == {
        ("PLA", None, "it softens"),
        ("PETG", world.hub.id, "it softens"),
    }


def test_without_a_material_or_a_hub_it_is_the_version_that_is_withdrawn(world: World) -> None:
    withdraw_within(world)
    assert world.get(DesignVersion, world.headband.id).state is VersionState.WITHDRAWN
    for scope in ({}, {"material": "PETG"}):
        with pytest.raises(IllegalMove):
            withdraw_within(world, **scope)


def test_what_is_withdrawn_for_a_material_is_so_once(world: World) -> None:
    withdraw_within(world, material="PETG")
    with pytest.raises(IllegalMove):
        withdraw_within(world, material="PETG")
    assert len(world.all(Recall)) == 1


def test_a_facility_answers_and_is_asked_again_when_more_reaches_it(world: World) -> None:
    request, lot = world.request(), world.lot(4)
    world.deliver(request, lot, 2)
    begun = withdraw(world)
    (notice,) = world.all(RecallNotice)
    for impossible in (-1, 3):
        with pytest.raises(Invalid):
            answer(world, notice, impossible)
    answer(world, notice, 1)
    sweep(world)
    assert notices(world) == [(world.care_home.id, 2, NoticeState.ANSWERED)]
    with world.database.changing() as session:  # another one of the same recall, as if it had been on its way
        session.get_one(Lot, lot.id).state = LotState.PASSED
    world.deliver(request, lot, 1)
    with world.database.changing() as session:
        recall.carry_out(session, session.get_one(Recall, begun.id), now=later(hours=2))
    assert notices(world) == [(world.care_home.id, 3, NoticeState.OPEN)]


@pytest.mark.parametrize("why", ["", "  ", "x" * 501])
def test_a_reason_is_needed_and_nothing_happens_without_one(world: World, why: str) -> None:
    with pytest.raises(Invalid) as refusal:
        withdraw(world, why)
    assert "why" in refusal.value.fields
    assert world.get(DesignVersion, world.headband.id).state is VersionState.PUBLISHED


def test_a_version_is_withdrawn_once(world: World) -> None:
    withdraw(world)
    with pytest.raises(IllegalMove):
        withdraw(world)
    assert len(world.all(Recall)) == 1
