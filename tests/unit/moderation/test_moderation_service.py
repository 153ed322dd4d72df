"""Reports go to who may decide; a block at a hub holds what is under way, and lifting it lets that go on."""

from datetime import timedelta

import pytest
from builders import LARGEST, NOW, POLICY, POST, World, at_once, failures, later, person

from makerhub.audit.models import Deed
from makerhub.delivery import pickups
from makerhub.delivery.models import Allocation, AllocationState, Pickup, PickupState, Shipment, ShipmentState
from makerhub.demand import service as demand
from makerhub.demand.models import RequestState, SupplyRequest
from makerhub.errors import IllegalMove, Invalid, NotAllowed, NotFound
from makerhub.hubs import service as hubs
from makerhub.hubs.models import HubProfile
from makerhub.lifecycle import Transition
from makerhub.moderation import service as moderation
from makerhub.moderation.access import DECIDE, WITHDRAW
from makerhub.moderation.models import Kind, Reason, Report, ReportState
from makerhub.notices.models import Mail
from makerhub.people import blocks, joining
from makerhub.people import service as people
from makerhub.people.access import can, visible
from makerhub.people.block_models import PersonalBlock, Suspension, SuspensionState
from makerhub.people.models import Membership, Organisation, Person, Role
from makerhub.production import service as production
from makerhub.production.models import Attempt, AttemptState, JobState, PrintJob
from makerhub.trace.invariants import breaches


def add(world: World, name: str, role: Role, where: Organisation | None = None) -> Person:
    with world.database.changing() as session:
        return person(session, name, (where or world.hub, role))


def may(world: World, who: Person, report: Report) -> tuple[bool, bool]:
    """Whether somebody decides about the report, and takes it back."""
    with world.database.reading() as session:
        me, row = session.get_one(Person, who.id), session.get_one(Report, report.id)
        return can(session, me, DECIDE, row), can(session, me, WITHDRAW, row)


def block(world: World, report: Report, by: Person, **changes: object) -> Suspension:
    fields = {"why": "You were rude.", "until": None, "post": POST, "now": NOW} | changes
    with world.database.changing() as session:
        row, decider = session.get_one(Report, report.id), session.get_one(Person, by.id)
        return moderation.block(session, row, by=decider, **fields)  # type: ignore[arg-type]


def breached(world: World) -> list[object]:
    with world.database.reading() as session:
        return list(breaches(session))


def test_the_hub_decides_and_never_who_is_reported(world: World) -> None:
    dana, ada = add(world, "Dana", Role.DISPATCHER), add(world, "Ada", Role.ADMIN)
    dora = add(world, "Dora", Role.DISPATCHER, world.hospital)
    report = world.report(Kind.PICKUP, world.pickup(PickupState.UNDER_WAY).id, by=world.maker)
    assert report.person_id == world.courier.id
    assert may(world, world.dispatcher, report) == may(world, dana, report) == may(world, ada, report) == (True, False)
    assert may(world, world.maker, report) == (False, True)
    assert may(world, world.courier, report) == may(world, dora, report) == (False, False)


def test_of_a_dispatcher_or_an_administrator_only_administrators_decide(world: World) -> None:
    ada, eve = add(world, "Ada", Role.ADMIN), add(world, "Eve", Role.ADMIN)
    for asker in (world.dispatcher, eve):
        with world.database.changing() as session:
            people.add_membership(
                session, session.get_one(Person, asker.id), session.get_one(Organisation, world.care_home.id),
                Role.REQUESTER, now=NOW,
            )  # fmt: skip
        report = world.report(Kind.REQUEST, world.request(requested_by=asker.id).id, by=world.requester)
        assert may(world, world.dispatcher, report) == (False, False)
        assert may(world, ada, report) == (True, False)
        assert may(world, asker, report) == (False, False)


def test_what_one_does_not_see_one_does_not_report(world: World) -> None:
    request, stranger = world.request(), add(world, "Bob", Role.REQUESTER, world.hub)
    for kind, thing in ((Kind.REQUEST, request.id), (Kind.FACILITY, world.care_home.id), (Kind.HUB, world.hub.id)):
        with pytest.raises(NotFound):
            world.report(kind, thing, by=stranger)
    with pytest.raises(Invalid, match="your own"):
        world.report(Kind.REQUEST, request.id, by=world.requester)


