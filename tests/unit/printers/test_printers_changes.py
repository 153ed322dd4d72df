"""Printers change hands, keys and spools, and print things of their makers' own."""

from datetime import timedelta

import pytest
from builders import NOW, World, later

from makerhub.errors import IllegalMove, Invalid
from makerhub.fleet.gateway import FOLDER
from makerhub.fleet.gateway import PrinterState as Doing
from makerhub.lifecycle import Transition
from makerhub.printers import service
from makerhub.printers.models import BuildPlate, PlateState, Printer, PrinterState
from makerhub.production import service as production
from makerhub.production.models import AttemptState

A_MINUTE = timedelta(minutes=1)


def plate(world: World) -> PlateState:
    [only] = world.all(BuildPlate)
    return only.state


def change(world: World, **changes: str) -> Printer:
    with world.database.changing() as session:
        printer = session.get_one(Printer, world.printer.id)
        new = world.new_printer(**{"key": "", **changes})
        service.change(session, printer, new, world.key_box, now=later(hours=1))
        return printer


def test_another_spool_needs_no_new_check(world: World) -> None:
    printer = change(world, material="PLA", colour=" red ", name=" Mine ")
    assert (printer.material, printer.colour, printer.name) == ("PLA", "red", "Mine")
    assert (printer.state, printer.encrypted_key) == (PrinterState.ACTIVE, world.printer.encrypted_key)


@pytest.mark.parametrize("changes", [{"key": "another-key-0001"}, {"url": "http://other.local/"}])
def test_another_key_or_address_is_checked_again(world: World, changes: dict[str, str]) -> None:
    printer = change(world, **changes)
    assert printer.state is PrinterState.UNCHECKED
    assert service.connection(printer, world.key_box).key == changes.get("key", world.new_printer().key)
    assert change(world, key="another-key-0002").state is PrinterState.UNCHECKED


def test_a_change_obeys_the_rules_of_a_registration(world: World) -> None:
    with pytest.raises(Invalid) as refused:
        change(world, name="", material="Wood", url="nowhere", key="short", colour="c" * 33)
    assert refused.value.fields.keys() == {"name", "material", "colour", "url", "key"}
    assert world.get(Printer, world.printer.id) == world.printer


def test_a_retired_printer_has_no_key_and_does_not_come_back(world: World) -> None:
    with world.database.changing() as session:
        service.retire(session, session.get_one(Printer, world.printer.id), by=world.maker.id, now=NOW)
    assert world.get(Printer, world.printer.id).encrypted_key == b""
    with pytest.raises(IllegalMove):
        change(world, key="another-key-0001")


def test_a_print_of_the_makers_own_occupies_the_plate_once(world: World) -> None:
    world.seen(world.printer, Doing.PRINTING, file="vase.gcode", at=NOW + A_MINUTE)
    assert plate(world) is PlateState.OCCUPIED
    logged = len(world.all(Transition))
    world.seen(world.printer, Doing.PAUSED, file="vase.gcode", at=NOW + 2 * A_MINUTE)
    world.seen(world.printer, at=NOW + 3 * A_MINUTE)
    assert plate(world) is PlateState.OCCUPIED
    assert len(world.all(Transition)) == logged


@pytest.mark.parametrize("doing", [Doing.OPERATIONAL, Doing.OFFLINE, Doing.ERROR, Doing.UNKNOWN])
def test_a_printer_that_prints_nothing_keeps_its_plate(world: World, doing: Doing) -> None:
    world.seen(world.printer, doing, file="vase.gcode", at=NOW + A_MINUTE)
    assert plate(world) is PlateState.CLEAR


def test_news_from_before_the_plate_was_cleared_comes_too_late(world: World) -> None:
    attempt = world.attempt(AttemptState.PRINTING)
    with world.database.changing() as session:
        row = session.get_one(type(attempt), attempt.id)
        production.end(session, row, production.Outcome(AttemptState.FAILED), now=later(hours=1))
        production.plate_cleared(session, world.printer.id, by=world.maker.id, now=later(hours=1))
    world.seen(world.printer, Doing.FINISHING, file=f"{FOLDER}/{attempt.file_name}", at=later(minutes=59))
    assert plate(world) is PlateState.CLEAR
