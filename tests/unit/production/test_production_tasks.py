import hashlib
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from builders import MESH, NOW, POLICY, CountingSlicer, World, later, profiles

from makerhub.background import Task
from makerhub.config import Settings
from makerhub.designs.files import FileStore
from makerhub.designs.models import PlateSlice
from makerhub.designs.plate_cache import PlateCache
from makerhub.designs.slicer import PlateOrder, SlicedPlate, SlicingFailed
from makerhub.fleet.gateway import (
    FOLDER,
    Connection,
    FileReport,
    JobReport,
    PrinterGateway,
    PrinterTrouble,
    Trouble,
    UploadResult,
)
from makerhub.fleet.gateway import PrinterState as Doing
from makerhub.printers import service as printers
from makerhub.printers.fleet import Fleet
from makerhub.printers.models import Consent, Printer
from makerhub.production import service
from makerhub.production.journal import HubJournal
from makerhub.production.models import Attempt, AttemptState, JobState, PrintJob
from makerhub.production.tasks import follow_attempts, prepare_attempts, start_attempts, withdraw_stale_attempts
from makerhub.trace.invariants import breaches

SETTINGS = Settings(offer_minutes=240, start_minutes=60)


class Printers:
    """A gateway to printers that take every file and print it until a test says how it ended."""

    def __init__(self) -> None:
        self.uploads: list[tuple[str, str, bytes]] = []
        self.ended: dict[str, FileReport] = {}
        self.silent: set[str] = set()
        self.asked: list[str] = []

    async def job(self, connection: Connection) -> JobReport:
        self.asked.append(connection.url)
        if connection.url in self.silent:
            raise PrinterTrouble(Trouble.TIMED_OUT)
        running = [name for url, name, _ in self.uploads if url == connection.url and name not in self.ended]
        return (
            JobReport(Doing.PRINTING, file_path=f"{FOLDER}/{running[-1]}") if running else JobReport(Doing.OPERATIONAL)
        )

    async def file(self, _connection: Connection, name: str) -> FileReport | None:
        return self.ended.get(name)

    async def upload_and_print(self, connection: Connection, name: str, gcode: bytes) -> UploadResult:
        self.uploads.append((connection.url, name, gcode))
        return UploadResult(effective_print=True)

    def end(self, attempt: Attempt, *, successes: int = 0, failures: int = 0) -> None:
        self.ended[attempt.file_name] = FileReport(None, None, successes, failures)

    @asynccontextmanager
    async def opening(self) -> AsyncIterator[PrinterGateway]:
        yield cast("PrinterGateway", self)


class Hub:
    """Runs production's tasks with the parts of a hub."""

    def __init__(self, world: World, files: FileStore) -> None:
        self.world = world
        self.files = files
        self.slicer = CountingSlicer()
        self.printers = Printers()
        self.fleet = Fleet(self.printers.opening)
        self.nudged: list[str] = []

    def run(self, task: Task, *, now: Any = NOW, **changes: Any) -> None:
        parts: dict[str, object] = {
            "database": self.world.database,
            "files": self.files,
            "plates": PlateCache(self.world.database, self.files, self.slicer, lambda: now),
            "profiles": profiles(),
            "settings": SETTINGS,
            "fleet": self.fleet,
            "journal": HubJournal(self.world.database, POLICY),
            "key_box": self.world.key_box,
            "clock": lambda: now,
            "soon": lambda nudge: self.nudged.append(nudge.name),
        }
        task.bind(parts | changes)()
        with self.world.database.reading() as session:
            assert breaches(session) == []

    def ready(self, **changes: Any) -> Attempt:
        """An attempt whose G-code is in the store."""
        attempt = self.world.attempt(AttemptState.PREPARING, **changes)
        self.run(prepare_attempts)
        return self.world.get(Attempt, attempt.id)

    def state(self, attempt: Attempt) -> AttemptState:
        return self.world.get(Attempt, attempt.id).state


@pytest.fixture
def hub(world: World, tmp_path: Path) -> Iterator[Hub]:
    files = FileStore(tmp_path / "files")
    files.put(MESH)
    hub = Hub(world, files)
    hub.fleet.start()
    yield hub
    hub.fleet.stop()


