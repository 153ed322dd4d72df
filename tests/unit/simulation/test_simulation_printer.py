"""A simulated printer's clockwork, its truth about what lay on the bed, and its seeded mishaps."""

import random

import pytest

from makerhub.simulation.accounts import ADMIN, MINIMAL
from makerhub.simulation.clock import FastClock, ManualClock
from makerhub.simulation.job import Outcome, Refused, State
from makerhub.simulation.printer import SimulatedPrinter
from makerhub.simulation.reliability import Mishap, Reliability, Trouble
from makerhub.simulation.replies import job_reply, printer_reply

HOUR = b"M104 S215\nM140 S60\n; estimated printing time (normal mode) = 1h 0m 0s\nM104 S0\nM140 S0\n"


def make_printer(**settings: object) -> tuple[SimulatedPrinter, ManualClock]:
    clock = ManualClock()
    return SimulatedPrinter("printer-1", clock, **settings), clock  # type: ignore[arg-type]


def start(printer: SimulatedPrinter, path: str = "makerhub/a.gcode", content: bytes = HOUR) -> None:
    assert printer.upload(path, content, MINIMAL, select=True, start=True, keep=True) == (True, True)


def test_an_hour_takes_an_hour_of_the_clock() -> None:
    printer, clock = make_printer()
    start(printer)
    clock.advance(1800)
    reply = job_reply(printer)
    assert (reply["state"], round(reply["progress"]["completion"])) == ("Printing", 50)
    assert reply["progress"]["printTimeLeft"] == pytest.approx(1800, abs=2)
    clock.advance(1801)
    assert job_reply(printer)["state"] == "Operational"
    assert [printed.outcome for printed in printer.prints] == [Outcome.GOOD]


def test_nobody_asking_changes_nothing() -> None:
    """What was due long ago happens at its own time, not at that of the question."""
    printer, clock = make_printer()
    began = clock.now()
    start(printer)
    clock.advance(86400)
    job_reply(printer)
    assert printer.prints[0].ended_at - began == pytest.approx(3600, abs=0.1)


def test_a_pause_does_not_count_as_print_time() -> None:
    printer, clock = make_printer()
    start(printer)
    clock.advance(600)
    printer.pause()
    clock.advance(5000)
    assert job_reply(printer)["state"] == State.PAUSED
    printer.pause("resume")
    clock.advance(2990)
    assert job_reply(printer)["state"] == State.PRINTING
    clock.advance(20)
    assert job_reply(printer)["state"] == State.OPERATIONAL


def test_heaters_warm_up_and_cool_down() -> None:
    printer, clock = make_printer()
    start(printer)
    clock.advance(20)
    warming = temperatures(printer)["tool0"]["actual"]
    clock.advance(1000)
    hot = temperatures(printer)
    clock.advance(5000)
    assert 25 < warming < 200
    assert (round(hot["tool0"]["actual"]), hot["tool0"]["target"]) == (215, 215)
    assert (round(hot["bed"]["actual"]), hot["bed"]["target"]) == (60, 60)
    assert temperatures(printer)["tool0"]["target"] == 0


def test_a_file_that_leaves_the_heater_on_leaves_it_on() -> None:
    printer, clock = make_printer()
    start(printer, content=b"G4 P1000\nM104 S300\n")
    clock.advance(1000)
    assert temperatures(printer)["tool0"] == {"actual": 300, "offset": 0, "target": 300}


def temperatures(printer: SimulatedPrinter) -> dict[str, dict[str, float]]:
    reply = printer_reply(printer)
    assert reply is not None
    return reply["temperature"]  # type: ignore[no-any-return]


def test_a_spoiled_print_is_called_a_success() -> None:
    printer, clock = make_printer()
    printer.spoil_next()
    for name in ("a", "b"):
        start(printer, f"makerhub/{name}.gcode")
        clock.advance(3700)
        job_reply(printer)
    assert [printed.outcome for printed in printer.prints] == [Outcome.SPOILED, Outcome.GOOD]
    file = printer.files.get("makerhub/a.gcode")
    assert file is not None
    assert [entry.success for entry in file.history] == [True]


def test_a_full_disk_keeps_an_empty_file() -> None:
    printer, _ = make_printer(capacity=100)
    printer.upload("a.gcode", b"G4 P1\n", MINIMAL, select=False, start=False, keep=True)
    with pytest.raises(Refused) as refused:
        printer.upload("b.gcode", b"G4 P1\n" * 50, MINIMAL, select=True, start=True, keep=True)
    assert refused.value.status == 500
    left = printer.files.get("b.gcode")
    assert left is not None
    assert left.size == 0
    assert job_reply(printer)["state"] == "Operational"


def test_an_error_keeps_the_printer_offline_until_it_is_connected() -> None:
    printer, clock = make_printer(reliability=Reliability(error=1))
    start(printer)
    clock.advance(3600)
    assert job_reply(printer)["error"] == "Thermal runaway, system stopped!"
    with pytest.raises(Refused):
        printer.start(ADMIN)
    printer.connect()
    assert "error" not in job_reply(printer)
    assert [printed.outcome for printed in printer.prints] == [Outcome.STOPPED]


def test_a_restart_of_its_own_leaves_no_history() -> None:
    printer, clock = make_printer(reliability=Reliability(restart=1))
    start(printer)
    clock.advance(3600)
    assert job_reply(printer)["job"]["file"]["path"] is None
    file = printer.files.get("makerhub/a.gcode")
    assert file is not None
    assert file.history == []


def test_mishaps_repeat_with_the_seed_and_come_as_often_as_told() -> None:
    reliability = Reliability(error=0.1, restart=0.05, spoiled=0.2)

    def draw(seed: int) -> list[Mishap | None]:
        dice = random.Random(seed)  # noqa: S311 (to be repeatable)
        return [reliability.draw(dice) for _ in range(2000)]

    assert draw(1) == draw(1)
    assert draw(1) != draw(2)
    troubles = [mishap.trouble for mishap in draw(1) if mishap]
    counts = {trouble: troubles.count(trouble) for trouble in Trouble}
    assert counts[Trouble.ERROR] == pytest.approx(200, abs=45)
    assert counts[Trouble.RESTART] == pytest.approx(100, abs=35)
    assert counts[Trouble.SPOILED] == pytest.approx(400, abs=60)


def test_a_change_of_speed_does_not_jump() -> None:
    clock = FastClock(speed=1000, start=0)
    before = clock.now()
    clock.speed = 1
    assert before <= clock.now() < before + 1000
    clock.speed = 0
    assert clock.now() == clock.now()
