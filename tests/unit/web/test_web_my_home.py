"""The maker's page of the own home."""

import pytest
from builders import ADDRESS, NOW, World, later, person
from unit.web.houses import House

from makerhub.delivery import pickups
from makerhub.delivery.models import AddressView, Pickup, PickupState
from makerhub.people import homes
from makerhub.people import service as people
from makerhub.people.home_models import HandingOver, MakerAddress, MakerSettings
from makerhub.people.models import Organisation, Role

STREET = "7 Larch Lane"


def settings(world: World) -> MakerSettings:
    with world.database.reading() as session:
        return homes.settings_of(session, world.maker.id)


def test_a_maker_enters_sees_changes_and_deletes_the_own_address(house: House, world: World) -> None:
    mona = house.signed_in("mona")
    assert "We have no address of yours" in mona.get("/my-home").text
    assert mona.post("/my-home/address", {"address": ADDRESS}, form="/my-home/address").status_code == 302
    assert STREET in mona.get("/my-home/address").text
    assert STREET not in mona.get("/my-home").text, "it is shown where it was asked for only"
    mona.post("/my-home/address", {"address": "12 Ash Road, Surbiton"}, form="/my-home/address")
    assert STREET not in mona.get("/my-home/address").text
    assert len(world.all(MakerAddress)) == 1
    mona.post("/my-home/address/remove", form="/my-home")
    assert world.all(MakerAddress) == []


def test_an_address_that_leads_nowhere_comes_back_with_what_was_typed(house: House, world: World) -> None:
    page = house.signed_in("mona").post("/my-home/address", {"address": "here"}, form="/my-home/address")
    assert page.status_code == 400
    assert "Enter street, number and place" in page.text
    assert ">here</textarea>" in page.text
    assert world.all(MakerAddress) == []


def test_nobody_else_sees_the_address_on_any_of_these_pages(house: House, world: World) -> None:
    world.pickup(PickupState.UNDER_WAY)
    house.add_person("Olga", (world.hub, Role.MAKER))
    house.add_person("Ada", (world.hub, Role.ADMIN), (world.hub, Role.MAKER))
    for name in ("olga", "ada"):
        browser = house.signed_in(name)
        for address in ("/my-home", "/my-home/address"):
            assert STREET not in browser.get(address).text


def test_each_view_is_shown_to_the_maker_with_role_reason_and_time_and_no_name(house: House, world: World) -> None:
    pickup = world.pickup(PickupState.UNDER_WAY)
    pickups.reveal(world.database, world.key_box, pickup.id, world.courier.id, later(hours=1))
    text = house.signed_in("mona").get("/my-home").text
    assert "A Courier of Kingston Hub" in text
    assert "To fetch pieces from you" in text
    assert "25 Mar 2020, 10:00" in text
    assert "Kim" not in text


def test_hide_me_now_cancels_the_pickup_and_can_be_taken_back(house: House, world: World) -> None:
    pickup, mona = world.pickup(PickupState.UNDER_WAY), house.signed_in("mona")
    mona.post("/my-home/hide", {"hidden": "yes"}, form="/my-home")
    assert "You are hidden" in mona.get("/my-home").text
    assert settings(world).hidden_since == NOW
    assert world.get(Pickup, pickup.id).state is PickupState.CANCELLED
    mona.post("/my-home/hide", {"hidden": "no"}, form="/my-home")
    assert settings(world).hidden_since is None
    assert "Hide me now" in mona.get("/my-home").text


def test_quiet_hours_are_kept_shown_and_dropped(house: House, world: World) -> None:
    mona = house.signed_in("mona")
    mona.post("/my-home/quiet-hours", {"quiet_from": "22:00", "quiet_until": "07:30"}, form="/my-home")
    assert (settings(world).quiet_from, settings(world).quiet_until) == (1320, 450)
    assert 'value="07:30"' in mona.get("/my-home").text
    assert house.nudged == ["dispatch_jobs"]
    mona.post("/my-home/quiet-hours", {"quiet_from": "", "quiet_until": ""}, form="/my-home")
    assert settings(world).quiet_from is None