def test_reporting_twice_is_one_report_and_nobody_reports_without_end(world: World) -> None:
    requests = [world.request() for _ in range(moderation.MOST_A_DAY + 1)]
    first, again = (world.report(Kind.REQUEST, requests[0].id, by=world.dispatcher) for _ in range(2))
    assert first.id == again.id
    for request in requests[1:-1]:
        world.report(Kind.REQUEST, request.id, by=world.dispatcher)
    with pytest.raises(Invalid, match="great deal"):
        world.report(Kind.REQUEST, requests[-1].id, by=world.dispatcher)


def test_the_same_form_sent_at_once_is_one_report(world: World) -> None:
    request = world.request()
    asked = [lambda: world.report(Kind.REQUEST, request.id, by=world.dispatcher)] * 8
    assert failures(at_once(*asked)) == []
    assert len(world.all(Report)) == 1


def test_a_report_is_taken_back_until_somebody_decided(world: World) -> None:
    report = world.report(Kind.REQUEST, world.request().id, by=world.dispatcher)
    with world.database.changing() as session:
        moderation.withdraw(session, session.get_one(Report, report.id), by=world.dispatcher.id, now=NOW)
    with pytest.raises(IllegalMove), world.database.changing() as session:
        moderation.dismiss(session, session.get_one(Report, report.id), by=world.dispatcher.id, now=NOW)


def test_a_hidden_text_is_kept_by_no_report(world: World) -> None:
    request = world.request(note="call me on 020 7946 0000")
    report = world.report(Kind.REQUEST, request.id, by=world.dispatcher, reason=Reason.PRIVATE)
    assert report.said == "call me on 020 7946 0000"
    with world.database.changing() as session:
        moderation.hide(session, session.get_one(Report, report.id), by=world.dispatcher.id, now=NOW)
    assert world.get(SupplyRequest, request.id).note == ""
    assert (world.get(Report, report.id).said, world.get(Report, report.id).state) == ("", ReportState.HIDDEN)
    shipment = world.report(Kind.PICKUP, world.pickup().id, by=world.dispatcher)
    with pytest.raises(Invalid, match="no text"), world.database.changing() as session:
        moderation.hide(session, session.get_one(Report, shipment.id), by=world.dispatcher.id, now=NOW)


def test_what_a_hub_says_of_itself_is_for_administrators(world: World) -> None:
    told = hubs.Told("Kingston Hub", "Kingston", about="Send money!", chat_links=["https://chat.example/x"])
    with world.database.changing() as session:
        profile = hubs.profile_for(session, session.get_one(Organisation, world.hub.id), now=NOW)
        hubs.describe(session, profile, told, by=world.dispatcher.id, now=NOW)
    report = world.report(Kind.HUB, world.hub.id)
    assert may(world, world.dispatcher, report) == (False, False)
    with world.database.changing() as session:
        moderation.hide(session, session.get_one(Report, report.id), by=world.maker.id, now=NOW)
    profile = world.get(HubProfile, profile.id)
    assert (profile.about, profile.chat_links, profile.area) == ("", [], "Kingston")


def test_nobody_blocks_an_equal(world: World) -> None:
    dana, ada = add(world, "Dana", Role.DISPATCHER), add(world, "Ada", Role.ADMIN)
    assert moderation.may_block(world.dispatcher, world.maker, world.hub.id)
    assert moderation.may_block(ada, dana, world.hub.id)
    assert not moderation.may_block(world.dispatcher, dana, world.hub.id)
    assert not moderation.may_block(world.dispatcher, ada, world.hub.id)
    assert not moderation.may_block(ada, ada, world.hub.id)
    assert not moderation.may_block(world.dispatcher, world.requester, world.hospital.id)
    report = world.report(Kind.REQUEST, world.request().id, by=world.dispatcher)
    with pytest.raises(NotAllowed):
        block(world, report, world.maker)


