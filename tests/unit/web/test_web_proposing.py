"""Proposing a hub on the pages: who may, what the form asks, and the answer of neighbours."""

import pytest
from builders import NOW, World
from unit.web.browsers import Browser
from unit.web.houses import House

from makerhub.hubs import service as hubs
from makerhub.hubs.models import HubProfile, HubState
from makerhub.lifecycle import history
from makerhub.notices.models import Mail
from makerhub.people.models import Organisation, Person, Role
from makerhub.places.importing import SAMPLE, import_places

SAID = {"name": "Surbiton Hub", "area": "Surbiton", "postcode": "KT5", "why": "Three homes ask, nobody makes."}


@pytest.fixture(autouse=True)
def described(world: World) -> None:
    import_places(world.database, [SAMPLE], name="sample", clock=lambda: NOW)
    describe(world, world.hub, "KT1")


def describe(world: World, place: Organisation, postcode: str) -> None:
    with world.database.changing() as session:
        profile = hubs.profile_for(session, session.get_one(Organisation, place.id), now=NOW)
        told = hubs.Told(place.name, "An area", postcode=postcode)
        hubs.describe(session, profile, told, by=None, now=NOW)


def propose(browser: Browser, **said: str) -> int:
    return browser.post("/hubs/propose", SAID | said, form="/hubs/propose").status_code


def proposed(world: World) -> HubProfile:
    return next(one for one in world.all(HubProfile) if one.proposed_by is not None)


def answer(browser: Browser, world: World, decision: str, why: str = "") -> int:
    page = f"/dispatch/proposals/{proposed(world).id}"
    return browser.post(f"{page}/{decision}", {"why": why}, form="/").status_code


def test_anybody_proposes_a_neighbour_accepts_and_the_proposer_dispatches(house: House, world: World) -> None:
    charlie, dan = house.signed_in("charlie"), house.signed_in("dan")
    assert propose(charlie) == 302
    page = charlie.get("/hubs/propose").text
    assert "Proposed" in page
    assert '<svg class="hub-map"' in page
    assert "Surbiton Hub" in dan.get("/dispatch/proposals").text
    shown = dan.get(f"/dispatch/proposals/{proposed(world).id}").text
    assert SAID["why"] in shown
    assert "Charlie" in shown
    assert answer(dan, world, "accept", "Welcome.") == 302
    assert proposed(world).state is HubState.ACTIVE
    with world.database.reading() as session:
        charlies = session.get_one(Person, house.people["charlie"].id).roles
        assert [(one.organisation_id, one.role) for one in charlies] == [
            (proposed(world).organisation_id, Role.DISPATCHER)
        ]
        assert history(session, proposed(world))[-1].why == "Welcome."
    (mail,) = world.all(Mail)
    assert (mail.letter, mail.address) == ("hub_accepted", house.people["charlie"].email)
    assert "first dispatcher" in house.signed_in("charlie").get("/hubs/propose").text


def test_the_answer_has_a_reason_and_the_proposer_reads_it(house: House, world: World) -> None:
    charlie, dan = house.signed_in("charlie"), house.signed_in("dan")
    propose(charlie)
    assert answer(dan, world, "decline") == 400
    assert proposed(world).state is HubState.PROPOSED
    assert answer(dan, world, "decline", "Join ours: it is two streets away.") == 302
    assert "two streets away" in charlie.get("/hubs/propose").text
    assert [mail.letter for mail in world.all(Mail)] == ["hub_declined"]
    assert propose(charlie, name="Another Hub") == 302


def test_whoever_is_far_away_or_proposed_it_does_not_answer(house: House, world: World) -> None:
    far = house.add_hub("Manchester Hub")
    describe(world, far, "M1")
    house.add_person("Mandy", (far, Role.DISPATCHER))
    house.add_person("Adam", (far, Role.ADMIN))
    dan = house.signed_in("dan")
    propose(dan)
    for who in ("dan", "mandy", "charlie", "mona"):
        assert answer(house.signed_in(who), world, "accept") == 404, who
    assert "Surbiton Hub" not in house.signed_in("mandy").get("/dispatch/proposals").text
    assert answer(house.signed_in("adam"), world, "accept") == 302


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"postcode": "ZZ99"}, "We do not find this postcode"),
        ({"postcode": ""}, "so that neighbours see it on the map"),
        ({"why": " "}, "Say why a hub is needed"),
        ({"why": "x" * 501}, "This is too long"),
        ({"area": ""}, "Say which area"),
        ({"name": " "}, "Enter a name"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(house: House, said: dict[str, str], problem: str) -> None:
    charlie = house.signed_in("charlie")
    page = charlie.post("/hubs/propose", SAID | {"languages": "Klingon"} | said, form="/hubs/propose")
    assert page.status_code == 400
    assert problem in page.text
    assert "Klingon" in page.text


def test_a_proposal_is_taken_back_by_its_proposer_alone_and_another_one_made(house: House, world: World) -> None:
    charlie = house.signed_in("charlie")
    propose(charlie)
    assert propose(charlie, name="Twice") == 400
    for who in ("bob", "charlie"):
        assert proposed(world).state is HubState.PROPOSED
        assert house.signed_in(who).post("/hubs/propose/take-back", form="/").status_code == 302
    assert proposed(world).state is HubState.TAKEN_BACK
    assert answer(house.signed_in("dan"), world, "accept") == 409
    assert propose(charlie, name="Again") == 302