@pytest.mark.parametrize(
    ("begins", "ends", "wrong"),
    [
        ("22:00", "", "quiet_until"),
        ("", "7:00", "quiet_from"),
        ("25:00", "07:00", "quiet_from"),
        ("8", "x", "quiet_until"),
    ],
)
def test_half_and_impossible_quiet_hours_are_told_at_their_field(
    house: House, world: World, begins: str, ends: str, wrong: str
) -> None:
    page = house.signed_in("mona").post(
        "/my-home/quiet-hours", {"quiet_from": begins, "quiet_until": ends}, form="/my-home"
    )
    assert page.status_code == 400
    assert f'id="{wrong}-error"' in page.text
    assert f'value="{begins}"' in page.text
    assert settings(world).quiet_from is None


def test_a_whole_day_is_no_quiet_hours(house: House) -> None:
    page = house.signed_in("mona").post(
        "/my-home/quiet-hours", {"quiet_from": "08:00", "quiet_until": "08:00"}, form="/my-home"
    )
    assert page.status_code == 400
    assert "pause your printers" in page.text


def test_a_maker_asks_for_a_pickup_at_home_time_and_cancels_it(house: House, world: World) -> None:
    lot = world.lot_at_maker(2)
    with world.database.changing() as session:
        people.offer_pickup(session, session.get_one(Organisation, world.hub.id), True, by=world.dispatcher.id, now=NOW)
    mona = house.signed_in("mona")
    assert "Ask for a pickup" not in mona.get("/my-home").text
    mona.post("/my-home/handing-over", {"handing_over": "pickup"}, form="/my-home")
    assert settings(world).handing_over is HandingOver.PICKUP
    assert "We do not know where you live" in mona.get("/my-home").text
    mona.post("/my-home/address", {"address": ADDRESS}, form="/my-home/address")
    typed = {"hub": str(world.hub.id), "day": "2020-03-30", "from": "17:00", "until": "19:00"}
    page = mona.post("/my-home/pickups", typed, form="/my-home")
    assert page.status_code == 302, page.text
    (pickup,) = world.all(Pickup)
    assert pickup.begins.isoformat() == "2020-03-30T16:00:00+00:00", "by summer time, that began the day before"
    assert lot.label in mona.get("/my-home").text
    mona.post(f"/my-home/pickups/{pickup.id}/cancel", form="/my-home")
    assert world.get(Pickup, pickup.id).state is PickupState.CANCELLED


def test_a_time_that_can_not_be_is_told_and_what_was_typed_stays(house: House, world: World) -> None:
    with world.database.changing() as session:
        people.offer_pickup(session, session.get_one(Organisation, world.hub.id), True, by=world.dispatcher.id, now=NOW)
        homes.enter_address(session, world.maker.id, ADDRESS, world.key_box, now=NOW)
        homes.choose_handing_over(session, world.maker.id, HandingOver.PICKUP, now=NOW)
    world.lot_at_maker(2)
    mona = house.signed_in("mona")
    for day, begins, ends in (
        ("", "10:00", "12:00"),
        ("2020-03-26", "12:00", "10:00"),
        ("2020-03-29", "01:30", "03:00"),
    ):
        typed = {"hub": str(world.hub.id), "day": day, "from": begins, "until": ends}
        page = mona.post("/my-home/pickups", typed, form="/my-home")
        assert page.status_code == 400
        assert 'id="day-error"' in page.text
        assert f'value="{ends}"' in page.text
    assert world.all(Pickup) == []


def test_another_maker_can_not_cancel_a_pickup(house: House, world: World) -> None:
    pickup = world.pickup()
    with world.database.changing() as session:
        house.people["olga"] = person(session, "Olga", (world.hub, Role.MAKER))
    page = house.signed_in("olga").post(f"/my-home/pickups/{pickup.id}/cancel", form="/my-home")
    assert page.status_code == 404
    assert world.get(Pickup, pickup.id).state is PickupState.ASKED


def test_what_a_courier_has_fetched_is_not_asked_to_be_brought(house: House, world: World) -> None:
    world.pickup(PickupState.COLLECTED)
    text = house.signed_in("mona").get("/printers").text
    assert "A courier has these" in text
    assert "To bring to the hub" not in text
    assert world.all(AddressView) == []
