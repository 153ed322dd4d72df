"""Hubs: proposed, described, put to sleep, found by distance, and joined; and what the map shows."""

import h3
import pytest
from builders import NOW, POST, World, later, person
from sqlmodel import select

from makerhub.errors import IllegalMove, Invalid
from makerhub.hubs import proposals
from makerhub.hubs import service as hubs
from makerhub.hubs.models import HubProfile, HubState, MakerCell
from makerhub.people import homes
from makerhub.people.models import JoinState, Organisation, Person, Role
from makerhub.places.distance import Point
from makerhub.places.importing import SAMPLE, import_places

HERE = Point(51.41, -0.30)


@pytest.fixture(autouse=True)
def sample(world: World) -> None:
    import_places(world.database, [SAMPLE], name="sample", clock=lambda: NOW)


def accept(world: World, proposed: HubProfile) -> None:
    with world.database.changing() as session:
        row = session.get_one(HubProfile, proposed.id)
        proposals.accept(session, row, post=POST, by=world.dispatcher.id, now=NOW)


def welcoming(world: World, **said: object) -> HubProfile:
    with world.database.changing() as session:
        profile = hubs.profile_for(session, session.get_one(Organisation, world.hub.id), now=NOW)
        told = hubs.Told(**{"name": "Kingston Hub", "area": "Kingston", "postcode": "KT1"} | said)  # type: ignore[arg-type]
        hubs.describe(session, profile, told, by=None, now=NOW)
        return profile


def names(world: World, point: Point | None = HERE) -> list[str]:
    with world.database.reading() as session:
        return [one.hub.name for one in hubs.near(session, point)]


def test_a_proposal_is_listed_when_it_is_accepted_and_its_proposer_dispatches(world: World) -> None:
    proposed = world.propose_hub()
    assert names(world) == []
    with world.database.reading() as session:
        assert hubs.resting(session) == {proposed.organisation_id}
    with pytest.raises(Invalid, match="already"):
        world.propose_hub()
    accept(world, proposed)
    assert names(world) == ["Surbiton Hub"]
    with world.database.reading() as session:
        held = {(one.organisation_id, one.role) for one in session.get_one(Person, world.maker.id).roles}
        assert hubs.resting(session) == frozenset()
    assert (proposed.organisation_id, Role.DISPATCHER) in held
    with pytest.raises(IllegalMove):
        accept(world, proposed)


def test_hubs_are_listed_by_distance_and_those_without_a_place_last(world: World) -> None:
    accept(world, world.propose_hub())
    welcoming(world)
    with world.database.changing() as session:
        for name, postcode in (("Manchester Hub", "M1"), ("Aaa Hub", "KT2")):
            told = hubs.Told(name, "There", postcode=postcode)
            by = person(session, name.split()[0])
            profile = proposals.propose(session, told, why="needed", time_zone="UTC", by=by, now=NOW)
            proposals.accept(session, profile, post=POST, by=world.dispatcher.id, now=NOW)
        hubs.describe(session, profile, hubs.Told("Aaa Hub", "There"), by=None, now=NOW)
    assert names(world) == ["Kingston Hub", "Surbiton Hub", "Manchester Hub", "Aaa Hub"]
    assert names(world, None) == ["Aaa Hub", "Kingston Hub", "Manchester Hub", "Surbiton Hub"]


def test_a_hub_sleeps_and_wakes_with_a_reason(world: World) -> None:
    profile = welcoming(world)

    def change(after: HubState, why: str = "the summer") -> None:
        with world.database.changing() as session:
            row = session.get_one(HubProfile, profile.id)
            hubs.change_state(session, row, after, why=why, post=POST, by=world.dispatcher.id, now=later(days=1))

    with pytest.raises(Invalid):
        change(HubState.SLEEPING, why=" ")
    change(HubState.SLEEPING)
    assert names(world) == ["Kingston Hub"]
    with world.database.reading() as session:
        assert hubs.resting(session) == {world.hub.id}
    change(HubState.ACTIVE)
    change(HubState.CLOSED)
    assert names(world) == []
    change(HubState.ACTIVE)
    assert world.get(HubProfile, profile.id).since == later(days=1)


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"area": " "}, "area"),
        ({"area": "x" * 201}, "area"),
        ({"about": "x" * 601}, "about"),
        ({"name": ""}, "name"),
        ({"place": "x" * 201}, "place"),
        ({"chat_links": ["javascript:alert(1)"]}, "chat_links"),
        ({"chat_links": ["http://chat.example.org"]}, "chat_links"),
        ({"chat_links": ["https://"]}, "chat_links"),
        ({"chat_links": ["https://[x"]}, "chat_links"),
        ({"chat_links": ["https://a.example"] * 6}, "chat_links"),
    ],
)
def test_what_a_hub_says_is_checked(world: World, said: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as error:
        welcoming(world, **said)
    assert list(error.value.fields) == [field]


def join(world: World, role: Role, place: str = "", who: str = "") -> JoinState:
    with world.database.changing() as session:
        joining = person(session, who) if who else session.get_one(Person, world.courier.id)
        profile = hubs.profile_for(session, session.get_one(Organisation, world.hub.id), now=NOW)
        return hubs.join(session, joining, profile, role, place=place, now=NOW).state


def test_makers_and_helpers_join_at_once_where_the_hub_lets_them_and_couriers_never(world: World) -> None:
    welcoming(world)
    assert join(world, Role.HELPER, who="Hal") is JoinState.ASKED
    welcoming(world, joins_freely=True)
    assert join(world, Role.HELPER, who="Hella") is JoinState.ACCEPTED
    assert join(world, Role.COURIER, who="Cora") is JoinState.ASKED
    for role in (Role.DISPATCHER, Role.ADMIN, Role.REVIEWER, Role.REQUESTER):
        with pytest.raises(Invalid):
            join(world, role)


def test_of_a_place_only_a_coarse_cell_is_kept(world: World) -> None:
    welcoming(world, joins_freely=True)
    join(world, Role.MAKER, "KT1 2EE")
    assert [h3.get_resolution(one.cell) for one in world.all(MakerCell)] == [5]
    with pytest.raises(Invalid) as error:
        join(world, Role.MAKER, "Nowhere at all", who="Nora")
    assert list(error.value.fields) == ["place"]


def test_the_map_shows_no_cell_with_fewer_than_five_makers(world: World) -> None:
    welcoming(world, joins_freely=True)
    for number in range(4):
        join(world, Role.MAKER, "KT1", who=f"Maker{number}")
    for number in range(3):
        join(world, Role.MAKER, "M1", who=f"Far{number}")
    with world.database.reading() as session:
        assert hubs.makers_by_cell(session) == {}
    join(world, Role.MAKER, "KT1", who="Fifth")
    with world.database.reading() as session:
        assert list(hubs.makers_by_cell(session).values()) == [5]
    with world.database.changing() as session:
        homes.set_hidden(session, session.exec(select(Person.id).where(Person.name == "Fifth")).one(), NOW, now=NOW)
    with world.database.reading() as session:
        assert hubs.makers_by_cell(session) == {}
    with world.database.changing() as session:
        fifth = session.exec(select(Person).where(Person.name == "Fifth")).one()
        homes.set_hidden(session, fifth.id, None, now=NOW)
        fifth.active = False
    with world.database.reading() as session:
        assert hubs.makers_by_cell(session) == {}