def another_printer(world: World, name: str) -> Printer:
    """A printer at an address of its own."""
    printer = world.add_printer(name)
    with world.database.changing() as session:
        session.get_one(Printer, printer.id).url = f"http://{name.lower()}.local"
    return world.get(Printer, printer.id)


def test_a_preparing_attempt_gets_its_gcode(world: World, hub: Hub) -> None:
    attempt = hub.ready(job=world.job(3))
    assert attempt.state is AttemptState.READY
    plate = next(plate for plate in world.all(PlateSlice) if plate.id == attempt.plate_slice_id)
    assert (plate.copies, plate.part_id, plate.profile, plate.material) == (
        3,
        world.part(world.headband).id,
        "prusa-mk3s",
        "PETG",
    )
    assert hashlib.sha256(hub.files.get(plate.gcode_sha256)).hexdigest() == plate.gcode_sha256
    assert hub.nudged == [start_attempts.name]


def test_what_was_sliced_before_is_not_sliced_again(world: World, hub: Hub) -> None:
    for number in range(2):
        hub.ready(job=world.job(3), printer=world.add_printer(f"Printer {number}"))
    assert len(hub.slicer.orders) == 1


def test_the_same_plate_for_two_printers_at_once_is_one_plate(world: World, hub: Hub) -> None:
    attempts = [
        world.attempt(AttemptState.PREPARING, job=world.job(3), printer=world.add_printer(f"Printer {number}"))
        for number in range(4)
    ]
    hub.run(prepare_attempts)
    assert [hub.state(attempt) for attempt in attempts] == [AttemptState.READY] * 4
    assert len(world.all(PlateSlice)) == 1


def test_gcode_that_can_not_be_had_fails_its_attempt_alone(world: World, hub: Hub) -> None:
    bad, good = world.attempt(AttemptState.PREPARING, job=world.job(3)), None
    hub.slicer.problem = SlicingFailed(problem="it has a hole")
    hub.run(prepare_attempts)
    assert (hub.state(bad), world.get(PrintJob, bad.job_id).state) == (AttemptState.FAILED, JobState.QUEUED)
    hub.slicer.problem = None
    good = hub.ready(job=world.job(3))
    assert good.state is AttemptState.READY


