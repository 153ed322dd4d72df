"""The dispatcher proves a facility step by step; dispatchers of other hubs see nothing of it."""

from builders import NOW, World, organisation
from sqlmodel import select
from unit.web.houses import Form, House, forms_of

from makerhub.config import Settings
from makerhub.delivery.models import Shipment, ShipmentState
from makerhub.demand import service as demand
from makerhub.demand.models import SupplyRequest
from makerhub.facilities import service as facilities
from makerhub.facilities.ladder import Standing
from makerhub.facilities.models import Evidence, RegisterEntry
from makerhub.people.models import Organisation, OrganisationKind, Role
from makerhub.planning.holding import NOT_PROVED
from makerhub.planning.tasks import allocate_lots


def ask_for_elm(house: House) -> SupplyRequest:
    """Elm House, of which nothing is proved, asks the hub."""
    world = house.world
    with world.database.changing() as session:
        elm = session.get_one(Organisation, house.elsewhere.id)
        told = {"name": "Elm House", "place": "", "postcode": "KT2 5AA", "entrance": "", "opening_hours": ""}
        facilities.describe(session, elm, **told, now=NOW)  # type: ignore[arg-type]
        entry = RegisterEntry(
            source="cqc",
            code="1-9",
            name="Elm House Care Home",
            name_key="elmhouscarhom",
            address="2 Elm Road",
            postcode="KT2 5AA",
            postcode_key="kt25aa",
            telephone="020 7946 0001",
        )
        session.add(entry)
    return world.request(facility_id=house.elsewhere.id, requested_by=house.people["bob"].id)


def send(house: House, who: str, address: str, **fields: str) -> int:
    browser = house.signed_in(who)
    return browser.post(address, fields, form="/").status_code


def standing(house: House) -> Standing:
    with house.database.reading() as session:
        return facilities.standing_of(session, house.elsewhere.id, house.time())


def test_a_facility_is_proved_by_register_and_call(house: House, world: World) -> None:
    request = ask_for_elm(house)
    dan, place = house.signed_in("dan"), f"/dispatch/facilities/{house.elsewhere.id}"
    assert "Nothing is made for Elm House yet" in dan.get(f"/dispatch/requests/{request.id}").text
    assert "Nothing is made for Elm House yet" in house.signed_in("bob").get(f"/requests/{request.id}").text
    assert "Elm House" in dan.get("/dispatch/facilities").text
    page = dan.get(place)
    assert "Find it in a register." in page.text
    entry = world.all(RegisterEntry)[0]
    assert send(house, "dan", f"{place}/register", entry=str(entry.id)) == 302
    assert "020 7946 0001" in dan.get(place).text
    assert send(house, "dan", f"{place}/call", outcome="nobody_reached") == 302
    assert standing(house) is Standing.DRAFT
    assert send(house, "dan", f"{place}/call", outcome="confirmed", note="Spoke to the manager.") == 302
    assert standing(house) is Standing.VERIFIED
    assert "Nothing is made" not in house.signed_in("bob").get(f"/requests/{request.id}").text
    assert "allocate_lots" in house.nudged


def test_evidence_is_taken_back_with_a_reason(house: House, world: World) -> None:
    world.request()
    place = f"/dispatch/facilities/{world.care_home.id}"
    one = next(each for each in world.all(Evidence) if each.facility_id == world.care_home.id)
    assert send(house, "dan", f"{place}/evidence/{one.id}/revoke", why=" ") == 400
    assert send(house, "dan", f"{place}/evidence/{one.id}/revoke", why="a fake") == 302
    assert world.get(Evidence, one.id).revoked_at == house.time()


def test_a_letter_shows_its_code_once(house: House, world: World) -> None:
    world.request()
    world.letter()
    browser = house.signed_in("dan")
    page = browser.post(f"/dispatch/facilities/{world.care_home.id}/letter", form="/")
    assert page.status_code == 200
    assert "1 Rose Lane" in page.text