def test_a_blocked_person_has_no_role_at_that_hub_until_it_is_lifted(world: World) -> None:
    with world.database.changing() as session:
        people.add_membership(
            session, session.get_one(Person, world.maker.id), session.get_one(Organisation, world.care_home.id),
            Role.REQUESTER, now=NOW,
        )  # fmt: skip
    before = world.get(Person, world.maker.id)
    suspension = world.suspend(world.maker)
    held = world.get(Person, world.maker.id)
    assert [(one.organisation_id, one.role) for one in held.roles] == [(world.care_home.id, Role.REQUESTER)]
    assert held.fs_uniquifier != before.fs_uniquifier  # whatever was signed in is not any more
    with pytest.raises(Invalid, match="already"):
        world.suspend(world.maker)
    with pytest.raises(Invalid, match="blocked"), world.database.changing() as session:
        joining.ask_to_join(
            session, session.get_one(Person, world.maker.id), session.get_one(Organisation, world.hub.id),
            Role.COURIER, now=NOW,
        )  # fmt: skip
    with world.database.changing() as session:  # whoever invites them all the same gives a role that rests
        people.add_membership(
            session, session.get_one(Person, world.maker.id), session.get_one(Organisation, world.hub.id),
            Role.HELPER, now=NOW,
        )  # fmt: skip
    assert {one.role for one in world.get(Person, world.maker.id).roles} == {Role.REQUESTER}
    world.lift(suspension)
    assert {one.role for one in world.get(Person, world.maker.id).roles} == {Role.REQUESTER, Role.MAKER, Role.HELPER}
    assert not any(one.suspended for one in world.all(Membership))
    assert {mail.letter for mail in world.all(Mail)} == {"block_lifted"}


def test_a_block_ends_when_its_time_is_over(world: World) -> None:
    suspension = world.suspend(world.courier, until=later(days=1))
    with world.database.changing() as session:
        assert moderation.lift_what_is_over(session, post=POST, now=later(hours=23)) == 0
        assert moderation.lift_what_is_over(session, post=POST, now=later(days=1)) == 1
        assert moderation.lift_what_is_over(session, post=POST, now=later(days=2)) == 0
    assert world.get(Suspension, suspension.id).state is SuspensionState.LIFTED
    assert [one.role for one in world.get(Person, world.courier.id).roles] == [Role.COURIER]
    with pytest.raises(Invalid) as refused:
        world.suspend(world.courier, until=NOW - timedelta(days=1))
    assert "until" in refused.value.fields


def test_requests_of_a_blocked_person_are_held_and_nothing_of_them_leaves(world: World) -> None:
    packed, reserved = world.request(), world.request()
    world.reserve(packed, world.lot(4), 4)
    shipment = world.pack(packed)
    world.reserve(reserved, world.lot(4), 4)
    with world.database.changing() as session:
        asked = demand.submit(session, world.new_request(), largest=LARGEST, policy=POLICY, now=NOW)
    suspension = world.suspend(world.requester)
    assert {world.get(SupplyRequest, one.id).state for one in (packed, reserved, asked)} == {RequestState.HELD}
    assert world.get(Shipment, shipment.id).state is ShipmentState.UNPACKED
    assert {one.state for one in world.all(Allocation)} == {AllocationState.RELEASED}
    with pytest.raises(Invalid, match="blocked"), world.database.changing() as session:
        demand.submit(session, world.new_request(), largest=LARGEST, policy=POLICY, now=NOW)
    with pytest.raises(Invalid):
        world.pack(packed)
    assert breached(world) == []
    world.lift(suspension)
    states = [world.get(SupplyRequest, one.id).state for one in (packed, reserved, asked)]
    assert states == [RequestState.ACCEPTED, RequestState.ACCEPTED, RequestState.SUBMITTED]


