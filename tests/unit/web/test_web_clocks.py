"""Every state has a clock: here, at a named place elsewhere, or nobody waits for anything in it."""

from datetime import timedelta
from enum import StrEnum
from typing import Any

import pytest
from builders import NOW, World, later
from unit.test_states import states, with_moves
from unit.web.browsers import Browser
from unit.web.houses import House
from unit.web.test_web_dispatcher import overdue

from makerhub.lifecycle import move
from makerhub.printers import service as printers
from makerhub.printers.agent_models import Agent, AgentLink
from makerhub.printers.models import Link, Printer, PrinterState
from makerhub.production.models import AttemptState
from makerhub.web.clocks import ANOTHER_CLOCK, AT_REST, PATIENCE

MONA = "Mona&#39;s"
BAND = f"4 × band, {MONA}"


def all_states() -> list[tuple[str, StrEnum]]:
    """Each state that a move leaves, of everything that has states."""
    return [
        (str(model.__tablename__), state) for model in with_moves() for state in states(model) if model.MOVES.get(state)
    ]


@pytest.mark.parametrize(("entity", "state"), all_states(), ids=str)
def test_a_state_has_one_clock_or_is_at_rest(entity: str, state: StrEnum) -> None:
    known = [(entity, state) in table for table in (PATIENCE, ANOTHER_CLOCK, AT_REST)]
    assert known.count(True) == 1, f"say in web/clocks.py how long {entity} may be {state}"


def test_no_clock_is_of_a_state_that_does_not_exist() -> None:
    of_state: set[tuple[str, Any]] = {
        (str(model.__tablename__), state) for model in with_moves() for state in states(model)
    }
    assert (PATIENCE.keys() | ANOTHER_CLOCK.keys() | AT_REST) <= of_state


@pytest.fixture
def dan(house: House) -> Browser:
    return house.signed_in("dan")


def at(house: House, world: World, **amount: float) -> Browser:
    """The dispatcher's browser so much later, when the printer has just answered."""
    house.time.now = later(**amount)
    world.seen(world.printer, at=house.time.now)
    return house.signed_in("dan")


def test_a_print_is_overdue_by_its_estimate(house: House, world: World) -> None:
    world.attempt(AttemptState.PRINTING)  # estimated at an hour
    assert overdue(at(house, world, minutes=119)) == []
    assert overdue(at(house, world, minutes=121)) == [(BAND, "It prints for much longer than was estimated.")]


def test_a_printer_by_hand_whose_print_was_not_begun_stands_out_with_that_reason(house: House, world: World) -> None:
    with world.database.changing() as session:
        session.get_one(Printer, world.printer.id).link = Link.BY_HAND
    world.attempt(AttemptState.READY)
    assert overdue(at(house, world, minutes=31)) == [(BAND, "Its maker has not started it yet; it is started by hand.")]


def test_a_spool_that_is_not_enough_is_told(house: House, world: World) -> None:
    world.attempt(AttemptState.READY)
    world.spool(1, on=world.printer)
    [(_, text)] = overdue(at(house, world, minutes=31))
    assert text.endswith("There is not enough on the spool for this print.")


def test_a_plate_that_nobody_clears_stands_out(house: House, world: World) -> None:
    printer = world.add_printer("Full", plate_is_clear=False)
    house.time.now = later(hours=13)
    for one in (world.printer, printer):
        world.seen(one, at=house.time.now)
    text = "Its maker has not cleared the plate, so nothing more is printed there."
    assert overdue(house.signed_in("dan")) == [("Full", text)]


@pytest.mark.parametrize(("is_paired", "reason"), [(True, "Its agent is not heard of."), (False, "No agent is paired")])
def test_a_silent_agent_is_named(house: House, world: World, is_paired: bool, reason: str) -> None:
    with world.database.changing() as session:
        session.get_one(Printer, world.printer.id).link = Link.AGENT
        if is_paired:
            agent = Agent(owner_id=world.maker.id, host="pi", token_sha256="0" * 64, heard_at=NOW, paired_at=NOW)
            session.add(agent)
            session.flush()
            session.add(AgentLink(printer_id=world.printer.id, agent_id=agent.id))
    world.seen(world.printer)
    house.time.now = NOW + timedelta(minutes=61)
    [(what, text)] = overdue(house.signed_in("dan"))
    assert what == MONA
    assert reason in text


def test_a_printer_that_we_paused_stands_out_at_once_and_one_that_its_maker_paused_after_days(
    house: House, world: World
) -> None:
    with world.database.changing() as session:
        printers.pause(session, session.get_one(Printer, world.printer.id), by=world.maker.id, now=NOW)
    assert overdue(at(house, world, hours=71)) == []
    assert overdue(at(house, world, hours=73)) == [(MONA, "It is paused and takes no jobs.")]
    with world.database.changing() as session:
        mine = session.get_one(Printer, world.printer.id)
        printers.resume(session, mine, by=world.maker.id, now=house.time.now)
        move(session, mine, PrinterState.PAUSED, now=house.time.now, why="it took three files and began none of them")
    [(_, text)] = overdue(house.signed_in("dan"))
    assert text.endswith("It was paused because it took three files and began none of them.")
