from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from builders import MK3S, NOW, World, later

from makerhub.db import Session
from makerhub.errors import IllegalMove, Invalid
from makerhub.fleet.gateway import NEEDED, JobReport, KeyReport, Permission, Trouble
from makerhub.fleet.gateway import PrinterState as Doing
from makerhub.fleet.poll import Observation as Seen
from makerhub.lifecycle import history
from makerhub.people.models import Person
from makerhub.printers import service
from makerhub.printers.models import BuildPlate, Consent, Link, Observation, PlateState, Printer, PrinterState

PATIENCE = timedelta(seconds=120)


def register(world: World, **changes: Any) -> Printer:
    with world.database.changing() as session:
        return service.register(session, world.new_printer(**changes), world.key_box, now=NOW)


def change(world: World, printer: Printer, action: Callable[[Session, Printer], None]) -> Printer:
    with world.database.changing() as session:
        row = session.get_one(Printer, printer.id)
        action(session, row)
        return row


def checked(world: World, printer: Printer, report: KeyReport | Trouble) -> Printer:
    return change(world, printer, lambda session, row: service.key_checked(session, row, report, now=NOW))


def test_a_registered_printer_waits_to_be_checked_behind_an_occupied_plate(world: World) -> None:
    printer = register(world, name=" Workshop ", colour=" orange ", url="http://octopi.local/")
    assert (printer.state, printer.consent) == (PrinterState.UNCHECKED, Consent.ASK)
    assert (printer.name, printer.colour, printer.url) == ("Workshop", "orange", "http://octopi.local")
    assert (printer.profile, printer.material, printer.registered_at) == (MK3S.key, "PETG", NOW)
    plate = next(plate for plate in world.all(BuildPlate) if plate.printer_id == printer.id)
    assert plate.state is PlateState.OCCUPIED


