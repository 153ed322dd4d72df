"""Who sees which rows, as a table: Alice owns them, Bob is a member beside her, Charlie is an outsider."""

from uuid import UUID

import pytest
from builders import NOW, World, organisation, person
from sqlmodel import SQLModel

from makerhub.delivery import access as delivery_access
from makerhub.delivery.models import AddressView, Allocation, Pickup, PickupLot, PickupState, Receipt, Shipment
from makerhub.delivery.pickups import reveal
from makerhub.demand import access as demand_access
from makerhub.demand.models import RequestLine, SupplyRequest
from makerhub.errors import NotFound
from makerhub.keys.models import KeyProof
from makerhub.people import homes
from makerhub.people.access import find, visible
from makerhub.people.home_models import MakerAddress, MakerSettings
from makerhub.people.models import Organisation, OrganisationKind, Person, Role
from makerhub.people.quiet_hours import QuietHours
from makerhub.printers import access as printers_access
from makerhub.printers.models import BuildPlate, Observation, Printer
from makerhub.production import access as production_access
from makerhub.production.models import Attempt, AttemptState, PrintJob
from makerhub.stock import access as stock_access
from makerhub.stock.models import Entry, Inspection, Lot

assert delivery_access, demand_access
assert printers_access, production_access
assert stock_access  # each registers its rules when it is imported

RULES: dict[type[SQLModel], set[str]] = {
    SupplyRequest: {"requester", "colleague", "dispatcher", "admin"},
    Printer: {"maker", "dispatcher", "admin"},
    PrintJob: {"dispatcher", "admin"},
    Attempt: {"maker", "dispatcher", "admin"},
    Lot: {"maker", "dispatcher", "admin"},
    Shipment: {"requester", "colleague", "dispatcher", "courier", "admin"},
    Pickup: {"maker", "dispatcher", "courier"},
    AddressView: {"maker"},
    MakerAddress: {"maker"},
    MakerSettings: {"maker"},
    PickupLot: set(),
    KeyProof: set(),
    RequestLine: set(),
    BuildPlate: set(),
    Observation: set(),
    Entry: set(),
    Inspection: set(),
    Allocation: set(),
    Receipt: set(),
}


@pytest.fixture
def people(world: World) -> dict[str, Person]:
    """Those who have to do with the world's rows, and strangers who have the same roles elsewhere."""
    with world.database.changing() as session:
        elsewhere = organisation(session, OrganisationKind.HUB, "Elsewhere Hub")
        stranger = organisation(session, OrganisationKind.HOSPITAL, "Elsewhere Hospital")
        return {
            "requester": world.requester,
            "colleague": person(session, "Colin", (world.care_home, Role.REQUESTER)),
            "maker": world.maker,
            "other maker": person(session, "Olga", (world.hub, Role.MAKER)),
            "dispatcher": world.dispatcher,
            "courier": world.courier,
            "admin": person(session, "Ada", (world.hub, Role.ADMIN)),
            "nobody": person(session, "Nobody"),
            "requester elsewhere": person(session, "Rex", (stranger, Role.REQUESTER)),
            "dispatcher elsewhere": person(session, "Dora", (elsewhere, Role.DISPATCHER)),
            "courier elsewhere": person(session, "Curt", (elsewhere, Role.COURIER)),
            "dispatcher of the facility": person(session, "Fay", (world.care_home, Role.DISPATCHER)),
            "requester of the hub": person(session, "Hal", (world.hub, Role.REQUESTER)),
        }


def who_sees(world: World, people: dict[str, Person], model: type[SQLModel]) -> set[str]:
    with world.database.reading() as session:
        return {name for name, somebody in people.items() if session.exec(visible(somebody, model)).all()}


def test_each_row_is_seen_by_those_of_the_table_and_by_nobody_else(world: World, people: dict[str, Person]) -> None:
    request = world.request()
    world.seen(world.printer)
    world.reserve(request, world.lot(4), 4)
    world.depart(world.pack(request))
    pickup = world.pickup(PickupState.UNDER_WAY)
    reveal(world.database, world.key_box, pickup.id, world.courier.id, NOW)
    with world.database.changing() as session:
        homes.set_quiet_hours(session, world.maker.id, QuietHours(0, 60), now=NOW)
    assert {model: who_sees(world, people, model) for model in RULES} == RULES


def test_a_disabled_person_sees_nothing(world: World, people: dict[str, Person]) -> None:
    request = world.request()
    world.reserve(request, world.lot(4), 4)
    world.pack(request)
    for somebody in people.values():
        somebody.active = False
    assert {model: who_sees(world, people, model) for model in RULES} == {model: set() for model in RULES}


def test_a_packed_shipment_is_seen_by_every_courier_of_its_hub_and_later_by_its_own(world: World) -> None:
    with world.database.changing() as session:
        other = person(session, "Cora", (world.hub, Role.COURIER))
    people = {"courier": world.courier, "other courier": other}
    request = world.request()
    world.reserve(request, world.lot(4), 4)
    shipment = world.pack(request)
    assert who_sees(world, people, Shipment) == {"courier", "other courier"}
    world.depart(shipment)
    assert who_sees(world, people, Shipment) == {"courier"}
    world.confirm(shipment)
    assert who_sees(world, people, Shipment) == {"courier"}


def test_a_maker_sees_only_what_is_on_the_own_printers(world: World) -> None:
    with world.database.changing() as session:
        other = person(session, "Olga", (world.hub, Role.MAKER))
    hers = world.add_printer("Olga's", owner=other)
    mine = world.attempt(AttemptState.PRINTING)
    theirs = world.attempt(AttemptState.PRINTING, printer=hers)
    with world.database.reading() as session:
        assert [row.id for row in session.exec(visible(world.maker, Attempt))] == [mine.id]
        assert [row.id for row in session.exec(visible(other, Attempt))] == [theirs.id]
        assert [row.id for row in session.exec(visible(other, Printer))] == [hers.id]


def test_what_is_somebody_elses_can_not_be_found(world: World, people: dict[str, Person]) -> None:
    request = world.request()
    with world.database.reading() as session:
        assert find(session, people["colleague"], SupplyRequest, request.id).id == request.id
        for name in ("nobody", "maker", "courier", "requester elsewhere", "dispatcher elsewhere"):
            with pytest.raises(NotFound):
                find(session, people[name], SupplyRequest, request.id)
        with pytest.raises(NotFound):
            find(session, people["dispatcher"], SupplyRequest, UUID(int=0))


def test_a_dispatcher_sees_requests_of_the_own_hub_only(world: World) -> None:
    with world.database.changing() as session:
        elsewhere = organisation(session, OrganisationKind.HUB, "Elsewhere Hub")
    mine, theirs = world.request(), world.request(hub_id=elsewhere.id)
    with world.database.reading() as session:
        assert [row.id for row in session.exec(visible(world.dispatcher, SupplyRequest))] == [mine.id]
        seen = {row.id for row in session.exec(visible(world.requester, SupplyRequest))}
    assert seen == {mine.id, theirs.id}
    assert world.get(Organisation, elsewhere.id).kind is OrganisationKind.HUB