def test_what_is_with_a_courier_arrives_and_the_request_is_done_once_it_goes_on(world: World) -> None:
    request = world.request(4)
    world.reserve(request, world.lot(4), 4)
    shipment = world.pack(request)
    world.depart(shipment)
    suspension = world.suspend(world.requester)
    assert world.get(Shipment, shipment.id).state is ShipmentState.IN_TRANSIT
    world.confirm(shipment)
    assert world.get(SupplyRequest, request.id).state is RequestState.HELD
    world.lift(suspension)
    assert world.get(SupplyRequest, request.id).state is RequestState.FULFILLED


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (AttemptState.READY, AttemptState.WITHDRAWN),
        (AttemptState.PRINTING, AttemptState.FAILED),
        (AttemptState.IN_DOUBT, AttemptState.FAILED),
        (AttemptState.FINISHED, AttemptState.COUNTED),
    ],
)
def test_prints_of_a_blocked_maker_go_to_others(world: World, before: AttemptState, after: AttemptState) -> None:
    attempt = world.attempt(before)
    suspension = world.suspend(world.maker)
    assert world.get(Attempt, attempt.id).state is after
    job = world.get(PrintJob, attempt.job_id)
    assert job.state is (JobState.DONE if after is AttemptState.COUNTED else JobState.QUEUED)
    assert breached(world) == []
    world.lift(suspension)


def test_nothing_begins_on_the_printer_of_a_blocked_maker(world: World) -> None:
    world.suspend(world.maker)
    attempt = world.attempt(AttemptState.READY)
    with world.database.changing() as session:
        assert not production.may_start(session, POLICY, session.get_one(Attempt, attempt.id), now=NOW)


def test_pickups_of_a_blocked_courier_wait_for_another_and_show_no_address(world: World) -> None:
    pickup = world.pickup(PickupState.UNDER_WAY)
    world.suspend(world.courier)
    assert world.get(Pickup, pickup.id).state is PickupState.ASKED
    with pytest.raises(NotFound):
        pickups.reveal(world.database, world.key_box, pickup.id, world.courier.id, later(hours=1))
    with world.database.reading() as session:
        assert pickups.couriers_of(session, world.hub.id) == []


def test_a_pickup_of_a_blocked_maker_is_cancelled(world: World) -> None:
    pickup = world.pickup(PickupState.GIVEN)
    world.suspend(world.maker)
    assert world.get(Pickup, pickup.id).state is PickupState.CANCELLED


def apart(world: World, one: Person, other: Person) -> PersonalBlock:
    with world.database.changing() as session:
        return blocks.keep_apart(session, one.id, other.id, met_in=Kind.PICKUP, met_id=world.hub.id, now=NOW)


@pytest.mark.parametrize("who_says_so", ["maker", "courier"])
def test_a_pickup_is_not_given_to_somebody_whom_the_maker_is_kept_apart_from(world: World, who_says_so: str) -> None:
    pickup = world.pickup()
    pair = [world.maker, world.courier] if who_says_so == "maker" else [world.courier, world.maker]
    block_row = apart(world, *pair)
    assert apart(world, *pair).id == block_row.id
    with world.database.changing() as session:
        row = session.get_one(Pickup, pickup.id)
        with pytest.raises(Invalid):
            pickups.give(session, row, world.courier.id, by=world.dispatcher.id, now=NOW)
    with world.database.changing() as session:
        blocks.let_meet(session, session.get_one(PersonalBlock, block_row.id), now=NOW)
        row = session.get_one(Pickup, pickup.id)
        pickups.give(session, row, world.courier.id, by=world.dispatcher.id, now=NOW)


def test_a_courier_is_not_offered_a_delivery_to_somebody_to_be_kept_apart_from(world: World) -> None:
    request = world.request()
    world.reserve(request, world.lot(4), 4)
    world.pack(request)

    def offered() -> int:
        with world.database.reading() as session:
            return len(session.exec(visible(session.get_one(Person, world.courier.id), Shipment)).all())

    assert offered() == 1
    apart(world, world.requester, world.courier)
    assert offered() == 0


def test_the_logs_of_a_block_name_nobody_who_reported(world: World) -> None:
    report = world.report(Kind.PICKUP, world.pickup(PickupState.GIVEN).id, by=world.maker)
    suspension = block(world, report, world.dispatcher)
    about = [deed.model_dump_json() for deed in world.all(Deed) if deed.entity_id == world.courier.id]
    about += [one.model_dump_json() for one in world.all(Transition) if one.entity_id == suspension.id]
    assert about
    assert not [line for line in about if str(world.maker.id) in line or str(report.id) in line]
