"""The form that asks: one thing a page, nothing typed is lost, and sent twice is one request."""

from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime
from uuid import UUID

import pytest
from builders import NOW, POLICY, World, design_version, review
from unit.web.browsers import Browser
from unit.web.houses import House, fill, form_of, next_version
from werkzeug.test import TestResponse

from makerhub.demand import service as demand
from makerhub.demand.models import RequestLine, SupplyRequest, Urgency
from makerhub.designs.approvals import Decision, Scope, decide
from makerhub.designs.models import ApprovalState, DesignVersion
from makerhub.people.models import Person, Role

TYPED = {"needed_by": "2020-04-03", "urgency": "critical"}


def ask(browser: Browser, **typed: str) -> TestResponse:
    """The last screen before sending, reached by filling in each screen as it is found."""
    what = {name: text for name, text in typed.items() if name.startswith("quantity")} or {"quantity__headband": "70"}
    when = TYPED | {name: text for name, text in typed.items() if not name.startswith("quantity")}
    return fill(browser, fill(browser, browser.get("/ask"), **what), **when)


def test_from_the_first_screen_to_the_last(house: House, world: World) -> None:
    browser = house.signed_in("alice")
    first = browser.get("/ask")
    assert "What do you need?" in first.text
    second = fill(browser, first, quantity__headband="70", quantity__face__shield="2")
    assert "When do you need it?" in second.text
    third = fill(browser, second, stock__headband="3", **TYPED)
    assert "Check your answers" in third.text
    assert "3 Apr 2020" in third.text
    sent = fill(browser, third, note="  Back door, please. ")
    assert sent.status_code == 302
    assert "What happens next" in browser.get(sent.headers["Location"]).text

    [request] = world.all(SupplyRequest)
    assert (request.facility_id, request.hub_id) == (world.care_home.id, world.hub.id)
    assert request.requested_by == house.people["alice"].id
    assert request.note == "Back door, please."
    lines = {line.kit_id: line for line in world.all(RequestLine)}
    band, kit = lines[world.kit_of(world.headband).id], lines[world.kit_of(world.kit).id]
    assert (band.quantity, band.stock_left, band.urgency) == (70, 3, Urgency.CRITICAL)
    assert (kit.quantity, kit.stock_left, kit.urgency) == (2, 0, Urgency.CRITICAL)


def test_the_deadline_is_the_end_of_the_day_where_the_viewer_is(house: House, world: World) -> None:
    with house.database.changing() as session:
        session.get_one(Person, house.people["alice"].id).time_zone = "America/New_York"
    browser = house.signed_in("alice")
    fill(browser, ask(browser))
    [line] = world.all(RequestLine)
    assert line.needed_by == datetime(2020, 4, 4, 3, 59, 59, tzinfo=UTC)
    [request] = world.all(SupplyRequest)
    assert "by the end of <time" in browser.get(f"/requests/{request.id}").text
    assert ">3 Apr 2020</time>" in browser.get(f"/requests/{request.id}").text


def test_today_can_still_be_asked_for(house: House, world: World) -> None:
    browser = house.signed_in("alice")
    assert fill(browser, ask(browser, needed_by="2020-03-25")).status_code == 302
    assert len(world.all(SupplyRequest)) == 1


