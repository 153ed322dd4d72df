"""Bed and nozzle against the model that was chosen: by OctoPrint where the key may read them, else by the maker."""

from collections.abc import Callable

import pytest
from builders import MK3S, NOW, World, later

from makerhub.db import Session
from makerhub.fleet.gateway import NEEDED, Build, KeyReport, Permission
from makerhub.fleet.messages import Key, decode, encode
from makerhub.lifecycle import history
from makerhub.printers import fit, service
from makerhub.printers.fit import PrinterFit, ToldBy
from makerhub.printers.models import Printer, PrinterState

READS = NEEDED | {Permission.CONNECTION}
SAME, SMALL = Build(250, 210, 0.4), Build(220, 220, 0.4)


def change(world: World, action: Callable[[Session, Printer], None]) -> Printer:
    with world.database.changing() as session:
        row = session.get_one(Printer, world.printer.id)
        action(session, row)
        return row


def checked(world: World, build: Build | None) -> Printer:
    def check(session: Session, row: Printer) -> None:
        if row.state is not PrinterState.UNCHECKED:
            service.check_again(session, row, by=row.owner_id, now=NOW)
        service.key_checked(session, row, KeyReport(READS if build else NEEDED, build), MK3S, now=NOW)

    return change(world, check)


def said(world: World, *, fits: bool) -> Printer:
    return change(world, lambda session, row: fit.answer(session, row, fits=fits, by=row.owner_id, now=later(hours=1)))


@pytest.mark.parametrize(
    ("build", "same"),
    [
        (SAME, True),
        (Build(252.5, 210, 0.4), True),
        (SMALL, False),
        (Build(210, 250, 0.4), False),
        (Build(250, 210, 0.6), False),
        (Build(250, 210, 0.25), False),
        (Build(300, 300, 0.4), False),
    ],
)
def test_the_same_bed_and_nozzle(build: Build, same: bool) -> None:
    assert fit.is_same(build, MK3S) is same


def test_octoprint_says_that_it_is_another_printer_and_then_that_it_is_this_one(world: World) -> None:
    printer = checked(world, SMALL)
    assert printer.state is PrinterState.REFUSED
    with world.database.reading() as session:
        assert history(session, printer)[-1].why == fit.DIFFERS
    told = world.all(PrinterFit)[0]
    assert (told.told_by, told.fits, told.bed_width_mm, told.told_at) == (ToldBy.OCTOPRINT, False, 220, NOW)
    assert checked(world, SAME).state is PrinterState.ACTIVE
    assert world.all(PrinterFit)[0].fits


def test_nobody_said_anything_and_it_prints(world: World) -> None:
    assert checked(world, None).state is PrinterState.ACTIVE
    assert world.all(PrinterFit) == []


def test_its_maker_says_that_it_differs_and_no_check_of_the_key_lets_it_print(world: World) -> None:
    assert said(world, fits=False).state is PrinterState.REFUSED
    assert checked(world, None).state is PrinterState.REFUSED
    assert said(world, fits=True).state is PrinterState.UNCHECKED
    assert checked(world, None).state is PrinterState.ACTIVE
    told = world.all(PrinterFit)[0]
    assert (told.told_by, told.fits, told.told_at) == (ToldBy.MAKER, True, later(hours=1))


def test_an_answer_about_another_model_says_nothing(world: World) -> None:
    said(world, fits=False)
    change(world, lambda _, row: setattr(row, "profile", "prusa-mini"))
    assert checked(world, None).state is PrinterState.ACTIVE


def test_a_key_that_is_too_weak_is_refused_for_that(world: World) -> None:
    def check(session: Session, row: Printer) -> None:
        service.check_again(session, row, by=row.owner_id, now=NOW)
        service.key_checked(session, row, KeyReport(frozenset(), SAME), MK3S, now=NOW)

    assert change(world, check).state is PrinterState.REFUSED


def test_an_agent_tells_it_likewise() -> None:
    for report in (KeyReport(READS, SMALL), KeyReport(NEEDED)):
        assert decode(encode(Key.of(report)), Key).report() == report