def test_an_unexpected_failure_holds_up_no_other_attempt(
    world: World, hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    class Stumbling(CountingSlicer):
        def slice(self, order: PlateOrder) -> SlicedPlate:
            if order.copies == 3:
                raise ZeroDivisionError
            return super().slice(order)

    hub.slicer = Stumbling()
    stuck = world.attempt(AttemptState.PREPARING, job=world.job(3), printer=world.add_printer("Odd"))
    good = hub.ready(job=world.job(2), printer=world.add_printer("Good"))
    assert good.state is AttemptState.READY
    assert hub.state(stuck) is AttemptState.PREPARING
    assert "could not be prepared" in caplog.text


def test_a_printer_without_a_profile_says_why_it_gets_nothing(world: World, hub: Hub) -> None:
    odd = world.add_printer("Odd")
    with world.database.changing() as session:
        session.get_one(Printer, odd.id).profile = "a model that is no longer shipped"
    attempt = world.attempt(AttemptState.PREPARING, printer=odd)
    hub.run(prepare_attempts)
    assert hub.state(attempt) is AttemptState.FAILED


def test_an_attempt_that_was_withdrawn_meanwhile_is_left_alone(world: World, hub: Hub) -> None:
    attempt = world.attempt(AttemptState.PREPARING)

    class Withdrawing(CountingSlicer):
        def slice(self, order: Any) -> Any:
            with world.database.changing() as session:
                service.withdraw(session, session.get_one(Attempt, attempt.id), why="late", now=NOW)
            return super().slice(order)

    hub.slicer = Withdrawing()
    hub.run(prepare_attempts)
    assert hub.state(attempt) is AttemptState.WITHDRAWN


def test_a_ready_attempt_is_started_once_with_its_gcode(world: World, hub: Hub) -> None:
    attempt = hub.ready()
    for _ in range(3):
        hub.run(start_attempts)
    row = world.get(Attempt, attempt.id)
    assert (row.state, row.sends, row.sent_at, row.started_at) == (AttemptState.PRINTING, 1, NOW, NOW)
    [(url, name, gcode)] = hub.printers.uploads
    assert (url, name) == (world.printer.url, attempt.file_name)
    plate = next(plate for plate in world.all(PlateSlice) if plate.id == attempt.plate_slice_id)
    assert hashlib.sha256(gcode).hexdigest() == plate.gcode_sha256


def test_a_printer_that_can_not_be_asked_holds_up_no_other(world: World, hub: Hub) -> None:
    silent, good = another_printer(world, "Silent"), another_printer(world, "Good")
    hub.printers.silent.add(silent.url)
    waiting, started = hub.ready(printer=silent), hub.ready(printer=good)
    hub.run(start_attempts)
    assert (hub.state(waiting), hub.state(started)) == (AttemptState.READY, AttemptState.PRINTING)


def test_a_key_that_can_not_be_read_holds_up_no_other(world: World, hub: Hub) -> None:
    copied, good = another_printer(world, "Copied"), another_printer(world, "Good")
    waiting, started = hub.ready(printer=copied), hub.ready(printer=good)
    with world.database.changing() as session:
        session.get_one(Printer, copied.id).encrypted_key = good.encrypted_key
    hub.run(start_attempts)
    assert (hub.state(waiting), hub.state(started)) == (AttemptState.READY, AttemptState.PRINTING)


def test_gcode_that_was_lost_holds_up_no_other(world: World, hub: Hub, caplog: pytest.LogCaptureFixture) -> None:
    lost, good = hub.ready(job=world.job(2)), hub.ready(job=world.job(3), printer=another_printer(world, "Good"))
    plate = next(plate for plate in world.all(PlateSlice) if plate.id == lost.plate_slice_id)
    (hub.files.folder / plate.gcode_sha256[:2] / plate.gcode_sha256).unlink()
    hub.run(start_attempts)
    assert (hub.state(lost), hub.state(good)) == (AttemptState.READY, AttemptState.PRINTING)
    assert "could not be looked after" in caplog.text


def test_a_withdrawn_design_is_not_started(world: World, hub: Hub) -> None:
    attempt = hub.ready()
    world.withdraw(world.headband)
    hub.run(start_attempts)
    assert hub.state(attempt) is AttemptState.READY
    assert hub.printers.uploads == []


@pytest.mark.parametrize(
    ("report", "state"),
    [({"successes": 1}, AttemptState.FINISHED), ({"failures": 1}, AttemptState.FAILED)],
)
def test_the_end_of_a_print_is_found_out(world: World, hub: Hub, report: dict[str, int], state: AttemptState) -> None:
    attempt = hub.ready()
    hub.run(start_attempts)
    hub.run(follow_attempts, now=later(minutes=1))
    assert hub.state(attempt) is AttemptState.PRINTING
    hub.printers.end(attempt, **report)
    hub.run(follow_attempts, now=later(hours=1))
    assert hub.state(attempt) is state
    assert world.get(Attempt, attempt.id).ended_at == later(hours=1)


def test_a_print_that_was_just_seen_is_not_asked_about(world: World, hub: Hub) -> None:
    attempt = hub.ready()
    hub.run(start_attempts)
    hub.printers.asked.clear()
    world.seen(world.printer, Doing.PRINTING, file=f"{FOLDER}/{attempt.file_name}")
    hub.run(follow_attempts)
    assert hub.printers.asked == []
    world.seen(world.printer, Doing.PRINTING, file="somebody/else.gcode")
    hub.run(follow_attempts)
    assert hub.printers.asked == [world.printer.url]


def test_a_print_that_was_not_seen_for_long_is_asked_about(world: World, hub: Hub) -> None:
    attempt = hub.ready()
    hub.run(start_attempts)
    hub.printers.asked.clear()
    world.seen(world.printer, Doing.PRINTING, file=f"{FOLDER}/{attempt.file_name}")
    hub.run(follow_attempts, now=later(minutes=10))
    assert hub.printers.asked == [world.printer.url]


def test_a_file_that_is_gone_is_a_question_to_the_maker(world: World, hub: Hub) -> None:
    attempt = hub.ready()
    hub.run(start_attempts)
    hub.printers.uploads.clear()
    hub.run(follow_attempts, now=later(hours=3))
    row = world.get(Attempt, attempt.id)
    assert (row.state, row.doubt) == (AttemptState.IN_DOUBT, "file_gone")
    hub.run(start_attempts, now=later(hours=3))
    assert hub.printers.uploads == []


def withdraw_stale(hub: Hub, **after: float) -> None:
    hub.run(withdraw_stale_attempts, now=later(**after))


def test_an_offer_that_nobody_answers_is_taken_back(world: World, hub: Hub) -> None:
    offered = world.attempt(AttemptState.OFFERED, printer=world.add_printer("Asking", consent=Consent.ASK))
    withdraw_stale(hub, minutes=240)
    assert hub.state(offered) is AttemptState.OFFERED
    withdraw_stale(hub, minutes=241)
    assert hub.state(offered) is AttemptState.WITHDRAWN
    assert world.get(PrintJob, offered.job_id).state is JobState.QUEUED


@pytest.mark.parametrize("state", [AttemptState.PREPARING, AttemptState.READY])
def test_a_start_that_never_comes_is_taken_back(world: World, hub: Hub, state: AttemptState) -> None:
    attempt = world.attempt(state)
    withdraw_stale(hub, minutes=60)
    assert hub.state(attempt) is state
    withdraw_stale(hub, minutes=61)
    assert hub.state(attempt) is AttemptState.WITHDRAWN


def test_an_accepted_offer_has_its_time_from_the_answer(world: World, hub: Hub) -> None:
    attempt = world.attempt(AttemptState.OFFERED, printer=world.add_printer("Asking", consent=Consent.ASK))
    with world.database.changing() as session:
        service.accept(session, session.get_one(Attempt, attempt.id), by=world.maker.id, now=later(minutes=200))
    withdraw_stale(hub, minutes=260)
    assert hub.state(attempt) is AttemptState.PREPARING
    withdraw_stale(hub, minutes=261)
    assert hub.state(attempt) is AttemptState.WITHDRAWN


@pytest.mark.parametrize("state", [AttemptState.PREPARING, AttemptState.READY])
def test_what_is_for_a_withdrawn_design_or_a_paused_printer_is_taken_back(
    world: World, hub: Hub, state: AttemptState
) -> None:
    kit = world.job(2, request=world.request(2, version=world.kit), part=world.part(world.kit))
    withdrawn = world.attempt(state)
    paused = world.attempt(state, job=kit, printer=world.add_printer("Paused"))
    world.withdraw(world.headband)
    with world.database.changing() as session:
        printers.pause(session, session.get_one(Printer, paused.printer_id), by=world.maker.id, now=NOW)
    withdraw_stale(hub, minutes=1)
    assert (hub.state(withdrawn), hub.state(paused)) == (AttemptState.WITHDRAWN, AttemptState.WITHDRAWN)


@pytest.mark.parametrize("state", [AttemptState.SENDING, AttemptState.PRINTING, AttemptState.FINISHED])
def test_what_was_sent_is_never_taken_back(world: World, hub: Hub, state: AttemptState) -> None:
    attempt = world.attempt(state)
    world.withdraw(world.headband)
    withdraw_stale(hub, days=30)
    assert hub.state(attempt) is state


def test_an_offer_that_is_answered_at_that_moment_goes_on_and_the_others_are_taken_back(world: World, hub: Hub) -> None:
    asking = [world.add_printer(f"Asking {number}", consent=Consent.ASK) for number in range(2)]
    answered, silent = (world.attempt(AttemptState.OFFERED, printer=printer) for printer in asking)
    sweep = threading.Thread(target=lambda: withdraw_stale(hub, minutes=241))
    with world.database.changing() as session:
        service.accept(session, session.get_one(Attempt, answered.id), by=world.maker.id, now=later(minutes=240))
        sweep.start()
        sweep.join(timeout=0.3)
    sweep.join()
    assert (hub.state(answered), hub.state(silent)) == (AttemptState.PREPARING, AttemptState.WITHDRAWN)
