"""A dispatcher takes a request while somebody speaks; the caller sees, confirms and cancels it without an account."""

import pytest
from builders import World, organisation
from unit.web.browsers import Browser
from unit.web.houses import Form, House, forms_of
from werkzeug.test import TestResponse

from makerhub.demand.models import CallState, RequestState, SupplyRequest, TelephoneCall
from makerhub.facilities.models import RegisterEntry
from makerhub.notices.models import Mail
from makerhub.people.models import Organisation, OrganisationKind, Role
from makerhub.trace import merging

CALLER = {"caller": "Carla Caller", "number": "020 7946 0123"}
NEED = {"quantity-headband": "12", "needed_by": "2020-04-01", "urgency": "soon"}
PAGE = "/dispatch/telephone/call"


def send(browser: Browser, address: str, fields: dict[str, str], form: str = "/") -> TestResponse:
    return browser.post(address, fields, form=form)


def form_for(browser: Browser, facility: Organisation | None = None) -> dict[str, str]:
    page = browser.get(f"{PAGE}?facility={facility.id}" if facility else PAGE)
    forms: list[Form] = forms_of(page)
    return forms[0].fields | CALLER | NEED


def file(house: House, **more: str) -> TestResponse:
    dan = house.signed_in("dan")
    return send(dan, PAGE, form_for(dan, house.world.care_home) | more | {"step": "file"})


def code_on(page: TestResponse) -> str:
    return page.text.partition('class="hand-over-code"')[2].partition(">")[2].partition("<")[0]


def test_a_facility_is_found_by_a_part_of_its_name_or_postcode_or_in_a_register(house: House, world: World) -> None:
    with world.database.changing() as session:
        session.get_one(Organisation, world.care_home.id).postcode = "KT1 9ZZ"
        session.add(
            RegisterEntry(
                source="cqc",
                code="1-9",
                name="Elder Court",
                name_key="eldercourt",
                address="2 Elm Road",
                postcode="KT2 5AA",
                postcode_key="kt25aa",
                kind=OrganisationKind.CARE_HOME,
            )
        )
    dan = house.signed_in("dan")
    for typed in ("rosew", "ROSEWOOD", "kt1", "Kt1 9", "Rosewod"):
        assert f"facility={world.care_home.id}" in dan.get(f"/dispatch/telephone?near={typed}").text
    for typed in ("", "x", "%", "Larkfield"):
        assert f"facility={world.care_home.id}" not in dan.get(f"/dispatch/telephone?near={typed}").text
    entry = world.all(RegisterEntry)[0]
    assert f"entry={entry.id}" in dan.get("/dispatch/telephone?near=elder").text
    begun = dan.get(f"{PAGE}?entry={entry.id}").text
    assert 'value="Elder Court"' in begun
    assert 'value="KT2 5AA"' in begun


def test_what_was_typed_is_read_back_before_anything_is_kept(house: House, world: World) -> None:
    dan = house.signed_in("dan")
    page = send(dan, PAGE, form_for(dan, world.care_home) | {"step": "read_back"})
    assert page.status_code == 200
    for said in (
        "Carla Caller",
        "Rosewood",
        '<strong class="numbers">12</strong> × Headband',
        "020 7946 0123",
        "1 Apr",
    ):
        assert said in page.text
    assert world.all(SupplyRequest) == []
    back = send(dan, PAGE, forms_of(page)[0].fields | {"step": "change"})
    assert 'value="020 7946 0123"' in back.text
    filed = send(dan, PAGE, forms_of(page)[0].fields | {"step": "file"})
    assert "It is filed" in filed.text
    [request] = world.all(SupplyRequest)
    assert (request.facility_id, request.requested_by) == (world.care_home.id, world.dispatcher.id)
    shown = dan.get(f"/dispatch/requests/{request.id}").text
    assert "By telephone, filed by Dan" in shown
    assert "020 7946 0123" in shown


def test_sent_twice_it_is_one_request(house: House, world: World) -> None:
    dan = house.signed_in("dan")
    fields = form_for(dan, world.care_home) | {"step": "file"}
    assert send(dan, PAGE, fields).status_code == 200
    assert send(dan, PAGE, fields).status_code == 302
    assert len(world.all(SupplyRequest)) == 1


def test_mistakes_are_told_at_their_fields_and_nothing_is_lost(house: House, world: World) -> None:
    dan = house.signed_in("dan")
    fields = form_for(dan, world.care_home) | {"number": "?", "needed_by": "other", "other_day": "", "step": "file"}
    page = send(dan, PAGE, fields)
    assert page.status_code == 400
    assert "Enter the number to call back" in page.text
    assert "Enter the day by which you need it" in page.text
    assert 'value="Carla Caller"' in page.text
    assert 'value="12"' in page.text
    assert world.all(SupplyRequest) == []
    assert send(dan, PAGE, fields | CALLER | {"other_day": "2020-05-04"}).status_code == 200


