"""Erasing people: nothing that names them is left in any table, and every lot can still be followed."""

import pytest
from builders import ADDRESS, NOW, World, later
from sqlmodel import SQLModel, select
from unit.notices.sample_letters import NEWS

from makerhub.delivery import pickups
from makerhub.delivery.models import AddressView, Pickup, PickupState, Shipment, ShipmentState
from makerhub.facilities import service as facilities
from makerhub.facilities.ladder import Standing
from makerhub.facilities.models import CallBack, CallOutcome, Evidence
from makerhub.facilities.service import standing_of
from makerhub.notices import service as notices
from makerhub.notices.models import Mail, MailState
from makerhub.people import homes
from makerhub.people.home_models import MakerAddress
from makerhub.people.models import Membership, Organisation, Person
from makerhub.people.quiet_hours import QuietHours
from makerhub.printers.models import Observation, Printer, PrinterState
from makerhub.privacy.erasure import erase
from makerhub.privacy.export import count
from makerhub.production.models import Attempt, AttemptState, PrintJob
from makerhub.stock.models import Lot
from makerhub.trace.invariants import breaches
from makerhub.trace.service import trace


def content(world: World) -> str:
    with world.database.reading() as session:
        rows = [repr(session.execute(table.select()).all()) for table in SQLModel.metadata.sorted_tables]
    return "\n".join(rows)


def erased(world: World, person: Person) -> None:
    with world.database.changing() as session:
        erase(session, session.get_one(Person, person.id), by=person.id, now=later(hours=2))


def lived_in(world: World) -> tuple[Lot, Pickup]:
    """The maker has left traces wherever she can."""
    request = world.request(3)
    lot = world.lot(3, request=request)
    world.deliver(request, lot, 3)
    world.seen(world.printer)
    pickup = world.pickup(PickupState.UNDER_WAY)
    pickups.reveal(world.database, world.key_box, pickup.id, world.courier.id, later(hours=1))
    world.upload()
    with world.database.changing() as session:
        homes.set_quiet_hours(session, world.maker.id, QuietHours(0, 60), now=NOW)
        notices.tell(session, NEWS, to=world.maker.email, values={"what": "Mona's masks"}, language="en", now=NOW)
        session.get_one(Person, world.maker.id).password = "a hash"
    return lot, pickup


def test_nothing_that_names_the_maker_is_left_in_any_table(world: World) -> None:
    lived_in(world)
    before = content(world)
    named = (world.maker.email, "Mona", "octopi.local", "a hash", str(world.maker.fs_uniquifier))
    assert all(word in before for word in named), "the test looks for what is there"
    erased(world, world.maker)
    after = content(world)
    assert [word for word in (*named, *ADDRESS.splitlines()) if word in after] == []
    assert world.all(MakerAddress) == []
    assert world.all(Observation) == []


def test_the_chain_of_the_lots_stays_and_leads_to_nobody(world: World) -> None:
    lot, _ = lived_in(world)
    with world.database.reading() as session:
        before = trace(session, lot.label)
    erased(world, world.maker)
    with world.database.reading() as session:
        after = trace(session, lot.label)
        assert session.exec(select(Person).where(Person.maker_reference == lot.maker_reference)).first() is None
        assert breaches(session) == []
    assert after == before
    assert {one.maker_reference for one in world.all(Lot)} == {lot.maker_reference}, (
        "they are still known as one maker's"
    )


def test_what_is_under_way_ends_by_the_rules(world: World) -> None:
    _, pickup = lived_in(world)
    erased(world, world.maker)
    assert world.get(Pickup, pickup.id).state is PickupState.CANCELLED
    printer = world.get(Printer, world.printer.id)
    assert (printer.state, printer.encrypted_key, printer.url) == (PrinterState.RETIRED, b"", "")
    assert {mail.state for mail in world.all(Mail)} == {MailState.FAILED}


@pytest.mark.parametrize(
    ("state", "after"),
    [
        (AttemptState.READY, AttemptState.WITHDRAWN),
        (AttemptState.SENDING, AttemptState.FAILED),
        (AttemptState.PRINTING, AttemptState.FAILED),
        (AttemptState.IN_DOUBT, AttemptState.FAILED),
        (AttemptState.FINISHED, AttemptState.COUNTED),
    ],
)
def test_a_print_of_whoever_leaves_ends_and_its_job_is_made_elsewhere(
    world: World, state: AttemptState, after: AttemptState
) -> None:
    attempt = world.attempt(state)
    erased(world, world.maker)
    assert world.get(Attempt, attempt.id).state is after
    job = world.get(PrintJob, attempt.job_id)
    assert job.state == ("done" if after is AttemptState.COUNTED else "queued")
    with world.database.reading() as session:
        assert breaches(session) == []


def test_nobody_signs_in_as_who_was_erased_and_the_address_is_free_again(world: World) -> None:
    erased(world, world.maker)
    row = world.get(Person, world.maker.id)
    assert (row.active, row.password, row.name) == (False, None, "")
    assert row.email.endswith("@erased.invalid")
    assert not [one for one in world.all(Membership) if one.person_id == row.id]


def test_erasing_twice_changes_nothing_more(world: World) -> None:
    lived_in(world)
    erased(world, world.maker)
    before = content(world)
    erased(world, world.maker)
    assert content(world) == before


def test_a_courier_who_leaves_gives_back_and_the_makers_list_stays(world: World) -> None:
    _, pickup = lived_in(world)
    erased(world, world.courier)
    assert world.get(Pickup, pickup.id).state is PickupState.ASKED
    (view,) = world.all(AddressView)
    assert (view.maker_id, view.viewer_id) == (world.maker.id, None)
    assert "Kim" not in content(world)


def test_requests_of_whoever_leaves_stay_with_the_facility(world: World) -> None:
    request = world.request(3)
    before = world.all(type(request))
    erased(world, world.requester)
    assert world.all(type(request)) == before
    assert "Ruth" not in content(world)


def test_what_a_courier_carries_waits_at_the_hub_again(world: World) -> None:
    request = world.request(4)
    world.reserve(request, world.lot(4), 4)
    shipment = world.pack(request)
    world.depart(shipment)
    with world.database.changing() as session:
        erase(session, session.get_one(Person, world.courier.id), by=None, now=NOW)
    row = world.get(Shipment, shipment.id)
    assert (row.state, row.courier_id) == (ShipmentState.PACKED, None)


def test_evidence_stays_and_who_gave_it_is_nobody(world: World) -> None:
    letter, _ = world.letter()
    with world.database.changing() as session:
        place = session.get_one(Organisation, letter.facility_id)
        by, outcome = world.dispatcher.id, CallOutcome.CONFIRMED
        facilities.record_call(session, place, outcome, note="Spoke to Rita.", days=365, by=by, now=NOW)
        dan = session.get_one(Person, world.dispatcher.id)
        assert {held.table for held, _ in count(session, dan)} >= {"evidence", "proof_code", "call_back"}
        erase(session, dan, by=None, now=NOW)
    given = [one for one in world.all(Evidence) if one.given_by == world.dispatcher.id]
    assert len(given) == 2
    assert world.get(Person, world.dispatcher.id).name == ""
    assert [call.note for call in world.all(CallBack)] == [""]
    with world.database.reading() as session:
        assert standing_of(session, letter.facility_id, NOW) is Standing.VERIFIED
