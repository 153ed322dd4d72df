"""Making a facility known, asking to join one that is here, and letting colleagues in; strangers can not."""

from builders import World
from unit.web.browsers import Browser
from unit.web.houses import House, forms_of
from werkzeug.test import TestResponse

from makerhub.facilities.ladder import Standing
from makerhub.facilities.service import standing_of
from makerhub.notices.models import Mail
from makerhub.people.models import JoinRequest, JoinState, Organisation, Person, Role
from makerhub.people.service import facilities_of

ELDER = {"new_name": "Elder Court", "kind": "care_home", "postcode": "kt25aa", "entrance": "Ring twice."}


def send(browser: Browser, address: str, **fields: str) -> TestResponse:
    return browser.post(address, fields, form="/")


def names_of(world: World, somebody: Person) -> list[str]:
    with world.database.reading() as session:
        return [one.name for one in facilities_of(session, session.get_one(Person, somebody.id))]


def ask(house: House, who: str = "charlie", **fields: str) -> str:
    place = f"/facilities/known/{house.world.care_home.id}"
    assert send(house.signed_in(who), place, **fields).status_code == 302
    return place


def test_somebody_without_a_role_makes_a_facility_known_and_asks_for_it(house: House, world: World) -> None:
    charlie = house.signed_in("charlie")
    assert "/facilities" in charlie.get("/").text
    assert "/facilities/new" in charlie.get("/facilities").text
    made = send(charlie, "/facilities/new", **ELDER)
    assert made.status_code == 302
    assert "Elder Court" in charlie.get(made.headers["Location"]).text
    assert names_of(world, house.people["charlie"]) == ["Elder Court"]
    [elder] = [one for one in world.all(Organisation) if one.name == "Elder Court"]
    assert (elder.postcode, elder.entrance) == ("KT2 5AA", "Ring twice.")
    with world.database.reading() as session:
        assert standing_of(session, elder.id, house.time()) is Standing.DRAFT
    assert charlie.get("/ask").status_code == 200


def test_what_is_wrong_is_told_and_nothing_is_lost(house: House, world: World) -> None:
    before = len(world.all(Organisation))
    page = send(house.signed_in("charlie"), "/facilities/new", **(ELDER | {"kind": "hub", "new_name": "Elder"}))
    assert page.status_code == 400
    assert "Choose a hospital or a care home." in page.text
    assert 'value="kt25aa"' in page.text
    assert "Enter a name." in send(house.signed_in("charlie"), "/facilities/new", kind="hospital").text
    assert len(world.all(Organisation)) == before


def test_what_is_alike_is_shown_first_and_choosing_it_leads_to_joining(house: House, world: World) -> None:
    charlie = house.signed_in("charlie")
    fields = ELDER | {"new_name": "The Rosewood"}
    alike = send(charlie, "/facilities/new", **fields)
    assert alike.status_code == 400
    assert str(world.care_home.id) in forms_of(alike)[0].options["facility"]
    chosen = send(charlie, "/facilities/new", **fields, facility=str(world.care_home.id))
    assert chosen.headers["Location"] == f"/facilities/known/{world.care_home.id}"
    assert "It is here already." in charlie.get(chosen.headers["Location"]).text
    assert send(charlie, "/facilities/new", **fields, facility="new").status_code == 302
    assert names_of(world, house.people["charlie"]) == ["The Rosewood"]


def test_nobody_makes_more_than_five_drafts(house: House) -> None:
    charlie = house.signed_in("charlie")
    for number in range(5):
        fields = ELDER | {"new_name": f"{'ABCDE'[number] * 9} Court", "postcode": f"KT{number} 1AA"}
        assert send(charlie, "/facilities/new", **fields).status_code == 302
    page = send(charlie, "/facilities/new", **(ELDER | {"new_name": "Zzz"}))
    assert page.status_code == 400
    assert "several facilities" in page.text


def test_a_colleague_is_told_who_asks_and_lets_them_in(house: House, world: World) -> None:
    request = world.request()
    place = ask(house, message="Night nurse, ward 3")
    assert {(mail.letter, mail.address) for mail in world.all(Mail)} == {
        ("facility_join_asked", "alice@example.org"), ("facility_join_asked", "ruth@example.org"),
    }  # fmt: skip
    charlie = house.signed_in("charlie")
    assert "Asked for" in charlie.get(place).text
    assert "Rosewood" in charlie.get("/facilities").text
    ask(house)
    assert len(world.all(JoinRequest)) == 1
    assert len(world.all(Mail)) == 2
    page = house.signed_in("alice").get(f"/facilities/{world.care_home.id}").text
    assert "Night nurse, ward 3" in page
    assert charlie.get(f"/requests/{request.id}").status_code == 404
    [asked] = world.all(JoinRequest)
    for who in ("bob", "charlie", "mona", "dan"):
        assert send(house.signed_in(who), f"/facilities/joining/{asked.id}/accept").status_code == 404
    assert send(house.signed_in("alice"), f"/facilities/joining/{asked.id}/accept").status_code == 302
    assert charlie.get(f"/requests/{request.id}").status_code == 200
    assert "facility_joined" in {mail.letter for mail in world.all(Mail)}
    assert send(charlie, place).status_code == 400


def test_whoever_is_declined_is_told_and_may_ask_again(house: House, world: World) -> None:
    place = ask(house)
    [asked] = world.all(JoinRequest)
    assert send(house.signed_in("ruth"), f"/facilities/joining/{asked.id}/decline").status_code == 302
    assert "facility_not_joined" in {mail.letter for mail in world.all(Mail)}
    assert "were not let in" in house.signed_in("charlie").get(place).text
    assert names_of(world, house.people["charlie"]) == []
    ask(house)
    assert len(world.all(JoinRequest)) == 2


def test_whoever_asked_takes_it_back(house: House, world: World) -> None:
    place = ask(house)
    assert send(house.signed_in("bob"), f"{place}/take-back").status_code == 302
    assert world.all(JoinRequest)[0].state is JoinState.ASKED
    assert send(house.signed_in("charlie"), f"{place}/take-back").status_code == 302
    assert world.all(JoinRequest)[0].state is JoinState.TAKEN_BACK
    assert "Who wants to join" not in house.signed_in("ruth").get(f"/facilities/{world.care_home.id}").text


def test_a_dispatcher_answers_as_well(house: House, world: World) -> None:
    ask(house)
    dan = house.signed_in("dan")
    page = dan.get("/dispatch/joining").text
    assert "Alice, Ruth ask for it, and may answer, too." in page
    [asked] = world.all(JoinRequest)
    assert send(dan, f"/dispatch/joining/{asked.id}/accept").status_code == 302
    assert names_of(world, house.people["charlie"]) == ["Rosewood"]
    assert "facility_joined" in {mail.letter for mail in world.all(Mail)}


def test_hubs_are_no_facilities(house: House, world: World) -> None:
    assert house.signed_in("charlie").get(f"/facilities/known/{world.hub.id}").status_code == 404
    assert send(house.signed_in("charlie"), f"/facilities/known/{world.hub.id}").status_code == 404


def test_a_requester_of_elsewhere_learns_nothing_of_who_asks(house: House, world: World) -> None:
    ask(house)
    house.add_person("Rex", (house.elsewhere, Role.REQUESTER))
    page = house.signed_in("rex").get(f"/facilities/known/{world.care_home.id}").text
    assert "charlie" not in page
    assert "Ruth" not in page