def test_a_new_facility_is_made_with_its_request_and_only_once_somebody_looked_at_those_alike(
    house: House, world: World
) -> None:
    before = len(world.all(Organisation))
    dan = house.signed_in("dan")
    fields = form_for(dan) | {"new_name": "Rosewood care home", "kind": "care_home", "step": "file"}
    asked = send(dan, PAGE, fields)
    assert asked.status_code == 400
    assert "Is it one of these?" in asked.text
    assert len(world.all(Organisation)) == before
    assert "It is filed" in send(dan, PAGE, fields | {"facility": str(world.care_home.id)}).text
    assert len(world.all(Organisation)) == before
    other = form_for(dan) | {"new_name": "Rosewood", "kind": "care_home", "postcode": "m11aa", "facility": "new"}
    assert "It is filed" in send(dan, PAGE, other | {"step": "file"}).text
    [made] = [one for one in world.all(Organisation) if one.postcode == "M1 1AA"]
    assert {one.facility_id for one in world.all(SupplyRequest)} == {world.care_home.id, made.id}
    unnamed = send(dan, PAGE, form_for(dan) | {"step": "file"})
    assert unnamed.status_code == 400
    assert len(world.all(Organisation)) == before + 1


def test_a_facility_that_was_merged_stands_for_the_one_that_was_kept(house: House, world: World) -> None:
    with world.database.changing() as session:
        twin = organisation(session, OrganisationKind.CARE_HOME, "Rosewood House")
        kept = session.get_one(Organisation, world.care_home.id)
        merging.merge(session, kept, twin, by=world.dispatcher.id, now=house.time())
    dan = house.signed_in("dan")
    assert "It is filed" in send(dan, PAGE, form_for(dan, twin) | {"step": "file"}).text
    assert world.all(SupplyRequest)[0].facility_id == world.care_home.id


def test_the_ladder_holds_for_those_who_call_as_for_everybody(house: House) -> None:
    dan = house.signed_in("dan")
    page = send(dan, PAGE, form_for(dan, house.elsewhere) | {"step": "read_back"})
    assert "Nothing is made for Elm House yet" in page.text


def test_a_code_opens_the_request_for_a_visitor_who_confirms_and_cancels(house: House, world: World) -> None:
    code = code_on(file(house))
    visitor = house.browser()
    assert send(visitor, "/called", {"code": "ABCD-EFGH-JKLM"}, "/called").status_code == 400
    opened = send(visitor, "/called", {"code": code.lower()}, "/called")
    assert opened.status_code == 302
    address = opened.headers["Location"]
    assert "12 × Headband" in visitor.get(address).text
    [noted] = world.all(TelephoneCall)
    assert noted.state is CallState.NOTED
    assert send(visitor, f"{address}/confirm", {}, address).status_code == 302
    assert world.get(TelephoneCall, noted.id).state is CallState.CONFIRMED
    assert visitor.get(f"{address}/cancel").status_code == 200
    assert world.all(SupplyRequest)[0].state is RequestState.SUBMITTED
    assert send(visitor, f"{address}/cancel", {}, address).status_code == 302
    assert world.all(SupplyRequest)[0].state is RequestState.CANCELLED
    assert "plan_jobs" in house.nudged
    assert send(visitor, f"{address}/forget", {}, address).status_code == 302
    assert world.all(TelephoneCall) == []
    assert visitor.get(address).status_code == 404


def test_a_caller_without_an_account_sees_the_code_for_the_door(house: House, world: World) -> None:
    noted, secret = world.called()
    request = world.get(SupplyRequest, noted.request_id)
    dan = house.signed_in("dan")
    send(dan, f"/dispatch/requests/{request.id}/accept", {})
    world.reserve(request, world.lot(4), 4)
    code = world.pack(request).hand_over_code
    assert f"{code[:3]} {code[3:]}" in house.browser().get(f"/called/{secret}").text


def test_a_caller_with_a_mail_address_gets_a_link_and_sees_it_among_the_own(house: House, world: World) -> None:
    page = file(house, email="bob@example.org")
    assert "is on its way to bob@example.org" in page.text
    assert "send_mails" in house.nudged
    assert [mail.address for mail in world.all(Mail)] == ["bob@example.org"]
    request = world.all(SupplyRequest)[0]
    bob = house.signed_in("bob")
    assert "12 × Headband" in bob.get("/requests").text
    assert "wrote the request down on the telephone" in bob.get(f"/requests/{request.id}").text
    assert send(bob, f"/requests/{request.id}/cancel", {}).status_code == 302
    assert world.get(SupplyRequest, request.id).state is RequestState.CANCELLED


def test_a_new_code_and_forgetting_are_for_the_hub_s_own_dispatchers(house: House, world: World) -> None:
    file(house)
    [request] = world.all(SupplyRequest)
    house.add_person("Dora", (house.add_hub("Elsewhere Hub"), Role.DISPATCHER))
    for who in ("dora", "ruth", "kim"):
        for what in ("caller", "forget-caller"):
            assert send(house.signed_in(who), f"/dispatch/requests/{request.id}/{what}", {}).status_code == 404
    dan = house.signed_in("dan")
    assert len(code_on(send(dan, f"/dispatch/requests/{request.id}/caller", {}))) == 14
    assert send(dan, f"/dispatch/requests/{request.id}/forget-caller", {}).status_code == 302
    assert "Who called is deleted." in dan.get(f"/dispatch/requests/{request.id}").text
    assert send(dan, f"/dispatch/requests/{request.id}/caller", {}).status_code == 404


@pytest.mark.parametrize("who", ["ruth", "mona", "kim", "charlie"])
def test_others_take_no_calls(house: House, who: str) -> None:
    assert house.signed_in(who).get("/dispatch/telephone").status_code == 404