@pytest.mark.parametrize(
    ("field", "typed", "told"),
    [
        ("quantity-headband", "-3", "Enter how many you need, at least 1."),
        ("quantity-headband", "some", "Enter a whole number, like 40."),
        ("quantity-headband", "1.5", "Enter a whole number, like 40."),
        ("quantity-headband", "199999999999998", "This is more than a hub can promise."),
        ("quantity-headband", "9" * 400, "This is more than a hub can promise."),
        ("quantity-gone", "4", "This design can no longer be asked for."),
        ("needed_by", "2020-03-24", "Choose a date in the future."),
        ("needed_by", "2024-03-24", "Choose a date within a year."),
        ("needed_by", "soon", "Enter the day by which you need it"),
        ("needed_by", "9999-12-31", "Enter the day by which you need it"),
        ("needed_by", "", "Enter the day by which you need it"),
        ("urgency", "", "Say how urgent it is."),
        ("urgency", "most", "Say how urgent it is."),
        ("stock-headband", "-1", "Enter how many you still have, 0 if none."),
        ("stock-headband", "few", "Enter a whole number, like 40."),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(
    house: House, world: World, field: str, typed: str, told: str
) -> None:
    right = {"form_key": "7f2a3bd8-1f9b-4b7a-9d1b-2f1f4f3e2a11", "quantity-headband": "70", **TYPED}
    address = {"query_string": right | {field: typed}}
    browser = house.signed_in("alice")
    page = browser.get("/ask/check", **address)
    assert "There is a problem" in page.text
    assert told in page.text
    if field != "quantity-gone":
        assert f'href="#{field}"' in page.text
        assert f'id="{field}"' in page.text
    if field in form_of(page).fields:
        assert form_of(page).fields[field] == typed
    kept = {**form_of(page).fields}
    assert all(kept.get(name) == value for name, value in right.items() if name not in (field, "urgency"))
    refused = browser.post("/requests", right | {field: typed}, form="/")
    assert refused.status_code == 400
    assert told in refused.text
    assert world.all(SupplyRequest) == []


def test_asking_for_nothing_is_said(house: House) -> None:
    browser = house.signed_in("alice")
    page = fill(browser, browser.get("/ask"), quantity__headband="0")
    assert "choose at least one design" in page.text
    assert "What do you need?" in page.text


def test_an_error_names_its_design_in_the_summary(house: House) -> None:
    browser = house.signed_in("alice")
    page = fill(browser, browser.get("/ask"), quantity__headband="x", quantity__face__shield="-1")
    assert "Headband: Enter a whole number" in page.text
    assert "Face-Shield: Enter how many you need" in page.text


def test_a_long_note_comes_back_whole(house: House, world: World) -> None:
    browser = house.signed_in("alice")
    page = fill(browser, ask(browser), note="x" * 501)
    assert page.status_code == 400
    assert "Keep the note under 500 characters." in page.text
    assert "x" * 501 in page.text
    assert world.all(SupplyRequest) == []


def test_figures_of_other_scripts_are_figures(house: House, world: World) -> None:
    browser = house.signed_in("alice")
    fill(browser, ask(browser, quantity__headband="１ ２٣"))
    assert [line.quantity for line in world.all(RequestLine)] == [123]


def test_no_screen_complains_before_anything_was_typed(house: House) -> None:
    browser = house.signed_in("alice")
    for address in ("/ask", "/ask/when", "/ask/check", "/ask?design=headband"):
        page = browser.get(address).text
        assert "What do you need?" in page
        assert "There is a problem" not in page


def test_the_design_that_led_here_comes_first(house: House) -> None:
    page = house.signed_in("alice").get("/ask?design=headband").text
    assert page.index('id="quantity-headband"') < page.index('id="quantity-face-shield"')


def test_each_answer_can_be_changed(house: House) -> None:
    browser = house.signed_in("alice")
    page = ask(browser)
    for endpoint in ("/ask?", "/ask/when?"):
        assert f'href="{endpoint}' in page.text
    back = browser.get("/ask/when", query_string=form_of(page).fields)
    changed = fill(browser, back, needed_by="2020-04-09")
    assert "9 Apr 2020" in changed.text
    assert "70" in changed.text


def test_sent_twice_is_one_request(house: House, world: World) -> None:
    browser = house.signed_in("alice")
    last = ask(browser)
    first, second = fill(browser, last), fill(browser, last)
    assert first.headers["Location"] == second.headers["Location"]
    assert len(world.all(SupplyRequest)) == 1


def test_sent_twice_at_the_same_moment_is_one_request(house: House, world: World) -> None:
    browser = house.signed_in("alice")
    last = ask(browser)
    form_key = UUID(form_of(last).fields["form_key"])
    first = world.new_request(form_key=form_key, requested_by=house.people["alice"].id)
    with ThreadPoolExecutor(1) as thread:
        with world.database.changing() as session:
            request = demand.submit(session, first, largest=100, policy=POLICY, now=house.time.now)
            second = thread.submit(fill, browser, last)
            wait([second], timeout=0.7)  # it has looked for the request, not seen it, and waits to write its own
            assert not second.done()
        assert second.result().headers["Location"] == f"/requests/{request.id}/sent"
    assert len(world.all(SupplyRequest)) == 1


def test_a_form_that_was_sent_leads_to_its_request(house: House, world: World) -> None:
    browser = house.signed_in("alice")
    last = ask(browser)
    fill(browser, last)
    again = browser.get("/ask/check", query_string=form_of(last).fields)
    [request] = world.all(SupplyRequest)
    assert again.headers["Location"] == f"/requests/{request.id}"
    assert "You have sent this request already" in browser.get(again.headers["Location"]).text


def test_another_facilitys_form_key_gives_nothing_away(house: House, world: World) -> None:
    alice, bob = house.signed_in("alice"), house.signed_in("bob")
    fields = form_of(ask(alice)).fields
    alice.post("/requests", fields, form="/")
    stolen = form_of(ask(bob)).fields | {"form_key": fields["form_key"]}
    assert bob.get("/ask/check", query_string=stolen).status_code == 200
    assert bob.post("/requests", stolen, form="/").status_code == 404
    assert len(world.all(SupplyRequest)) == 1


def test_who_asks_for_two_facilities_chooses(house: House, world: World) -> None:
    browser = house.signed_in("ruth")
    where = browser.get("/ask?design=headband")
    assert "Where is it needed?" in where.text
    assert set(form_of(where).options["facility"]) == {str(world.care_home.id), str(world.hospital.id)}
    assert "Choose one of these." in fill(browser, where).text
    what = fill(browser, where, facility=str(world.hospital.id))
    when = fill(browser, what, quantity__headband="5")
    fill(browser, fill(browser, when, **TYPED))
    [request] = world.all(SupplyRequest)
    assert request.facility_id == world.hospital.id


def test_of_several_hubs_one_is_chosen(house: House, world: World) -> None:
    other = house.add_hub("Another Hub")
    browser = house.signed_in("alice")
    where = browser.get("/ask")
    assert set(form_of(where).options["hub"]) == {str(world.hub.id), str(other.id)}
    when = fill(browser, fill(browser, where, hub=str(other.id)), quantity__headband="5")
    fill(browser, fill(browser, when, **TYPED))
    [request] = world.all(SupplyRequest)
    assert request.hub_id == other.id


def test_nobody_asks_for_a_facility_of_others(house: House, world: World) -> None:
    browser = house.signed_in("ruth")
    fields = {
        "form_key": "7f2a3bd8-1f9b-4b7a-9d1b-2f1f4f3e2a11",
        "facility": str(house.elsewhere.id),
        "quantity-headband": "5",
        **TYPED,
    }
    assert browser.post("/requests", fields, form="/").status_code == 400
    alice = house.signed_in("alice")  # who has one facility, which is taken whatever the form says
    assert alice.post("/requests", fields, form="/").status_code == 302
    [request] = world.all(SupplyRequest)
    assert request.facility_id == world.care_home.id


def test_who_has_no_facility_is_told_whom_to_ask(house: House, world: World) -> None:
    house.add_person("Hubert", (world.hub, Role.REQUESTER))
    page = house.signed_in("hubert").get("/ask")
    assert "You ask for no hospital or care home yet" in page.text
    assert house.signed_in("hubert").post("/requests", TYPED, form="/").status_code == 400


def test_an_open_request_for_the_same_is_pointed_out(house: House, world: World) -> None:
    world.request(40)
    other = world.request(30, facility_id=house.elsewhere.id, requested_by=house.people["bob"].id)
    page = ask(house.signed_in("alice")).text
    assert "You asked for some of this before" in page
    assert "40 × Headband" in page
    assert str(other.id) not in page


@pytest.mark.parametrize("address", ["/ask", "/ask/where", "/ask/when", "/ask/check", "/requests"])
def test_only_requesters_find_the_form(house: House, address: str) -> None:
    for who in ("mona", "dan", "kim", "charlie"):
        assert house.signed_in(who).get(address).status_code == 404
    assert house.browser().get(address).status_code == 302


def test_only_requesters_send(house: House, world: World) -> None:
    fields = {"quantity-headband": "5", **TYPED}
    assert house.signed_in("dan").post("/requests", fields, form="/").status_code == 404
    assert world.all(SupplyRequest) == []


def test_a_request_needs_the_forms_token(house: House, world: World) -> None:
    browser = house.signed_in("alice")
    fields = form_of(ask(browser)).fields | {"csrf_token": "made up"}
    assert browser.client.post("/requests", data=fields).status_code == 400
    assert world.all(SupplyRequest) == []


def test_a_withdrawn_design_is_not_offered(house: House, world: World) -> None:
    world.withdraw(world.headband)
    page = house.signed_in("alice").get("/ask")
    assert "quantity-headband" not in form_of(page).fields
    assert "quantity-face-shield" in form_of(page).fields


def test_what_a_hospital_may_not_ask_for_is_shown_with_the_reason_and_can_not_be_chosen(
    house: House, world: World
) -> None:
    with house.database.changing() as session:
        prototype = design_version(session, "pen-grip", band=1)
    house.add_person("Nadia", (world.hospital, Role.REQUESTER))
    nadia = house.signed_in("nadia")
    page = nadia.get("/ask")
    assert "Pen-Grip" in page.text
    assert "You may not ask for it yet: no review of it holds at this hub." in page.text
    assert "Ask the reviewers of Kingston Hub about it." in page.text
    assert "quantity-pen-grip" not in form_of(page).fields
    assert page.text.index("Headband") < page.text.index("Pen-Grip")
    typed = {"form_key": "7f2a3bd8-1f9b-4b7a-9d1b-2f1f4f3e2a11", "quantity-pen-grip": "5", **TYPED}
    refused = nadia.post("/requests", typed, form="/")
    assert refused.status_code == 400
    assert 'href="#quantity-pen-grip"' in refused.text
    assert 'id="quantity-pen-grip"' in refused.text
    assert world.all(SupplyRequest) == []
    assert "quantity-pen-grip" in form_of(house.signed_in("alice").get("/ask")).fields  # of a care home
    with house.database.changing() as session:
        review(session, prototype, house.people["dan"])
    assert "quantity-pen-grip" in form_of(nadia.get("/ask")).fields


def test_a_hospital_gets_the_approved_version_until_the_newest_is_approved(house: House, world: World) -> None:
    newest = next_version(house, world.headband)
    house.add_person("Nadia", (world.hospital, Role.REQUESTER))
    nadia, alice = house.signed_in("nadia"), house.signed_in("alice")
    assert "Version 1.0: the newest that you may ask for." in nadia.get("/ask").text
    assert "Version 1.0" not in alice.get("/ask").text
    for browser in (nadia, alice):
        fill(browser, ask(browser))
    kits = [line.kit_id for line in world.all(RequestLine)]
    assert set(kits) == {world.kit_of(world.headband).id, world.kit_of(newest).id}


def test_what_was_withdrawn_at_the_hub_is_made_for_nobody(house: House, world: World) -> None:
    with house.database.changing() as session:
        row = session.get_one(DesignVersion, world.headband.id)
        decision = Decision(Scope(hub_id=world.hub.id), ApprovalState.WITHDRAWN, "It cracks.", NOW)
        decide(session, row, decision, by=house.people["dan"].id, now=NOW)
    page = house.signed_in("alice").get("/ask")
    assert "This hub makes it no more: it was withdrawn here." in page.text
    assert "quantity-headband" not in form_of(page).fields
    house.add_hub("Another Hub")
    assert "Where is it needed?" in house.signed_in("alice").get("/ask").text
