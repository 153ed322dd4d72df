"""What facilities may be promised before they are verified: the rule by property, and the sweep that holds to it."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from builders import LARGEST, NOW, POLICY, World, later, organisation, person, prove
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from makerhub.config import Settings
from makerhub.delivery.models import Allocation, AllocationState, Shipment, ShipmentState
from makerhub.demand import service as demand
from makerhub.demand.models import SupplyRequest
from makerhub.facilities import service as facilities
from makerhub.facilities.ladder import EvidenceKind, Limits
from makerhub.facilities.models import Evidence
from makerhub.lifecycle import history
from makerhub.people.models import Organisation, OrganisationKind, Role
from makerhub.planning.allocation import WantedKits
from makerhub.planning.holding import NOT_PROVED, beyond_limits
from makerhub.planning.limits import Allowance, kits_promised, within
from makerhub.planning.tasks import allocate_lots
from makerhub.planning.view import View, promised_to
from makerhub.trace.invariants import breaches

PART = uuid4()
FACILITIES = [uuid4() for _ in range(3)]
Asked = tuple[WantedKits, UUID]


@st.composite
def asked(draw: st.DrawFn) -> Asked:
    each = draw(st.integers(1, 3))
    kits = draw(st.integers(1, 30))
    promised = draw(st.integers(0, kits * each))
    needed_by, tier = NOW + timedelta(days=draw(st.integers(1, 9))), draw(st.integers(0, 2))
    line = WantedKits(uuid4(), kits, {PART: each}, {PART: promised}, needed_by, tier)
    return line, draw(st.sampled_from(FACILITIES))


allowances = st.dictionaries(
    st.sampled_from(FACILITIES), st.builds(Allowance, st.integers(0, 40), st.integers(0, 20)), max_size=3
)


@given(st.lists(asked(), max_size=8), allowances)
def test_no_facility_gets_more_than_its_allowance_beyond_what_it_holds(
    rows: Sequence[Asked], allowed: dict[UUID, Allowance]
) -> None:
    wanted, facility_of = [line for line, _ in rows], {line.line_id: facility for line, facility in rows}
    granted = {line.line_id: line for line in within(wanted, facility_of, allowed)}
    for facility in FACILITIES:
        mine = [line for line in wanted if facility_of[line.line_id] == facility]
        held = sum(kits_promised(line.pieces, line.promised) for line in mine)
        given_now = sum(granted[line.line_id].kits if line.line_id in granted else 0 for line in mine)
        if facility in allowed:
            room = max(0, allowed[facility].most - allowed[facility].elsewhere - held)
            assert given_now <= held + room
        else:
            assert [granted[line.line_id] for line in mine] == mine
    assert all(granted[line.line_id].kits <= line.kits for line in wanted if line.line_id in granted)


@given(st.lists(asked(), min_size=1, max_size=8), st.integers(0, 40))
def test_a_higher_allowance_never_gives_less(rows: Sequence[Asked], most: int) -> None:
    wanted, facility_of = [line for line, _ in rows], {line.line_id: facility for line, facility in rows}

    def total(limit: int) -> int:
        return sum(line.kits for line in within(wanted, facility_of, dict.fromkeys(FACILITIES, Allowance(limit))))

    assert total(most) <= total(most + 1)


@pytest.fixture
def elm(world: World) -> Organisation:
    with world.database.changing() as session:
        return organisation(session, OrganisationKind.CARE_HOME, "Elm House")


def ask(world: World, facility: Organisation, quantity: int = 10) -> SupplyRequest:
    with world.database.changing() as session:
        asking = person(session, f"Elena-{uuid4().hex[:6]}", (facility, Role.REQUESTER))
        new = world.new_request(world.new_line(quantity=quantity), facility_id=facility.id, requested_by=asking.id)
        request = demand.submit(session, new, largest=LARGEST, policy=POLICY, now=NOW)
        demand.accept(session, request, by=world.dispatcher.id, now=NOW)
        return request


def allocate(world: World, days: float = 0, most_for_mail_proved: int = 0) -> None:
    settings = Settings(most_for_mail_proved=most_for_mail_proved)
    parts = {"database": world.database, "settings": settings, "clock": lambda: later(days=days)}
    allocate_lots.bind(parts)()


def reserved(world: World, request: SupplyRequest) -> int:
    line = world.line(request)
    held = select(Allocation).where(Allocation.line_id == line.id, Allocation.state == AllocationState.RESERVED)
    with world.database.reading() as session:
        return sum(one.quantity for one in session.exec(held))


def test_an_unproved_facility_may_ask_and_nothing_is_printed_or_reserved_for_it(
    world: World, elm: Organisation
) -> None:
    request = ask(world, elm)
    world.lot(8, request=request)
    allocate(world)
    assert reserved(world, request) == 0
    with world.database.reading() as session:
        assert View(session, world.hub.id, POLICY, NOW, Limits()).wanted() == []


def test_what_it_may_have_grows_with_what_is_proved(world: World, elm: Organisation) -> None:
    request = ask(world, elm, 9)
    world.lot(8, request=request)
    with world.database.changing() as session:
        prove(session, elm, [EvidenceKind.MAIL_DOMAIN])
    allocate(world, most_for_mail_proved=3)
    assert reserved(world, request) == 3
    allocate(world, most_for_mail_proved=3)
    assert reserved(world, request) == 3
    with world.database.changing() as session:
        prove(session, elm, [EvidenceKind.REGISTER_MATCH, EvidenceKind.CALL_BACK])
    allocate(world, most_for_mail_proved=3)
    assert reserved(world, request) == 8


def test_the_limit_counts_what_other_requests_got(world: World, elm: Organisation) -> None:
    with world.database.changing() as session:
        prove(session, elm, [EvidenceKind.MAIL_DOMAIN])
    first = ask(world, elm, 2)
    lot = world.lot(8, request=first)
    allocate(world, most_for_mail_proved=3)
    world.depart(shipment := world.pack(first))
    world.confirm(shipment)
    second = ask(world, elm, 5)
    allocate(world, most_for_mail_proved=3)
    assert reserved(world, second) == 1
    with world.database.reading() as session:
        assert promised_to(session, elm.id) == 3
    assert lot.quantity == 8


def test_when_evidence_expires_or_is_revoked_what_is_reserved_is_taken_back(world: World) -> None:
    request = world.request(5)
    world.lot(8, request=request)
    allocate(world)
    assert reserved(world, request) == 5
    with world.database.changing() as session:
        for one in session.exec(select(Evidence).where(Evidence.facility_id == world.care_home.id)).all():
            facilities.revoke(session, one, by=world.dispatcher.id, why="a fake", now=NOW)
    with world.database.reading() as session:
        assert beyond_limits(session, Limits(), NOW) == [world.care_home.id]
        assert beyond_limits(session, Limits(draft=5), NOW) == []
    allocate(world)
    assert reserved(world, request) == 0
    with world.database.reading() as session:
        assert beyond_limits(session, Limits(), NOW) == []


def revoke_all(world: World) -> None:
    with world.database.changing() as session:
        for one in session.exec(select(Evidence).where(Evidence.facility_id == world.care_home.id)).all():
            facilities.revoke(session, one, by=world.dispatcher.id, why="a fake", now=NOW)


def test_what_is_packed_beyond_the_limit_is_unpacked_the_latest_first_and_what_left_stays(world: World) -> None:
    request = world.request(9)
    shipments = []
    for quantity in (2, 3, 4):
        world.reserve(request, world.lot(quantity, request=request), quantity)
        shipments.append(world.pack(request))
    world.depart(shipments[0])
    revoke_all(world)
    with world.database.changing() as session:
        prove(session, session.get_one(Organisation, world.care_home.id), [EvidenceKind.MAIL_DOMAIN])
        session.get_one(Shipment, shipments[1].id).packed_at = later(hours=1)
    allocate(world, most_for_mail_proved=6)
    states = [world.get(Shipment, one.id).state for one in shipments]
    assert states == [ShipmentState.IN_TRANSIT, ShipmentState.UNPACKED, ShipmentState.PACKED]
    assert reserved(world, request) == 0
    allocate(world, most_for_mail_proved=0)
    assert world.get(Shipment, shipments[2].id).state is ShipmentState.UNPACKED
    with world.database.reading() as session:
        unpacked = session.get_one(Shipment, shipments[2].id)
        assert history(session, unpacked)[-1].why == NOT_PROVED
        assert breaches(session) == []


def test_what_is_packed_for_a_request_that_was_cancelled_goes_to_who_still_waits(world: World) -> None:
    cancelled, waiting = world.request(4), world.request(4)
    world.reserve(cancelled, world.lot(4, request=cancelled), 4)
    shipment = world.pack(cancelled)
    world.cancel(cancelled)
    allocate(world)
    assert world.get(Shipment, shipment.id).state is ShipmentState.UNPACKED
    assert reserved(world, waiting) == 4


def test_a_facility_whose_evidence_expired_long_ago_has_nothing_reserved(world: World) -> None:
    request = world.request(5)
    world.lot(8, request=request)
    allocate(world)
    allocate(world, days=40_000)
    assert reserved(world, request) == 0
