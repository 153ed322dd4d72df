import dataclasses

import pytest
from builders import NOW, World

from makerhub.delivery.models import AllocationState
from makerhub.demand.models import SupplyRequest
from makerhub.production.models import Attempt, PrintJob
from makerhub.stock.models import Lot
from makerhub.trace import service
from makerhub.trace.service import NoSuchLot, Trace


def traced(world: World, lot: Lot) -> Trace:
    with world.database.reading() as session:
        return service.trace(session, lot.label)


def test_a_delivered_lot_is_traced_back_to_its_gcode_and_on_to_its_recipient(world: World) -> None:
    request = world.request(20)
    lot = world.lot(3, good=4, copies=5, request=request)
    shipment = world.deliver(request, lot, 3)
    attempt = world.get(Attempt, lot.attempt_id)
    found = traced(world, lot)
    assert (found.label, found.quantity, found.made_at) == (lot.label, 4, NOW)
    assert (found.design_key, found.design, found.design_version) == ("headband", "Headband", "1.0")
    assert (found.design_hash, found.part) == (world.headband.content_hash, "band")
    assert found.mesh_sha256 == world.part(world.headband).mesh_sha256
    assert len(found.gcode_sha256) == 64
    assert (found.slicer, found.milligrams, found.material) == ("PrusaSlicer 2.5.0", 42_000, "PETG")
    assert (found.printer_id, found.printer_model) == (world.printer.id, "prusa-mk3s")
    assert (found.print_job_id, found.planned_for_request) == (attempt.job_id, request.id)
    assert (found.attempt_id, found.attempt_number, found.file_name) == (attempt.id, 1, attempt.file_name)
    assert (found.started_at, found.ended_at) == (NOW, NOW)
    assert (found.good, found.bad, found.passed, found.rejected, found.inspected_at) == (4, 1, 3, 1, NOW)
    assert found.maker_reference == world.maker.maker_reference
    [recipient] = found.recipients
    assert (recipient.request_id, recipient.facility, recipient.quantity) == (request.id, "Rosewood", 3)
    assert (recipient.state, recipient.shipment_id) == (AllocationState.DELIVERED, shipment.id)
    assert (recipient.received_at, recipient.reason) == (NOW, "first in the order of service")
    assert found.whereabouts == {"production": -4, "facility": 3, "scrap": 1}
    assert found.is_complete


def test_no_name_of_a_person_stands_in_the_chain(world: World) -> None:
    request, lot = world.request(), world.lot(4)
    world.deliver(request, lot, 4)
    told = str(dataclasses.asdict(traced(world, lot)))
    people = (world.maker, world.requester, world.dispatcher, world.courier)
    assert [
        word for somebody in people for word in (somebody.name, somebody.email, str(somebody.id)) if word in told
    ] == []


def test_a_lot_that_has_gone_nowhere_is_traced_as_far_as_it_is(world: World) -> None:
    lot = world.lot_at_maker(4)
    found = traced(world, lot)
    assert (found.passed, found.rejected, found.inspected_at, list(found.recipients)) == (None, None, None, [])
    assert found.whereabouts == {"production": -4, "maker": 4}
    assert not found.is_complete


def test_a_lot_for_two_facilities_is_added_up(world: World) -> None:
    lot = world.lot(6)
    world.deliver(world.request(10), lot, 2)
    world.deliver(world.request(10, facility_id=world.hospital.id), lot, 3)
    found = traced(world, lot)
    assert found.whereabouts == {"production": -6, "facility": 5, "hub": 1}
    assert sorted((to.facility, to.quantity) for to in found.recipients) == [("Rosewood", 2), ("St Mary's", 3)]


def test_what_is_on_its_way_has_no_receipt(world: World) -> None:
    request, lot = world.request(), world.lot(4)
    world.reserve(request, lot, 4)
    assert [to.state for to in traced(world, lot).recipients] == [AllocationState.RESERVED]
    world.depart(world.pack(request))
    found = traced(world, lot)
    assert [(to.state, to.received_at) for to in found.recipients] == [(AllocationState.SHIPPED, None)]
    assert found.whereabouts == {"production": -4, "shipment": 4}
    assert not found.is_complete


@pytest.mark.parametrize("label", ["", "2222222222", "x" * 5000])
def test_an_unknown_label_is_told_so(world: World, label: str) -> None:
    with world.database.reading() as session, pytest.raises(NoSuchLot) as refusal:
        service.trace(session, label)
    assert refusal.value.values == {"label": label[:32]}


def test_the_lots_of_a_request_are_those_from_which_it_has_or_gets_pieces(world: World) -> None:
    request, other = world.request(), world.request()
    mine, shared, released = world.lot(2), world.lot(4), world.lot(2)
    world.deliver(request, mine, 2)
    world.deliver(other, shared, 2)
    allocation = world.reserve(request, shared, 2)
    assert allocation.quantity == 2
    with world.database.reading() as session:
        assert {lot.id for lot in service.lots_of_request(session, request.id)} == {mine.id, shared.id}
        assert {lot.id for lot in service.lots_of_request(session, other.id)} == {shared.id}
    assert world.get(Lot, released.id).quantity == 2


def test_the_trace_goes_both_ways(world: World) -> None:
    """From the request to its lots, and from each of them back to the request."""
    request = world.request(10)
    for _ in range(3):
        world.deliver(request, world.lot(2, request=request), 2)
    with world.database.reading() as session:
        lots = service.lots_of_request(session, request.id)
        back = [service.trace(session, lot.label) for lot in lots]
    assert len(back) == 3
    assert {to.request_id for found in back for to in found.recipients} == {world.get(SupplyRequest, request.id).id}
    assert {found.print_job_id for found in back} <= {job.id for job in world.all(PrintJob)}


def test_the_lot_of_the_filament_is_in_the_chain(world: World) -> None:
    world.spool(on=world.printer, brand="Prusament", lot="4711", colour="orange")
    assert traced(world, world.lot_at_maker(2)).filament == "Prusament, 4711, orange"
