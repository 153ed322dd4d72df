"""A bag's label leads those who made, checked or got it to its whole chain, and to no person's name."""

import pytest
from builders import World
from unit.web.houses import House, fill

from makerhub.demand.models import SupplyRequest
from makerhub.people.models import Role
from makerhub.stock.models import Lot
from makerhub.trace.service import trace


@pytest.fixture
def delivered(world: World) -> Lot:
    """Ten pieces, of which six are in the care home and four in the hospital."""
    request, other = world.request(6), world.request(4, facility_id=world.hospital.id)
    lot = world.lot(10, request=request)
    world.deliver(request, lot, 6)
    world.deliver(other, lot, 4)
    return lot


def test_the_facility_follows_its_bag_back_to_the_print_file(house: House, world: World, delivered: Lot) -> None:
    page = house.signed_in("alice").get(f"/trace/{delivered.label}")
    assert page.status_code == 200
    with world.database.reading() as session:
        chain = trace(session, delivered.label)
    for told in (delivered.label, "PETG", "MK3S", chain.gcode_sha256, chain.design_hash, "PrusaSlicer 2.5.0", "25 Mar"):
        assert told in page.text
    assert "6 pieces for Rosewood" in page.text


def test_the_chain_names_no_person_and_no_other_facility(house: House, world: World, delivered: Lot) -> None:
    page = house.signed_in("alice").get(f"/trace/{delivered.label}").text
    for secret in ("Mona", "Dan", "Kim", "Ruth", "St Mary", str(delivered.maker_reference), str(world.printer.id)):
        assert secret not in page
    assert "4 pieces are in use elsewhere" in page


def test_the_maker_sees_that_it_is_in_use_and_not_where(house: House, delivered: Lot) -> None:
    page = house.signed_in("mona").get(f"/trace/{delivered.label}").text
    assert "10 pieces are in use elsewhere" in page
    assert "Rosewood" not in page


def test_the_dispatcher_sees_every_facility(house: House, delivered: Lot) -> None:
    page = house.signed_in("dan").get(f"/trace/{delivered.label}").text
    assert "6 pieces for Rosewood" in page
    assert "4 pieces for St Mary&#39;s" in page


def test_outsiders_follow_nothing(house: House, world: World, delivered: Lot) -> None:
    other_hub = house.add_hub("Other Hub")
    house.add_person("Cora", (other_hub, Role.DISPATCHER))
    house.add_person("Max", (world.hub, Role.MAKER))
    for who in ("bob", "charlie", "kim", "cora", "max"):
        assert house.signed_in(who).get(f"/trace/{delivered.label}").status_code == 404, who
    assert house.browser().get(f"/trace/{delivered.label}").headers["Location"].startswith("/sign-in")


def test_what_is_only_promised_is_not_followed_yet(house: House, world: World) -> None:
    request = world.request()
    lot = world.lot(4, request=request)
    world.reserve(request, lot, 4)
    browser = house.signed_in("alice")
    assert browser.get(f"/trace/{lot.label}").status_code == 404
    world.pack(request)
    assert browser.get(f"/trace/{lot.label}").status_code == 200


def test_a_label_may_be_typed_as_it_comes(house: House, delivered: Lot) -> None:
    browser = house.signed_in("alice")
    typed = f" {delivered.label[:5].lower()}-{delivered.label[5:].lower()} "
    found = fill(browser, browser.get("/trace"), label=typed)
    assert found.headers["Location"] == f"/trace/{delivered.label}"


def test_an_unknown_label_is_said_and_stays(house: House, delivered: Lot) -> None:
    page = house.signed_in("alice").get("/trace?label=ABC%3Cb%3E")
    assert page.status_code == 404
    assert "There is no lot with the label “ABC&lt;b&gt;”" in page.text
    assert 'value="ABC&lt;b&gt;"' in page.text
    others = house.signed_in("bob").get("/trace", query_string={"label": delivered.label})
    assert "There is no lot with the label" in others.text


def test_a_withdrawn_design_is_told_with_its_reason(house: House, world: World, delivered: Lot) -> None:
    world.withdraw(world.headband)
    page = house.signed_in("alice").get(f"/trace/{delivered.label}").text
    assert "Do not use these pieces" in page
    assert "cracks" in page


def test_each_bag_that_arrived_leads_to_its_chain(house: House, world: World, delivered: Lot) -> None:
    [mine] = [asked for asked in world.all(SupplyRequest) if world.line(asked).quantity == 6]
    page = house.signed_in("alice").get(f"/requests/{mine.id}").text
    assert f'href="/trace/{delivered.label}"' in page
