"""Pickups: what may be asked, who may go, and who sees the address when, with every view on record first."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from builders import ADDRESS, NOW, World, at_once, later, person

from makerhub.delivery import pickups
from makerhub.delivery.models import AddressView, Pickup, PickupState
from makerhub.delivery.tasks import end_lapsed_pickups
from makerhub.errors import IllegalMove, Invalid, MovedMeanwhile, NotFound
from makerhub.keys.box import Unreadable
from makerhub.lifecycle import history
from makerhub.people import homes
from makerhub.people import service as people
from makerhub.people.home_models import MakerAddress
from makerhub.people.models import Membership, Organisation, Person, Role


def reveal(world: World, pickup: Pickup, **changes: object) -> str:
    wanted: dict[str, object] = {"courier_id": world.courier.id, "now": later(hours=1)}
    return pickups.reveal(world.database, world.key_box, pickup.id, **wanted | changes)  # type: ignore[arg-type]


def act(world: World, pickup: Pickup, step: Callable[..., object], **details: object) -> Pickup:
    with world.database.changing() as session:
        row = session.get_one(Pickup, pickup.id)
        step(session, row, **details)
        return row


def ready_to_ask(world: World) -> Organisation:
    world.lot_at_maker(2)
    with world.database.changing() as session:
        place = session.get_one(Organisation, world.hub.id)
        people.offer_pickup(session, place, True, by=world.dispatcher.id, now=NOW)
        homes.enter_address(session, world.maker.id, ADDRESS, world.key_box, now=NOW)
        return place


def test_the_courier_sees_the_address_on_the_way_and_the_maker_sees_the_view(world: World) -> None:
    pickup = world.pickup(PickupState.UNDER_WAY)
    assert reveal(world, pickup) == ADDRESS
    with world.database.reading() as session:
        ((view, place),) = pickups.views_of(session, world.maker.id)
    assert (view.role, place.id, view.pickup_id, view.at) == (Role.COURIER, world.hub.id, pickup.id, later(hours=1))


@pytest.mark.parametrize("state", [state for state in PickupState if state is not PickupState.UNDER_WAY])
def test_at_no_other_step_is_the_address_seen(world: World, state: PickupState) -> None:
    pickup = world.pickup(PickupState.ASKED if state is PickupState.CANCELLED else state)
    if state is PickupState.CANCELLED:
        act(world, pickup, pickups.cancel, now=NOW)
    with pytest.raises(NotFound):
        reveal(world, pickup)
    assert world.all(AddressView) == []


@pytest.mark.parametrize("now", [NOW - timedelta(seconds=1), later(hours=4), later(days=1)])
def test_outside_of_its_time_the_address_is_not_seen(world: World, now: object) -> None:
    with pytest.raises(NotFound):
        reveal(world, world.pickup(PickupState.UNDER_WAY), now=now)
    assert world.all(AddressView) == []


def test_nobody_but_the_courier_of_the_pickup_sees_the_address(world: World) -> None:
    pickup = world.pickup(PickupState.UNDER_WAY)
    with world.database.changing() as session:
        other = person(session, "Cora", (world.hub, Role.COURIER))
    for somebody in (other, world.dispatcher, world.requester, world.maker):
        with pytest.raises(NotFound):
            reveal(world, pickup, courier_id=somebody.id)
    assert world.all(AddressView) == []


def test_who_is_a_courier_no_more_sees_no_address(world: World) -> None:
    pickup = world.pickup(PickupState.UNDER_WAY)
    with world.database.changing() as session:
        for membership in world.courier.roles:
            session.delete(session.get_one(Membership, membership.id))
    with pytest.raises(NotFound):
        reveal(world, pickup)


def test_the_view_is_on_record_even_where_nothing_can_be_shown_then(world: World) -> None:
    pickup = world.pickup(PickupState.UNDER_WAY)
    with world.database.changing() as session:
        address = session.get_one(MakerAddress, world.all(MakerAddress)[0].id)
        address.sealed_address = address.sealed_address[:-1] + b"?"
    with pytest.raises(Unreadable):
        reveal(world, pickup)
    assert len(world.all(AddressView)) == 1


def test_who_hides_is_seen_no_more_even_by_the_courier_on_the_way(world: World) -> None:
    pickup = world.pickup(PickupState.UNDER_WAY)
    with world.database.changing() as session:
        pickups.hide(session, world.maker.id, now=later(minutes=5))
    with pytest.raises(NotFound):
        reveal(world, pickup)
    assert world.get(Pickup, pickup.id).state is PickupState.CANCELLED
    with world.database.changing() as session:
        place = session.get_one(Organisation, world.hub.id)
        with pytest.raises(Invalid, match="hidden"):
            pickups.ask(session, world.maker, place, NOW, later(hours=1), NOW)
        pickups.show(session, world.maker.id, now=NOW)
        assert not homes.home_of(session, world.maker.id).is_hidden


def test_removing_the_address_cancels_what_needed_it(world: World) -> None:
    pickup = world.pickup(PickupState.GIVEN)
    with world.database.changing() as session:
        assert pickups.remove_address(session, world.maker.id, now=NOW)
        assert history(session, session.get_one(Pickup, pickup.id))[-1].why == pickups.NO_ADDRESS
    assert world.all(MakerAddress) == []


@pytest.mark.parametrize(
    ("begins", "ends"),
    [(0, 0), (0, 0.4), (2, 1), (0, 13), (-3, -1), (24 * 14, 24 * 14 + 1)],
    ids=["empty", "too short", "backwards", "too long", "over", "too far ahead"],
)
def test_a_pickup_is_asked_for_at_a_time_that_can_be_kept(world: World, begins: float, ends: float) -> None:
    place = ready_to_ask(world)
    with world.database.changing() as session, pytest.raises(Invalid, match="time to come"):
        pickups.ask(session, world.maker, place, later(hours=begins), later(hours=ends), NOW)


def test_a_pickup_is_asked_for_only_where_it_is_offered_and_something_waits(world: World) -> None:
    window = (NOW, later(hours=2), NOW)
    with world.database.changing() as session:
        place = session.get_one(Organisation, world.hub.id)
        with pytest.raises(Invalid, match="does not offer"):
            pickups.ask(session, world.maker, place, *window)
        people.offer_pickup(session, place, True, by=world.dispatcher.id, now=NOW)
        with pytest.raises(Invalid, match="address"):
            pickups.ask(session, world.maker, place, *window)
        homes.enter_address(session, world.maker.id, ADDRESS, world.key_box, now=NOW)
        with pytest.raises(Invalid, match="Nothing of yours"):
            pickups.ask(session, world.maker, place, *window)
    assert world.all(Pickup) == []


def test_a_maker_has_one_open_pickup_however_often_the_button_was_pressed(world: World) -> None:
    place = ready_to_ask(world)

    def ask() -> None:
        with world.database.changing() as session:
            pickups.ask(session, world.maker, place, NOW, later(hours=2), NOW)

    results = at_once(*[ask] * 6)
    assert [result for result in results if not isinstance(result, Exception)] == [None]
    assert len(world.all(Pickup)) == 1


def test_what_was_collected_is_not_fetched_again(world: World) -> None:
    pickup = world.pickup(PickupState.COLLECTED)
    with world.database.reading() as session:
        (lot,) = pickups.lots_of(session, [pickup.id])[pickup.id]
        assert pickups.collected_lots(session, [lot.id]) == {lot.id}
        assert pickups.lots_to_fetch(session, world.maker, world.hub.id) == []


def test_a_pickup_goes_to_couriers_of_its_hub_only(world: World) -> None:
    pickup = world.pickup()
    for somebody in (world.dispatcher, world.requester, world.maker):
        with pytest.raises(Invalid, match="courier"):
            act(world, pickup, pickups.give, courier_id=somebody.id, by=world.dispatcher.id, now=NOW)


def test_nobody_fetches_from_oneself(world: World) -> None:
    pickup = world.pickup()
    with world.database.changing() as session:
        people.add_membership(session, session.get_one(Person, world.maker.id), world.hub, Role.COURIER, now=NOW)
    with pytest.raises(Invalid, match="not the maker"):
        act(world, pickup, pickups.give, courier_id=world.maker.id, by=world.dispatcher.id, now=NOW)


def test_of_two_couriers_to_whom_it_is_given_at_once_one_has_it(world: World) -> None:
    pickup = world.pickup()
    with world.database.changing() as session:
        other = person(session, "Cora", (world.hub, Role.COURIER))

    def give(courier_id: object) -> Callable[[], object]:
        return lambda: act(world, pickup, pickups.give, courier_id=courier_id, by=world.dispatcher.id, now=NOW)

    results = at_once(give(other.id), give(world.courier.id))
    refused = [result for result in results if isinstance(result, Exception)]
    assert len(refused) == 1
    assert isinstance(refused[0], IllegalMove | MovedMeanwhile)


def test_a_courier_sets_out_within_the_time_only(world: World) -> None:
    place = ready_to_ask(world)
    with world.database.changing() as session:
        pickup = pickups.ask(session, world.maker, place, later(hours=1), later(hours=2), NOW)
        pickups.give(session, pickup, world.courier.id, by=world.dispatcher.id, now=NOW)
    for now, problem in ((NOW, "too early"), (later(hours=2), "is over")):
        with pytest.raises(Invalid, match=problem):
            act(world, pickup, pickups.set_out, by=world.courier.id, now=now)
    assert act(world, pickup, pickups.set_out, by=world.courier.id, now=later(hours=1)).state is PickupState.UNDER_WAY


def test_a_pickup_that_was_given_back_waits_for_another_courier_and_opens_nothing(world: World) -> None:
    pickup = world.pickup(PickupState.UNDER_WAY)
    after = act(world, pickup, pickups.give_back, by=world.courier.id, now=NOW)
    assert (after.state, after.courier_id) == (PickupState.ASKED, None)
    with pytest.raises(NotFound):
        reveal(world, pickup)


def test_pickups_to_which_nobody_came_end_by_themselves_once(world: World) -> None:
    pickup = world.pickup(PickupState.UNDER_WAY)
    end_lapsed_pickups.function(world.database, lambda: later(hours=3))
    assert world.get(Pickup, pickup.id).state is PickupState.UNDER_WAY
    for _ in range(2):
        end_lapsed_pickups.function(world.database, lambda: later(hours=4))
    with world.database.reading() as session:
        changes = history(session, session.get_one(Pickup, pickup.id))
    assert [change.after for change in changes] == ["asked", "given", "under_way", "cancelled"]
    assert changes[-1].why == pickups.OVER