def test_a_maker_may_say_that_the_plate_is_clear(world: World) -> None:
    printer = register(world, plate_is_clear=True)
    plate = next(plate for plate in world.all(BuildPlate) if plate.printer_id == printer.id)
    assert plate.state is PlateState.CLEAR


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "   "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"colour": "x" * 33}, "colour"),
        ({"material": "TPU"}, "material"),
        ({"url": ""}, "url"),
        ({"url": "octopi.local"}, "url"),
        ({"url": "ftp://octopi.local"}, "url"),
        ({"url": "http://user:secret@octopi.local"}, "url"),
        ({"url": "http://:secret@octopi.local"}, "url"),
        ({"url": "http://octopi.local?apikey=1"}, "url"),
        ({"url": "http://octopi.local:99999"}, "url"),
        ({"url": "http://" + "x" * 600}, "url"),
        ({"key": "short"}, "key"),
        ({"key": "with a space in it"}, "key"),
        ({"key": "with\nline feed"}, "key"),
        ({"key": "schlüssel-nicht-ascii"}, "key"),
        ({"key": "x" * 201}, "key"),
    ],
)
def test_a_registration_that_breaks_a_rule_is_refused_by_its_field(
    world: World, change: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        register(world, **change)
    assert list(refusal.value.fields) == [field]
    assert len(world.all(Printer)) == 1


def test_every_problem_is_told_at_once(world: World) -> None:
    with pytest.raises(Invalid) as refusal:
        register(world, name="", material="", url="", key="?", colour="x" * 40)
    assert set(refusal.value.fields) == {"name", "material", "url", "key", "colour"}


@pytest.mark.parametrize(
    ("held", "state", "missing", "excess"),
    [
        (NEEDED, PrinterState.ACTIVE, [], []),
        (NEEDED | {Permission.ADMIN}, PrinterState.ACTIVE, [], ["ADMIN"]),
        (NEEDED - {Permission.PRINT}, PrinterState.REFUSED, ["PRINT"], []),
        (
            frozenset(),
            PrinterState.REFUSED,
            [permission.value for permission in Permission if permission in NEEDED],
            [],
        ),
    ],
)
def test_a_key_must_be_able_to_do_all_that_is_needed(
    world: World, held: frozenset[Permission], state: PrinterState, missing: list[str], excess: list[str]
) -> None:
    printer = checked(world, register(world), KeyReport(held))
    assert (printer.state, printer.missing_permissions, printer.excess_permissions) == (state, missing, excess)


def test_a_printer_that_could_not_be_asked_is_refused_with_the_reason(world: World) -> None:
    printer = checked(world, register(world), Trouble.UNREACHABLE)
    assert (printer.state, printer.trouble) == (PrinterState.REFUSED, "unreachable")
    with world.database.reading() as session:
        assert history(session, printer)[-1].why == "unreachable"


def test_a_refused_printer_is_looked_at_again_when_its_maker_asks(world: World) -> None:
    refused = checked(world, register(world), Trouble.KEY_REFUSED)
    again = change(world, refused, lambda session, row: service.check_again(session, row, by=row.owner_id, now=NOW))
    assert (again.state, again.trouble) == (PrinterState.UNCHECKED, "")
    assert checked(world, again, KeyReport(NEEDED)).state is PrinterState.ACTIVE


def test_a_report_that_comes_too_late_changes_nothing(world: World) -> None:
    assert checked(world, world.printer, Trouble.UNREACHABLE).state is PrinterState.ACTIVE


def test_a_maker_pauses_and_resumes(world: World) -> None:
    paused = change(world, world.printer, lambda session, row: service.pause(session, row, by=row.owner_id, now=NOW))
    assert paused.state is PrinterState.PAUSED
    resumed = change(world, paused, lambda session, row: service.resume(session, row, by=row.owner_id, now=NOW))
    assert resumed.state is PrinterState.ACTIVE


def test_a_printer_that_was_not_checked_can_not_be_resumed_into_service(world: World) -> None:
    refused = checked(world, register(world), Trouble.KEY_REFUSED)
    with pytest.raises(IllegalMove):
        change(world, refused, lambda session, row: service.resume(session, row, by=row.owner_id, now=NOW))


def test_checked_printers_are_looked_at_also_while_they_pause(world: World) -> None:
    register(world, name="Unchecked")
    checked(world, register(world, name="Refused"), Trouble.KEY_REFUSED)
    paused = world.add_printer("Paused")
    change(world, paused, lambda session, row: service.pause(session, row, by=row.owner_id, now=NOW))
    with world.database.reading() as session:
        assert service.to_poll(session).keys() == {world.printer.id, paused.id}
        assert len(service.to_check(session, world.key_box, apart=timedelta(0), now=NOW)) == 1


def observe(world: World, *seen: Seen) -> Observation:
    with world.database.changing() as session:
        service.observe(session, seen)
    return world.get(Observation, world.printer.id)


def test_an_answer_is_kept_with_all_it_says(world: World) -> None:
    report = JobReport(Doing.PRINTING, 41.5, "makerhub/a-1.gcode", print_time_s=60, print_time_left_s=90)
    kept = observe(world, Seen(world.printer.id, NOW, report))
    assert (kept.asked_at, kept.seen_at, kept.state, kept.completion) == (NOW, NOW, "printing", 41.5)
    assert (kept.file_path, kept.seconds_left, kept.trouble) == ("makerhub/a-1.gcode", 90, "")


def test_silence_keeps_the_last_answer(world: World) -> None:
    observe(world, Seen(world.printer.id, NOW, JobReport(Doing.PRINTING, 41.5, "makerhub/a-1.gcode")))
    kept = observe(world, Seen(world.printer.id, later(seconds=5), Trouble.TIMED_OUT))
    assert (kept.asked_at, kept.seen_at, kept.trouble) == (later(seconds=5), NOW, "timed_out")
    assert (kept.state, kept.completion, kept.file_path) == ("printing", 41.5, "makerhub/a-1.gcode")


def test_an_answer_ends_the_trouble(world: World) -> None:
    observe(world, Seen(world.printer.id, NOW, Trouble.TIMED_OUT))
    assert observe(world, Seen(world.printer.id, later(seconds=5), JobReport(Doing.OPERATIONAL))).trouble == ""


def test_silence_may_come_first(world: World) -> None:
    kept = observe(world, Seen(world.printer.id, NOW, Trouble.UNREACHABLE))
    assert (kept.seen_at, kept.state, kept.trouble) == (None, "", "unreachable")


@pytest.mark.parametrize("count", [2, 3])
def test_of_several_looks_at_once_the_last_one_counts(world: World, count: int) -> None:
    looks: list[JobReport | Trouble] = [Trouble.TIMED_OUT, JobReport(Doing.OPERATIONAL), Trouble.UNREACHABLE]
    kept = observe(world, *(Seen(world.printer.id, later(seconds=n), look) for n, look in enumerate(looks[:count])))
    assert (kept.trouble, kept.asked_at) == (("", later(seconds=1)), ("unreachable", later(seconds=2)))[count - 2]


def test_many_printers_are_written_at_once(world: World) -> None:
    others = [world.add_printer(f"Printer {number}") for number in range(5)]
    observe(world, *(Seen(printer.id, NOW, JobReport(Doing.OPERATIONAL)) for printer in (world.printer, *others)))
    assert len(world.all(Observation)) == 6


def test_a_long_file_name_of_somebody_elses_print_is_cut(world: World) -> None:
    kept = observe(world, Seen(world.printer.id, NOW, JobReport(Doing.PRINTING, file_path="x" * 600)))
    assert kept.file_path == "x" * 500


@pytest.mark.parametrize(
    ("report", "seconds", "reachable", "idle"),
    [
        (JobReport(Doing.OPERATIONAL), 0, True, True),
        (JobReport(Doing.OPERATIONAL), 120, True, True),
        (JobReport(Doing.OPERATIONAL), 121, False, False),
        (JobReport(Doing.PRINTING), 0, True, False),
        (JobReport(Doing.FINISHING), 0, True, False),
        (JobReport(Doing.OFFLINE), 0, True, False),
        (Trouble.TIMED_OUT, 0, False, False),
    ],
)
def test_a_printer_is_idle_when_it_said_so_lately(
    world: World, report: JobReport | Trouble, seconds: int, reachable: bool, idle: bool
) -> None:
    kept = observe(world, Seen(world.printer.id, NOW, report))
    assert service.is_reachable(kept, later(seconds=seconds), PATIENCE) is reachable
    assert service.is_idle(world.printer, kept, later(seconds=seconds), PATIENCE) is idle


def test_a_printer_that_fell_silent_after_an_idle_answer_is_not_idle(world: World) -> None:
    observe(world, Seen(world.printer.id, NOW, JobReport(Doing.OPERATIONAL)))
    kept = observe(world, Seen(world.printer.id, later(seconds=5), Trouble.TIMED_OUT))
    assert not service.is_idle(world.printer, kept, later(seconds=5), PATIENCE)


def test_a_printer_that_was_never_seen_is_neither_reachable_nor_idle(world: World) -> None:
    assert not service.is_reachable(None, NOW, PATIENCE)
    assert not service.is_idle(world.printer, None, NOW, PATIENCE)


def test_a_printers_owner_is_in_its_log(world: World) -> None:
    printer = register(world)
    with world.database.reading() as session:
        assert [change.by for change in history(session, printer)] == [session.get_one(Person, world.maker.id).id]


@pytest.mark.parametrize("link", [Link.AGENT, Link.BY_HAND])
def test_the_hub_itself_calls_only_the_printers_that_it_reaches_directly(world: World, link: Link) -> None:
    direct, other = world.printer, world.add_printer("Elsewhere")

    def relink(_session: Session, row: Printer) -> None:
        row.link = link

    change(world, other, relink)
    with world.database.reading() as session:
        assert service.to_poll(session).keys() == {direct.id}
        everyone = [session.get_one(Printer, printer.id) for printer in (direct, other)]
        assert service.connections(everyone, world.key_box).keys() == {direct.id}


def test_a_printer_without_a_key_is_asked_for_one_and_not_checked_before(world: World) -> None:
    printer = register(world, key="")
    with world.database.reading() as session:
        assert service.to_ask(session, apart=timedelta(0), now=NOW) == {printer.id: printer.url}
        assert printer.id not in service.to_check(session, world.key_box, apart=timedelta(0), now=NOW)
    with world.database.changing() as session:
        row = session.get_one(Printer, printer.id)
        service.key_answered(session, row, "a-key-that-was-granted", world.key_box, now=NOW)
        service.key_answered(session, row, Trouble.KEY_NOT_ALLOWED, world.key_box, now=NOW)  # late news
    with world.database.reading() as session:
        assert service.to_ask(session, apart=timedelta(0), now=NOW) == {}
        called = service.to_check(session, world.key_box, apart=timedelta(0), now=NOW)
    assert called[printer.id].key == "a-key-that-was-granted"


def test_of_one_maker_one_address_is_asked_at_a_time(world: World) -> None:
    register(world, name="First", key="")
    register(world, name="Second", key="", url="http://other.local")
    with world.database.reading() as session:
        assert len(service.to_ask(session, apart=timedelta(seconds=10), now=later(minutes=1))) == 1
