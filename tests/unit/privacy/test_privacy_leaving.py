"""Leaving a hub: what is under way comes to its end first, and what hangs on the role ends with it."""

from uuid import UUID

import pytest
from builders import NOW, World, person
from sqlmodel import select

from makerhub.audit.models import Deed
from makerhub.delivery.models import Pickup, PickupState
from makerhub.errors import Invalid
from makerhub.hubs import service as hubs
from makerhub.hubs.models import HubState, MakerCell
from makerhub.people import homes
from makerhub.people.home_models import MakerAddress
from makerhub.people.models import Membership, Organisation, Role
from makerhub.places.distance import Point
from makerhub.printers.models import Printer, PrinterState
from makerhub.privacy import leaving
from makerhub.production.models import Attempt, AttemptState


def end(world: World, who: UUID, role: Role) -> None:
    with world.database.changing() as session:
        wanted = select(Membership).where(Membership.person_id == who, Membership.role == role)
        leaving.end_role(session, session.exec(wanted).one(), by=who, now=NOW)


def roles(world: World, who: UUID) -> set[Role]:
    return {one.role for one in world.all(Membership) if one.person_id == who}


def test_a_maker_takes_printers_back_and_is_on_no_map_and_without_an_address(world: World) -> None:
    with world.database.changing() as session:
        hubs.keep_cell(session, world.maker.id, Point(51.4, -0.3))
        homes.enter_address(session, world.maker.id, "7 Larch Lane", world.key_box, now=NOW)
    offered = world.attempt(AttemptState.OFFERED)
    end(world, world.maker.id, Role.MAKER)
    assert roles(world, world.maker.id) == set()
    assert world.get(Printer, world.printer.id).state is PrinterState.RETIRED
    assert world.get(Attempt, offered.id).state is AttemptState.WITHDRAWN
    assert world.all(MakerCell) == []
    assert world.all(MakerAddress) == []
    assert [deed.by for deed in world.all(Deed) if deed.what == "role taken"] == [world.maker.id]


@pytest.mark.parametrize("state", [AttemptState.PRINTING, AttemptState.IN_DOUBT, AttemptState.FINISHED])
def test_a_print_under_way_is_finished_first(world: World, state: AttemptState) -> None:
    world.attempt(state)
    with pytest.raises(Invalid, match="not counted yet"):
        end(world, world.maker.id, Role.MAKER)
    assert roles(world, world.maker.id) == {Role.MAKER}
    assert world.get(Printer, world.printer.id).state is PrinterState.ACTIVE


def test_a_maker_of_two_hubs_stays_on_the_map_and_keeps_the_other_printers(world: World) -> None:
    with world.database.changing() as session:
        other = Organisation(kind=world.hub.kind, name="Other Hub")
        session.add(other)
        session.flush()
        session.add(Membership(person_id=world.maker.id, organisation_id=other.id, role=Role.MAKER))
        hubs.keep_cell(session, world.maker.id, Point(51.4, -0.3))
    kept = world.add_printer("There", hub=other)
    with world.database.changing() as session:
        here = select(Membership).where(Membership.organisation_id == world.hub.id, Membership.role == Role.MAKER)
        leaving.end_role(session, session.exec(here).one(), by=world.maker.id, now=NOW)
    assert world.get(Printer, kept.id).state is PrinterState.ACTIVE
    assert len(world.all(MakerCell)) == 1


def test_a_courier_gives_back_what_was_agreed_and_brings_what_is_on_its_way(world: World) -> None:
    pickup = world.pickup(PickupState.GIVEN)
    end(world, world.courier.id, Role.COURIER)
    assert world.get(Pickup, pickup.id).state is PickupState.ASKED


def test_a_courier_on_the_road_stays_one(world: World) -> None:
    request = world.request(1)
    lot = world.lot(1, request=request)
    world.reserve(request, lot, 1)
    world.depart(world.pack(request))
    with pytest.raises(Invalid, match="on its way"):
        end(world, world.courier.id, Role.COURIER)


def test_a_hub_that_works_or_sleeps_is_never_without_a_dispatcher(world: World) -> None:
    with world.database.changing() as session:
        profile = hubs.profile_for(session, session.get_one(Organisation, world.hub.id), now=NOW)
    for state in (HubState.ACTIVE, HubState.SLEEPING):
        with world.database.changing() as session:
            profile.state = state
            session.add(profile)
        with pytest.raises(Invalid, match="without a dispatcher"):
            end(world, world.dispatcher.id, Role.DISPATCHER)
    with world.database.changing() as session:
        person(session, "Dora", (session.get_one(Organisation, world.hub.id), Role.DISPATCHER))
    end(world, world.dispatcher.id, Role.DISPATCHER)
    assert roles(world, world.dispatcher.id) == set()
