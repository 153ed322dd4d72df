"""Test prints of nothing by a whole hub, on a real OctoPrint and on a simulated printer, whatever happens meanwhile."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hubs import Place, quick_settings, running_hub, wait_until
from integration.octoprint_target import Machine, RealMachine, SimulatedMachine, Target, target_of

from makerhub.app import assemble
from makerhub.errors import Invalid
from makerhub.fleet.verdict import Reason
from makerhub.printers.models import BuildPlate, PlateState, Printer, PrinterState
from makerhub.production import trials
from makerhub.production.models import Attempt
from makerhub.production.trial_models import LIVE, TrialPrint, TrialState
from makerhub.production.trial_tasks import make_trial_prints
from makerhub.simulation.octoprint import SimulatedPrinters


@contextlib.contextmanager
def simulated() -> Iterator[Machine]:
    """A simulated printer that is served beside the test."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    farm = SimulatedPrinters()
    asyncio.run_coroutine_threadsafe(farm.__aenter__(), loop).result(10)
    try:
        yield SimulatedMachine(farm.printers[0])
    finally:
        asyncio.run_coroutine_threadsafe(farm.__aexit__(None, None, None), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture(params=["simulated", "real"])
def machine(request: pytest.FixtureRequest) -> Iterator[Machine]:
    if request.param == "real":
        yield RealMachine(request.getfixturevalue("real_octoprint"))
    else:
        with simulated() as machine:
            yield machine


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with running_hub(quick_settings(tmp_path)) as place:
        yield place


def connected(place: Place, machine: Machine, key: str) -> Printer:
    printer = place.add_printer(machine.url, key)
    wait_until(lambda: place.get(Printer, printer.id).state is PrinterState.ACTIVE, "the key to be checked")
    return printer


def asked(place: Place, printer: Printer) -> TrialPrint:
    with place.hub.database.changing() as session:
        row = session.get_one(Printer, printer.id)
        trial = trials.ask(session, row, by=row.owner_id, now=place.hub.clock())
    place.hub.engine.soon(make_trial_prints)
    return trial


def ended(place: Place, trial: TrialPrint) -> TrialPrint:
    wait_until(lambda: place.get(TrialPrint, trial.id).state not in LIVE, "the test print to end")
    return place.get(TrialPrint, trial.id)


def on(machine: Machine, question: Any) -> Any:
    """What a client of the printer sees, by itself."""

    async def ask() -> Any:
        async with target_of(machine) as target:
            return await question(target)

    return asyncio.run(ask())


def files_on(machine: Machine) -> list[str]:
    async def names(target: Target) -> list[str]:
        listed = (await target.get("/api/files/local?recursive=true&force=true", key=machine.admin_key)).body["files"]
        return [child["name"] for entry in listed for child in entry.get("children", [])]

    return list(on(machine, names))


def test_it_prints_for_ten_seconds_and_leaves_nothing_behind(place: Place, machine: Machine) -> None:
    printer = connected(place, machine, machine.admin_key)
    before = place.all(BuildPlate)
    trial = asked(place, printer)
    began = time.monotonic()
    wait_until(lambda: place.get(TrialPrint, trial.id).state is TrialState.PRINTING, "the test print to begin")
    job = on(machine, lambda target: target.job())
    assert job["job"]["file"]["path"] == f"makerhub/{trial.file_name}"
    assert ended(place, trial).state is TrialState.FINISHED
    assert 9 < time.monotonic() - began < 20
    wait_until(lambda: place.get(TrialPrint, trial.id).tidied, "its file to be removed")
    assert files_on(machine) == []
    assert place.all(Attempt) == []
    assert place.all(BuildPlate) == before, "nothing lies on the plate"


def test_a_key_that_may_not_delete_leaves_the_small_file(place: Place, machine: Machine) -> None:
    trial = asked(place, connected(place, machine, machine.key))
    assert ended(place, trial).state is TrialState.FINISHED
    wait_until(lambda: place.get(TrialPrint, trial.id).tidied, "the hub to leave the file alone")
    assert files_on(machine) == [trial.file_name]


def test_the_makers_own_print_is_never_touched(place: Place, machine: Machine) -> None:
    printer = connected(place, machine, machine.key)
    on(machine, lambda target: target.start("own.gcode"))
    trial = ended(place, asked(place, printer))
    assert (trial.state, trial.reason, trial.sends) == (TrialState.NOT_STARTED, Reason.PRINTER_BUSY, 0)
    job = on(machine, lambda target: target.job())
    assert (job["state"], job["job"]["file"]["path"]) == ("Printing", "makerhub/own.gcode")
    assert files_on(machine) == ["own.gcode"]


def test_somebody_cancels_it(place: Place, machine: Machine) -> None:
    trial = asked(place, connected(place, machine, machine.key))
    wait_until(lambda: place.get(TrialPrint, trial.id).state is TrialState.PRINTING, "the test print to begin")
    assert on(machine, lambda target: target.command("cancel")) == 204
    trial = ended(place, trial)
    assert (trial.state, trial.reason) == (TrialState.FAILED, Reason.PRINT_FAILED)


def test_a_printer_that_is_not_connected_says_so_and_another_test_print_can_be_made(
    place: Place, machine: Machine
) -> None:
    printer = connected(place, machine, machine.key)
    on(machine, lambda target: target.connection("disconnect"))
    trial = ended(place, asked(place, printer))
    assert (trial.state, trial.reason) == (TrialState.NOT_STARTED, Reason.PRINTER_OFFLINE)
    on(machine, lambda target: target.connection("connect"))
    on(machine, lambda target: target.until("Operational"))
    assert ended(place, asked(place, printer)).state is TrialState.FINISHED


@pytest.mark.parametrize("moment", [TrialState.WAITING, TrialState.SENDING, TrialState.PRINTING])
def test_a_hub_that_was_away_takes_it_up_again_and_prints_it_once(
    tmp_path: Path, real_octoprint: Any, moment: TrialState
) -> None:
    machine, settings = RealMachine(real_octoprint), quick_settings(tmp_path)
    with running_hub(settings) as place:
        trial = asked(place, connected(place, machine, machine.key))
        with contextlib.suppress(AssertionError):  # it may be past the moment: then the test asks for less
            wait_until(lambda: place.get(TrialPrint, trial.id).state is moment, str(moment), seconds=3)
    again = assemble(settings)
    again.start()
    try:
        place = Place(again, place.network)
        assert ended(place, trial).state is TrialState.FINISHED
    finally:
        again.stop()
    assert on(machine, lambda target: target.counts(trial.file_name)) == (1, 0)


def test_only_one_at_a_time_and_no_job_begins_meanwhile(place: Place, machine: Machine) -> None:
    printer = connected(place, machine, machine.key)
    trial = asked(place, printer)
    with pytest.raises(Invalid):
        asked(place, printer)
    place.ask(1)
    assert ended(place, trial).state is TrialState.FINISHED
    wait_until(lambda: any(attempt.sent_at for attempt in place.all(Attempt)), "the job to begin")
    (attempt,) = place.all(Attempt)
    last = place.get(TrialPrint, trial.id)
    assert attempt.sent_at is not None
    assert last.ended_at is not None
    assert attempt.sent_at > last.ended_at
    plates = place.all(BuildPlate)
    assert [plate.state for plate in plates if plate.printer_id == printer.id] == [PlateState.OCCUPIED]
