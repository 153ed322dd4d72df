"""What is worth telling of a printer, and what is not."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from makerhub.fleet.changes import Changes
from makerhub.fleet.gateway import JobReport, PrinterState, Trouble
from makerhub.fleet.poll import Observation

NOW = datetime(2030, 5, 1, 12, 0, tzinfo=UTC)
PRINTER = UUID(int=1)
IDLE = JobReport(PrinterState.OPERATIONAL)
PRINTING = JobReport(PrinterState.PRINTING, 50.2, "a.gcode", print_time_left_s=600)


def seen(report: JobReport | Trouble, seconds: float = 0, printer: UUID = PRINTER) -> Observation:
    return Observation(printer, NOW + timedelta(seconds=seconds), report)


def changes(*told: JobReport | Trouble) -> Changes:
    """Changes that were told this of a printer."""
    made = Changes(timedelta(seconds=30))
    for report in told:
        made.told({PRINTER: seen(report)})
    return made


@pytest.mark.parametrize(
    ("before", "after", "is_worth"),
    [
        (IDLE, IDLE, False),
        (IDLE, PRINTING, True),
        (PRINTING, JobReport(PrinterState.PRINTING, 50.9, "a.gcode", print_time_left_s=550), False),
        (PRINTING, JobReport(PrinterState.PRINTING, 51.0, "a.gcode", print_time_left_s=540), True),
        (PRINTING, JobReport(PrinterState.PRINTING, None, "a.gcode"), True),
        (PRINTING, JobReport(PrinterState.PRINTING, 50.2, "b.gcode"), True),
        (PRINTING, Trouble.TIMED_OUT, True),
        (Trouble.TIMED_OUT, Trouble.TIMED_OUT, False),
        (Trouble.TIMED_OUT, Trouble.UNREACHABLE, True),
        (Trouble.TIMED_OUT, IDLE, True),
    ],
)
def test_what_is_new_is_worth_telling(before: JobReport | Trouble, after: JobReport | Trouble, is_worth: bool) -> None:
    assert bool(changes(before).among([seen(after, 29)])) is is_worth


def test_after_a_while_everything_is_worth_telling_again() -> None:
    assert changes(IDLE).among([seen(IDLE, 30)]) == {PRINTER: seen(IDLE, 30)}
    assert changes(Trouble.TIMED_OUT).among([seen(Trouble.TIMED_OUT, 30)])


def test_the_end_of_a_trouble_is_worth_telling_also_where_the_state_is_as_before() -> None:
    assert changes(IDLE, Trouble.TIMED_OUT).among([seen(IDLE, 1)])


def test_only_the_latest_of_a_printer_counts() -> None:
    assert changes(IDLE).among([seen(PRINTING, 1), seen(IDLE, 2)]) == {}
    assert changes().among([seen(PRINTING, 1), seen(IDLE, 2)]) == {PRINTER: seen(IDLE, 2)}


def test_what_was_not_told_stays_worth_telling() -> None:
    made = changes(IDLE)
    made.among([seen(PRINTING, 1)])
    assert made.among([seen(PRINTING, 2)])


def test_a_printer_that_was_forgotten_is_new() -> None:
    made = changes(IDLE)
    made.forget([PRINTER, UUID(int=2)])
    assert made.among([seen(IDLE, 1)])


@pytest.mark.parametrize(
    ("before", "after", "moves"),
    [
        ((), IDLE, True),
        ((IDLE,), IDLE, False),
        ((IDLE,), PRINTING, True),
        ((PRINTING,), JobReport(PrinterState.PRINTING, 99.0, "a.gcode"), False),
        ((PRINTING,), Trouble.TIMED_OUT, False),
        ((PRINTING, Trouble.TIMED_OUT), PRINTING, False),
        ((PRINTING, Trouble.TIMED_OUT), IDLE, True),
    ],
)
def test_only_another_state_is_a_move(
    before: tuple[JobReport | Trouble, ...], after: JobReport | Trouble, moves: bool
) -> None:
    assert changes(*before).told({PRINTER: seen(after)}) is moves
