"""What is over is forgotten after its period, once, and nothing is forgotten before."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from builders import ADDRESS, NOW, World, later
from sqlmodel import SQLModel

from makerhub.config import Settings
from makerhub.delivery import pickups
from makerhub.delivery.models import AddressView, Pickup, PickupState
from makerhub.demand.models import SupplyRequest, TelephoneCall
from makerhub.facilities import service as facilities
from makerhub.facilities.models import CallBack, CallOutcome, ProofCode
from makerhub.facilities.service import LETTER_DAYS
from makerhub.people import homes, joining
from makerhub.people.home_models import MakerAddress
from makerhub.people.models import JoinRequest, Organisation
from makerhub.printers import service as printers
from makerhub.printers.models import Observation, Printer
from makerhub.privacy.retention import KEPT
from makerhub.privacy.tasks import forget_what_is_over

SETTINGS = Settings()


def sweep(world: World, now: datetime) -> None:
    forget_what_is_over.function(world.database, SETTINGS, lambda: now)


def an_address(world: World) -> None:
    with world.database.changing() as session:
        homes.enter_address(session, world.maker.id, ADDRESS, world.key_box, now=NOW)


def a_view(world: World) -> None:
    pickup = world.pickup(PickupState.UNDER_WAY)
    pickups.reveal(world.database, world.key_box, pickup.id, world.courier.id, NOW)


def a_pickup(world: World) -> None:
    world.pickup(PickupState.COLLECTED)


def an_observation(world: World) -> None:
    world.seen(world.printer)


def an_answered_wish_to_join(world: World) -> None:
    asked = world.ask_to_join()
    with world.database.changing() as session:
        row = session.get_one(JoinRequest, asked.id)
        joining.decline_join(session, row, by=world.dispatcher.id, now=NOW)


def a_proof_code(world: World) -> None:
    world.letter()


def a_call(world: World) -> None:
    noted, _ = world.called()
    world.cancel(world.get(SupplyRequest, noted.request_id))


@pytest.mark.parametrize(
    ("make", "model", "days"),
    [
        (an_address, MakerAddress, SETTINGS.keep_address_days),
        (a_pickup, MakerAddress, SETTINGS.keep_address_days),
        (a_view, AddressView, SETTINGS.keep_view_days),
        (a_pickup, Pickup, SETTINGS.keep_pickup_days),
        (an_observation, Observation, SETTINGS.keep_observation_days),
        (a_call, TelephoneCall, SETTINGS.keep_call_days),
        (an_answered_wish_to_join, JoinRequest, SETTINGS.keep_join_days),
        (a_proof_code, ProofCode, LETTER_DAYS + SETTINGS.keep_invitation_days),
    ],
    ids=["address", "address after a pickup", "view", "pickup", "observation", "call", "wish to join", "proof code"],
)
def test_it_is_there_until_its_last_moment_and_then_gone(
    world: World, make: Callable[[World], None], model: type[SQLModel], days: int
) -> None:
    make(world)
    end = NOW + timedelta(days=days)
    sweep(world, end - timedelta(seconds=1))
    assert len(world.all(model)) == 1
    for _ in range(2):
        sweep(world, end)
        assert world.all(model) == []


def test_an_address_stays_while_a_pickup_is_open_and_counts_from_its_end(world: World) -> None:
    pickup = world.pickup(PickupState.GIVEN)
    sweep(world, later(days=40))
    assert len(world.all(MakerAddress)) == 1
    with world.database.changing() as session:
        pickups.cancel(session, session.get_one(Pickup, pickup.id), now=later(days=40))
    sweep(world, later(days=69))
    assert len(world.all(MakerAddress)) == 1
    sweep(world, later(days=70))
    assert world.all(MakerAddress) == []


def test_of_a_printer_that_was_taken_back_nothing_is_kept(world: World) -> None:
    an_observation(world)
    with world.database.changing() as session:
        printers.retire(session, session.get_one(Printer, world.printer.id), by=world.maker.id, now=NOW)
    sweep(world, NOW)
    assert world.all(Observation) == []


def test_the_note_of_a_request_goes_after_its_end_only(world: World) -> None:
    ended, lives = world.request(note="ask for Ruth"), world.request(note="ring twice")
    world.cancel(ended)
    sweep(world, later(days=SETTINGS.keep_note_days) - timedelta(seconds=1))
    assert world.get(SupplyRequest, ended.id).note == "ask for Ruth"
    sweep(world, later(days=SETTINGS.keep_note_days))
    assert [world.get(SupplyRequest, one.id).note for one in (ended, lives)] == ["", "ring twice"]


def test_each_period_is_a_setting() -> None:
    assert all(kept.period(SETTINGS) > 0 for kept in KEPT)
    assert {kept.setting for kept in KEPT} >= {
        name for name in Settings.__dataclass_fields__ if name.startswith("keep_")
    }, "a period that the public page does not tell"


def test_a_wish_to_join_that_nobody_answered_stays(world: World) -> None:
    world.ask_to_join()
    sweep(world, later(days=1000))
    assert len(world.all(JoinRequest)) == 1


def test_of_a_call_to_a_facility_the_note_goes_and_that_it_was_made_stays(world: World) -> None:
    world.letter()
    with world.database.changing() as session:
        place, note = session.get_one(Organisation, world.care_home.id), "Spoke to Rita."
        outcome, by = CallOutcome.CONFIRMED, world.dispatcher.id
        facilities.record_call(session, place, outcome, note=note, days=365, by=by, now=NOW)
    sweep(world, later(days=SETTINGS.keep_note_days, seconds=-1))
    assert [call.note for call in world.all(CallBack)] == ["Spoke to Rita."]
    sweep(world, later(days=SETTINGS.keep_note_days))
    assert [call.note for call in world.all(CallBack)] == [""]
