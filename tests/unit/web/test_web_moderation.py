"""Reporting, deciding and being blocked, as people meet it on pages."""

import re

import pytest
from builders import World, later
from unit.web.browsers import Browser
from unit.web.houses import House, fill
from unit.web.things import things_of

from makerhub.delivery.models import PickupState
from makerhub.moderation.models import Kind, Report, ReportState
from makerhub.people.block_models import PersonalBlock, Suspension, SuspensionState
from makerhub.people.models import Role


def links(page: str) -> list[str]:
    return re.findall(r'href="(/report/[^"]+)"', page)


def press(browser: Browser, address: str, **fields: str) -> int:
    return browser.post(address, fields, form="/reports").status_code


def test_a_maker_reports_a_courier_and_is_brought_together_with_them_no_more(house: House, world: World) -> None:
    pickup = world.pickup(PickupState.UNDER_WAY)
    mona = house.signed_in("mona")
    [address] = set(links(mona.get("/my-home").text))
    assert address == f"/report/pickup/{pickup.id}"
    page = fill(mona, mona.get(address), reason="", words="")
    assert page.status_code == 400
    assert "Choose what is wrong." in page.text
    assert fill(mona, mona.get(address), reason="harassment", words="He came back.", apart="yes").status_code == 302
    [report], [apart] = world.all(Report), world.all(PersonalBlock)
    assert (report.person_id, report.reporter_id) == (world.courier.id, world.maker.id)
    assert (apart.blocker_id, apart.blocked_id) == (world.maker.id, world.courier.id)
    mine = mona.get("/reports").text
    assert "He came back." in mine
    assert "Kim" not in mine
    for who in ("kim", "ruth", "charlie"):
        theirs = house.signed_in(who)
        assert "He came back." not in theirs.get("/reports").text
        press(theirs, f"/reports/{report.id}/withdraw")
        press(theirs, f"/reports/apart/{apart.id}/end")
    assert world.get(Report, report.id).state is ReportState.OPEN
    assert press(mona, f"/reports/{report.id}/withdraw") == press(mona, f"/reports/apart/{apart.id}/end") == 302
    assert world.get(Report, report.id).state is ReportState.WITHDRAWN
    assert world.all(PersonalBlock) == []


def test_the_dispatcher_sees_the_context_and_blocks(house: House, world: World) -> None:
    pickup = world.pickup(PickupState.UNDER_WAY)
    report = world.report(Kind.PICKUP, pickup.id, by=world.maker)
    kim, dan = house.signed_in("kim"), house.signed_in("dan")
    assert kim.get("/deliveries").status_code == 200
    assert "they were rude" in dan.get(f"/moderation/{report.id}").text
    context = dan.get(f"/moderation/{report.id}").text
    assert "Mona" in context
    assert "Block Kim at Kingston Hub" in context
    refused = press(dan, f"/moderation/{report.id}/block", why="")
    assert refused == 400
    assert press(dan, f"/moderation/{report.id}/block", why="yesterday", until="2020-03-01") == 400
    assert press(dan, f"/moderation/{report.id}/block", why="You shouted.", until="2020-03-27") == 302
    assert kim.get("/deliveries").headers["Location"].startswith("/sign-in")  # the sign-in is dead
    house.people["kim"] = world.get(type(world.courier), world.courier.id)
    again = house.signed_in("kim")
    assert "You are blocked at Kingston Hub." in again.get("/").text
    assert again.get("/deliveries").headers["Location"] == "/blocked"
    told = again.get("/blocked").text
    assert "You shouted." in told
    assert "28 Mar 2020, 00:00" in told
    assert "Mona" not in told
    assert again.get("/printers").status_code == 404
    [suspension] = world.all(Suspension)
    assert press(again, f"/moderation/blocked/{suspension.id}/lift") in (302, 404)
    assert world.get(Suspension, suspension.id).state is SuspensionState.HOLDS
    assert "Kim" in dan.get("/moderation").text
    assert press(dan, f"/moderation/blocked/{suspension.id}/lift") == 302
    assert again.get("/deliveries").status_code == 200
    assert "You are blocked" not in again.get("/").text


