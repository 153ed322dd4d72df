"""A facility's own page: how deliveries get in, the code that proves it, and leaving; strangers see nothing."""

from pathlib import Path

from builders import World
from unit.web.houses import House

from makerhub.audit.service import deeds_with
from makerhub.demand.models import SupplyRequest
from makerhub.facilities.ladder import EvidenceKind
from makerhub.facilities.models import Evidence
from makerhub.notices.models import Mail
from makerhub.notices.service import values_of
from makerhub.people.models import Organisation, Role


def send(house: House, who: str, address: str, **fields: str) -> int:
    return house.signed_in(who).post(address, fields, form="/").status_code


def test_entrance_and_hours_reach_the_courier(house: House, world: World) -> None:
    place = f"/facilities/{world.care_home.id}"
    assert send(house, "alice", place, entrance="Ring twice.", opening_hours="9 to 17") == 302
    assert world.get(Organisation, world.care_home.id).entrance == "Ring twice."
    request = world.request(4)
    world.reserve(request, world.lot(4, request=request), 4)
    page = house.signed_in("kim").get(f"/deliveries/{world.pack(request).id}").text
    assert "Ring twice." in page
    assert "9 to 17" in page
    assert send(house, "alice", place, entrance="x" * 501) == 400


def test_a_posted_code_is_typed_by_one_of_its_people(house: House, world: World) -> None:
    _, code = world.letter()
    place = f"/facilities/{world.care_home.id}"
    assert "The code that you got" in house.signed_in("alice").get(place).text
    assert send(house, "alice", f"{place}/code", code="AAAA-AAAA-AAAA") == 400
    assert send(house, "bob", f"{place}/code", code=code) == 404
    assert send(house, "alice", f"{place}/code", code=code.lower()) == 302
    assert EvidenceKind.POSTED_CODE in {one.kind for one in world.all(Evidence)}


def test_a_mail_code_is_refused_where_the_domain_proves_nothing(house: House, world: World) -> None:
    assert send(house, "bob", f"/facilities/{house.elsewhere.id}/mail-code") == 400
    assert world.all(Mail) == []


def test_a_mail_code_reaches_the_mailbox_sealed_in_the_language_of_whoever_asked(world: World, tmp_path: Path) -> None:
    house = House(world, tmp_path, facility_mail_domains=("example.org",))
    alice = house.signed_in("alice")
    alice.post("/language", {"language": "fr"}, form="/")
    place = f"/facilities/{world.care_home.id}"
    assert alice.post(f"{place}/mail-code", form="/").status_code == 302
    [mail] = world.all(Mail)
    assert (mail.content, mail.language) == (None, "fr")
    values = values_of(mail, world.key_box)
    assert values is not None
    assert send(house, "alice", f"{place}/code", code=str(values["code"])) == 302
    assert EvidenceKind.MAIL_DOMAIN in {one.kind for one in world.all(Evidence)}


def test_whoever_leaves_hands_over_what_is_open_and_the_colleague_is_told(house: House, world: World) -> None:
    mine, theirs = world.request(requested_by=house.people["alice"].id), world.request()
    place = f"/facilities/{world.care_home.id}"
    assert "Who looks after them?" in house.signed_in("alice").get(place).text
    for nobody in ("", str(house.people["bob"].id), str(house.people["alice"].id)):
        assert send(house, "alice", f"{place}/leave", successor=nobody) == 400
    assert send(house, "alice", f"{place}/leave", successor=str(world.requester.id)) == 302
    assert house.signed_in("alice").get(place).status_code == 404
    assert house.signed_in("ruth").get(f"/requests/{mine.id}").status_code == 200
    assert {world.get(SupplyRequest, one.id).requested_by for one in (mine, theirs)} == {world.requester.id}
    [mail] = world.all(Mail)
    assert (mail.letter, mail.address) == ("requests_handed_over", "ruth@example.org")
    with world.database.reading() as session:
        [deed] = [one for one in deeds_with(session, mine) if one.what == "handed over"]
    assert deed.by == house.people["alice"].id


def test_the_last_one_is_warned_and_the_hub_is_told(house: House, world: World) -> None:
    request = world.request()
    place = f"/facilities/{world.care_home.id}"
    assert send(house, "alice", f"{place}/leave") == 302
    assert world.all(Mail) == []
    assert "You are the last one" in house.signed_in("ruth").get(place).text
    assert send(house, "ruth", f"{place}/leave") == 400
    assert "Nobody asks for this facility" not in house.signed_in("dan").get(f"/dispatch/requests/{request.id}").text
    assert send(house, "ruth", f"{place}/leave", sure="yes") == 302
    assert [(mail.letter, mail.address) for mail in world.all(Mail)] == [("facility_without_people", "dan@example.org")]
    assert "Nobody asks for this facility" in house.signed_in("dan").get(f"/dispatch/requests/{request.id}").text


def test_the_last_one_leaves_at_once_where_nothing_is_open(house: House, world: World) -> None:
    place = f"/facilities/{world.care_home.id}"
    assert send(house, "alice", f"{place}/leave") == send(house, "ruth", f"{place}/leave") == 302
    assert world.all(Mail) == []


def test_strangers_see_nothing(house: House, world: World) -> None:
    house.add_person("Rex", (house.elsewhere, Role.REQUESTER))
    for who in ("rex", "dan", "mona", "charlie"):
        assert house.signed_in(who).get(f"/facilities/{world.care_home.id}").status_code == 404
