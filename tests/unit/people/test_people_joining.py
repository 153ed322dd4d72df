"""Asking to join and being answered, once, whoever is quicker."""

import pytest
from builders import NOW, World, at_once, failures

from makerhub.errors import IllegalMove, Invalid, MovedMeanwhile
from makerhub.people import joining
from makerhub.people.models import JoinRequest, JoinState, Organisation, Person, Role


def answer(world: World, asked: JoinRequest) -> None:
    with world.database.changing() as session:
        joining.accept_join(session, session.get_one(JoinRequest, asked.id), by=world.dispatcher.id, now=NOW)


def roles(world: World) -> set[Role]:
    with world.database.reading() as session:
        return {one.role for one in session.get_one(Person, world.maker.id).roles}


def test_an_accepted_wish_is_a_membership(world: World) -> None:
    asked = world.ask_to_join(Role.COURIER)
    assert roles(world) == {Role.MAKER}
    answer(world, asked)
    assert roles(world) == {Role.MAKER, Role.COURIER}
    with pytest.raises(Invalid, match="already"):
        world.ask_to_join(Role.COURIER)


def test_asking_twice_is_one_request(world: World) -> None:
    assert world.ask_to_join(Role.COURIER).id == world.ask_to_join(Role.COURIER).id
    assert world.ask_to_join(Role.HELPER).id != world.ask_to_join(Role.COURIER).id


def test_of_two_who_answer_one_is_told_that_it_is_done(world: World) -> None:
    asked = world.ask_to_join()
    results = at_once(*[lambda: answer(world, asked)] * 4)
    assert set(failures(results)) <= {IllegalMove, MovedMeanwhile}
    assert len(failures(results)) == 3
    assert world.get(JoinRequest, asked.id).state is JoinState.ACCEPTED


def test_what_is_declined_or_taken_back_gives_nothing_and_may_be_asked_again(world: World) -> None:
    for end in (joining.decline_join, joining.take_join_back):
        asked = world.ask_to_join()
        with world.database.changing() as session:
            end(session, session.get_one(JoinRequest, asked.id), by=world.dispatcher.id, now=NOW)
    assert roles(world) == {Role.MAKER}
    assert world.ask_to_join().state is JoinState.ASKED


def test_nobody_asks_everywhere_at_once(world: World) -> None:
    with world.database.changing() as session:
        places = [Organisation(kind=world.hub.kind, name=f"Hub {number}") for number in range(11)]
        session.add_all(places)
    for place in places[:10]:
        world.ask_to_join(Role.HELPER, place)
    with pytest.raises(Invalid, match="Wait"):
        world.ask_to_join(Role.HELPER, places[10])