def test_whoever_is_reported_is_told_nothing(house: House, world: World) -> None:
    house.add_person("Dana", (world.hub, Role.DISPATCHER))
    request = world.request(requested_by=world.requester.id, note="Call me.")
    report = world.report(Kind.REQUEST, request.id, by=world.dispatcher)
    ruth = house.signed_in("ruth")
    for page in ("/", "/reports", f"/requests/{request.id}", "/account/data", f"/moderation/{report.id}"):
        assert "they were rude" not in ruth.get(page).text
        assert "Dan<" not in ruth.get(page).text
    assert "Call me." in house.signed_in("dana").get(f"/moderation/{report.id}").text


def test_a_hidden_note_is_gone_and_nothing_wrong_is_decided(house: House, world: World) -> None:
    request = world.request(note="Call me on 020 7946 0000.")
    dan, first = house.signed_in("dan"), world.report(Kind.REQUEST, request.id, by=world.dispatcher)
    assert press(dan, f"/moderation/{first.id}/hide") == 302
    assert "020 7946" not in dan.get(f"/dispatch/requests/{request.id}").text
    assert press(dan, f"/moderation/{first.id}/dismiss") == 409
    second = world.report(Kind.REQUEST, request.id, by=world.dispatcher)
    assert "Hidden" in dan.get(f"/moderation/{second.id}").text
    assert press(dan, f"/moderation/{second.id}/dismiss") == 302
    assert world.get(Report, second.id).state is ReportState.DISMISSED


def test_what_waits_for_longer_than_a_day_is_marked_and_overdue(house: House, world: World) -> None:
    world.report(Kind.REQUEST, world.request().id, by=world.dispatcher)
    house.time.now = later(hours=23)
    assert "Waits for more than a day" not in house.signed_in("dan").get("/moderation").text
    assert "The report waits" not in house.signed_in("dan").get("/dispatch").text
    house.time.now = later(hours=25)
    assert "Waits for more than a day" in house.signed_in("dan").get("/moderation").text
    board = house.signed_in("dan").get("/dispatch").text
    assert "The report waits for a decision." in board
    assert "Somebody is harassed or threatened" in board


def test_a_held_request_says_so_to_colleagues_and_to_the_dispatcher(house: House, world: World) -> None:
    request = world.request()
    world.suspend(world.requester)
    assert "holds this request for now" in house.signed_in("alice").get(f"/requests/{request.id}").text
    assert "Held" in house.signed_in("dan").get("/dispatch").text


@pytest.mark.parametrize(
    ("who", "page", "kind"),
    [
        ("ruth", "/requests/{request}", "supply_request"),
        ("dan", "/dispatch/requests/{request}", "supply_request"),
        ("dan", "/dispatch/facilities/{facility}", "facility"),
        ("kim", "/deliveries/{shipment}", "shipment"),
        ("ruth", "/requests/{request}", "shipment"),
        ("mona", "/uploads/{upload}", "upload"),
        ("ruth", "/hubs/{hub}", "hub_description"),
    ],
)
def test_every_page_on_which_something_is_met_leads_to_its_report(
    house: House, world: World, who: str, page: str, kind: str
) -> None:
    things = things_of(house)
    address = page.format(
        request=things["request_id"],
        facility=things["facility_id"],
        shipment=things["shipment_id"],
        upload=things["upload_id"],
        hub=world.hub.id,
    )
    browser = house.signed_in(who)
    found = [link for link in links(browser.get(address).text) if link.startswith(f"/report/{kind}/")]
    assert found, address
    assert browser.get(found[0]).status_code == 200


def test_what_is_no_kind_and_what_is_not_seen_is_not_there(house: House, world: World) -> None:
    request = world.request()
    for address in (f"/report/person/{world.maker.id}", f"/report/supply_request/{request.id}"):
        assert house.signed_in("mona").get(address).status_code == 404
    assert house.signed_in("bob").get(f"/report/supply_request/{request.id}").status_code == 404
