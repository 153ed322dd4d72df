"""Spools: what is left on them, what each print takes, and the question before one for which it is not enough."""

import pytest
from builders import NOW, World, later
from sqlmodel import select

from makerhub.errors import IllegalMove, Invalid
from makerhub.fleet.gateway import FOLDER
from makerhub.fleet.gateway import PrinterState as Doing
from makerhub.printers import spools
from makerhub.printers.models import Printer, Spool, SpoolEntry, SpoolState
from makerhub.production import material
from makerhub.production import service as production
from makerhub.production.models import Attempt, AttemptState

NEEDED = 40_000
"""What a plate takes, in mg."""


def left(world: World, spool: Spool) -> int:
    with world.database.reading() as session:
        return spools.left(session, session.get_one(Spool, spool.id))


def needing(world: World, attempt: Attempt, milligrams: int) -> Attempt:
    """The attempt, whose plate takes so much."""
    with world.database.changing() as session:
        plate = material._plate(session, session.get_one(Attempt, attempt.id))
        assert plate is not None
        plate.milligrams = milligrams
        session.add(plate)
    return world.get(Attempt, attempt.id)


def finish(world: World, attempt: Attempt, state: AttemptState = AttemptState.FINISHED) -> None:
    with world.database.changing() as session:
        production.end(session, session.get_one(Attempt, attempt.id), production.Outcome(state), now=later(hours=3))


@pytest.mark.parametrize(
    ("new", "field"),
    [
        (spools.NewSpool("Wood", 1000), "material"),
        (spools.NewSpool("PETG", 0), "grams"),
        (spools.NewSpool("PETG", 10_001), "grams"),
        (spools.NewSpool("PETG", 1000, colour="c" * 33), "colour"),
        (spools.NewSpool("PETG", 1000, brand="b" * 65), "brand"),
        (spools.NewSpool("PETG", 1000, lot="l" * 65), "lot"),
    ],
)
def test_what_can_not_be_right_is_said_at_its_field(world: World, new: spools.NewSpool, field: str) -> None:
    with pytest.raises(Invalid) as refused, world.database.changing() as session:
        spools.add(session, new, ["PETG"], owner_id=world.maker.id, now=NOW)
    assert refused.value.fields.keys() == {field}


def test_a_printer_prints_what_is_on_it_and_has_one_spool(world: World) -> None:
    first = world.spool(colour="red", on=world.printer)
    second = world.spool(material="PLA", colour="white", on=world.printer)
    assert world.get(Spool, first.id).printer_id is None
    assert world.get(Spool, second.id).printer_id == world.printer.id
    printer = world.get(Printer, world.printer.id)
    assert (printer.material, printer.colour) == ("PLA", "white")


def test_nobody_puts_somebody_elses_spool_on_a_printer(world: World) -> None:
    spool = world.spool()
    with world.database.changing() as session:
        session.get_one(Spool, spool.id).owner_id = world.courier.id
    with pytest.raises(Invalid), world.database.changing() as session:
        spools.load(session, session.get_one(Spool, spool.id), session.get_one(Printer, world.printer.id))


def test_a_finished_print_takes_its_plate_once(world: World) -> None:
    spool = world.spool(1000, on=world.printer)
    attempt = needing(world, world.attempt(AttemptState.PRINTING), NEEDED)
    assert attempt.spool_id == spool.id
    finish(world, attempt)
    with world.database.changing() as session:
        material.book_used(session, session.get_one(Attempt, attempt.id), now=later(hours=4))
    assert left(world, spool) == 1_000_000 - NEEDED
    assert len(world.all(SpoolEntry)) == 1


def test_a_failed_print_takes_as_much_as_was_seen_of_it(world: World) -> None:
    spool = world.spool(1000, on=world.printer)
    attempt = needing(world, world.attempt(AttemptState.PRINTING), NEEDED)
    world.seen(
        world.printer, Doing.PRINTING, file=f"{FOLDER}/{attempt.file_name}", completion=25.0, at=later(minutes=30)
    )
    finish(world, attempt, AttemptState.FAILED)
    assert left(world, spool) == 1_000_000 - NEEDED // 4


def test_what_never_started_takes_nothing(world: World) -> None:
    spool = world.spool(1000, on=world.printer)
    finish(world, needing(world, world.attempt(AttemptState.SENDING), NEEDED), AttemptState.NOT_STARTED)
    assert left(world, spool) == 1_000_000


def test_the_scales_have_the_last_word_and_an_empty_spool_leaves_its_printer(world: World) -> None:
    spool = world.spool(1000, on=world.printer)
    with world.database.changing() as session:
        spools.weigh(session, session.get_one(Spool, spool.id), 300, by=world.maker.id, now=NOW)
    assert left(world, spool) == 300_000
    with world.database.changing() as session:
        spools.weigh(session, session.get_one(Spool, spool.id), 0, by=world.maker.id, now=NOW)
    used_up = world.get(Spool, spool.id)
    assert (used_up.state, used_up.printer_id) == (SpoolState.USED_UP, None)


def test_a_print_for_which_the_spool_is_not_enough_waits_for_its_maker(world: World) -> None:
    world.spool(30, on=world.printer)
    attempt = needing(world, world.attempt(AttemptState.READY), NEEDED)
    with pytest.raises(material.SpoolShort), world.database.changing() as session:
        production.claim_start(session, session.get_one(Attempt, attempt.id), now=NOW)
    with world.database.changing() as session:
        row = session.get_one(Attempt, attempt.id)
        assert material.missing_milligrams(session, row) == NEEDED - 30_000
        material.print_anyway(session, row)
        production.claim_start(session, row, now=NOW)
    assert world.get(Attempt, attempt.id).state is AttemptState.SENDING


def test_without_a_spool_that_we_know_of_nothing_is_held(world: World) -> None:
    attempt = needing(world, world.attempt(AttemptState.READY), 10_000_000)
    with world.database.reading() as session:
        assert not material.is_held(session, session.get_one(Attempt, attempt.id))


def test_the_word_about_the_spool_comes_too_late_for_a_print_that_runs(world: World) -> None:
    attempt = world.attempt(AttemptState.PRINTING)
    with pytest.raises(IllegalMove), world.database.changing() as session:
        material.print_anyway(session, session.get_one(Attempt, attempt.id))


def test_entries_name_the_print_that_took_them(world: World) -> None:
    world.spool(1000, on=world.printer)
    attempt = needing(world, world.attempt(AttemptState.PRINTING), NEEDED)
    finish(world, attempt)
    with world.database.reading() as session:
        entry = session.exec(select(SpoolEntry)).one()
    assert (entry.print_id, entry.milligrams, entry.at) == (attempt.id, -NEEDED, later(hours=3))