def test_duplicates_are_merged_after_a_preview_and_can_be_taken_back(house: House, world: World) -> None:
    with world.database.changing() as session:
        twin = organisation(session, OrganisationKind.CARE_HOME, "Rosewood")
    world.request()
    theirs = world.request(facility_id=twin.id)
    dan, place = house.signed_in("dan"), f"/dispatch/facilities/{world.care_home.id}"
    assert f"other={twin.id}" in dan.get(place).text
    preview = dan.get(f"{place}/merge?other={twin.id}")
    assert "Make them one?" in preview.text
    assert world.get(SupplyRequest, theirs.id).facility_id == twin.id
    forms: list[Form] = forms_of(preview)
    assert forms[0].fields["other"] == str(twin.id)
    assert send(house, "dan", f"{place}/merge", other=str(twin.id)) == 302
    assert world.get(SupplyRequest, theirs.id).facility_id == world.care_home.id
    undo = next(form.action for form in forms_of(dan.get(place)) if form.action.endswith("/undo"))
    assert send(house, "dan", undo) == 302
    assert world.get(SupplyRequest, theirs.id).facility_id == twin.id


def test_dispatchers_of_other_hubs_and_requesters_see_nothing(house: House, world: World) -> None:
    ask_for_elm(house)
    house.add_person("Dora", (house.add_hub("Elsewhere Hub"), Role.DISPATCHER))
    place = f"/dispatch/facilities/{house.elsewhere.id}"
    for who in ("dora", "bob", "mona", "charlie"):
        assert house.signed_in(who).get(place).status_code == 404
        assert send(house, who, f"{place}/call", outcome="confirmed") == 404
    assert "Elm House" not in house.signed_in("dora").get("/dispatch/facilities").text
    with world.database.reading() as session:
        assert session.exec(select(Evidence).where(Evidence.facility_id == house.elsewhere.id)).all() == []


def test_who_asks_for_a_facility_that_is_not_proved_may_still_ask(house: House) -> None:
    request = ask_for_elm(house)
    with house.database.reading() as session:
        assert demand.lines_of(session, request.id)
    assert standing(house) is Standing.DRAFT
    assert house.time() == NOW


def test_the_page_shows_each_rung_what_it_lacks_and_who_gave_what(house: House, world: World) -> None:
    ask_for_elm(house)
    dan, place = house.signed_in("dan"), f"/dispatch/facilities/{house.elsewhere.id}"
    page = dan.get(place).text
    assert "still to be proved:" in page
    assert "Entry in a register + Called back" in page
    assert send(house, "dan", f"{place}/register", entry=str(world.all(RegisterEntry)[0].id)) == 302
    assert send(house, "dan", f"{place}/call", outcome="confirmed") == 302
    page = dan.get(place).text
    assert "still to be proved:" not in page
    assert "by Dan" in page
    one = next(each for each in world.all(Evidence) if each.facility_id == house.elsewhere.id)
    assert send(house, "dan", f"{place}/evidence/{one.id}/revoke", why="It was another house.") == 302
    page = dan.get(place).text
    assert "Taken back: It was another house." in page
    assert "still to be proved:" in page


def test_taking_evidence_back_takes_back_what_is_packed(house: House, world: World) -> None:
    request = world.request(4)
    world.reserve(request, world.lot(4, request=request), 4)
    shipment = world.pack(request)
    place = f"/dispatch/facilities/{world.care_home.id}"
    for one in world.all(Evidence):
        if one.facility_id == world.care_home.id:
            assert send(house, "dan", f"{place}/evidence/{one.id}/revoke", why="a fake") == 302
    assert house.nudged[-1] == "allocate_lots"
    parts = {"database": world.database, "settings": Settings(), "clock": house.time}
    allocate_lots.bind(parts)()
    assert world.get(Shipment, shipment.id).state is ShipmentState.UNPACKED
    assert NOT_PROVED in house.signed_in("dan").get(f"/dispatch/requests/{request.id}").text


def test_administrators_prove_facilities_of_all_hubs(house: House) -> None:
    ask_for_elm(house)
    house.add_person("Ada", (house.add_hub("Elsewhere Hub"), Role.ADMIN))
    assert "Elm House" in house.signed_in("ada").get("/dispatch/facilities").text
    assert house.signed_in("ada").get(f"/dispatch/facilities/{house.elsewhere.id}").status_code == 200
