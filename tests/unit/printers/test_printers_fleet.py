import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from builders import MK3S, NOW, World, later, person

from makerhub.config import Settings
from makerhub.db import IntegrityError
from makerhub.fleet.gateway import (
    NEEDED,
    Connection,
    JobReport,
    KeyReport,
    PrinterGateway,
    PrinterTrouble,
    Trouble,
)
from makerhub.fleet.gateway import PrinterState as Doing
from makerhub.fleet.poll import Observation as Seen
from makerhub.keys.box import KeyBox, Place
from makerhub.people.models import Role
from makerhub.printers import service
from makerhub.printers.fleet import Fleet
from makerhub.printers.models import Observation, Printer, PrinterState
from makerhub.printers.polling import Watch
from makerhub.printers.tasks import check_printers


class Keys:
    """A gateway to printers of which some can be asked what a key may do."""

    def __init__(self, reports: dict[str, KeyReport | Trouble]) -> None:
        self.reports = reports
        self.is_open = False
        self.asked: list[Connection] = []

    async def key_report(self, connection: Connection) -> KeyReport:
        self.asked.append(connection)
        report = self.reports[connection.url]
        if isinstance(report, Trouble):
            raise PrinterTrouble(report)
        return report

    @asynccontextmanager
    async def opening(self) -> AsyncIterator[PrinterGateway]:
        self.is_open = True
        yield cast("PrinterGateway", self)
        self.is_open = False


def test_questions_are_asked_on_the_open_gateway() -> None:
    keys = Keys({"http://a": KeyReport(NEEDED)})
    fleet = Fleet(keys.opening)
    fleet.start()
    try:
        assert fleet.run(lambda gateway: gateway.key_report(Connection("http://a", "key"))) == KeyReport(NEEDED)
        assert keys.is_open
    finally:
        fleet.stop()
    assert not keys.is_open


def test_what_goes_wrong_with_a_question_reaches_the_asker() -> None:
    fleet = Fleet(Keys({"http://a": Trouble.UNREACHABLE}).opening)
    fleet.start()
    try:
        with pytest.raises(PrinterTrouble):
            fleet.run(lambda gateway: gateway.key_report(Connection("http://a", "key")))
    finally:
        fleet.stop()


def test_a_fleet_that_was_not_started_can_not_be_asked() -> None:
    fleet = Fleet(Keys({}).opening)
    with pytest.raises(RuntimeError, match="not been started"):
        fleet.run(lambda gateway: gateway.key_report(Connection("http://a", "key")))
    fleet.stop()


def test_stop_lets_the_service_finish_before_the_gateway_closes() -> None:
    keys = Keys({})
    seen: list[bool] = []

    async def poll(_gateway: PrinterGateway) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)
            seen.append(keys.is_open)

    fleet = Fleet(keys.opening)
    fleet.start(poll)
    fleet.run(lambda _: asyncio.sleep(0))
    fleet.stop()
    assert seen == [True]


def test_a_service_that_fails_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def poll(_gateway: PrinterGateway) -> None:
        raise ZeroDivisionError

    fleet = Fleet(Keys({}).opening)
    with caplog.at_level(logging.ERROR):
        fleet.start(poll)
        fleet.run(lambda _: asyncio.sleep(0.01))
        fleet.stop()
    assert "ZeroDivisionError" in caplog.text


def register(world: World, url: str, **changes: Any) -> Printer:
    with world.database.changing() as session:
        return service.register(session, world.new_printer(url=url, **changes), world.key_box, now=NOW)


def check(world: World, keys: Keys, **changes: Any) -> None:
    fleet = Fleet(keys.opening)
    fleet.start()
    dependencies = {
        "database": world.database,
        "fleet": fleet,
        "key_box": world.key_box,
        "profiles": {MK3S.key: MK3S},
        "clock": lambda: NOW,
        "settings": Settings(probe_seconds=0.0),
    }
    try:
        check_printers.bind(dependencies | changes)()
    finally:
        fleet.stop()


def test_every_waiting_printer_is_asked_and_each_answer_is_its_own(world: World) -> None:
    good, silent, weak = (register(world, f"http://{name}.local") for name in ("good", "silent", "weak"))
    keys = Keys(
        {
            good.url: KeyReport(NEEDED),
            silent.url: Trouble.UNREACHABLE,
            weak.url: KeyReport(frozenset()),
        }
    )
    check(world, keys)
    assert {connection.key for connection in keys.asked} == {"0123456789ABCDEF0123456789ABCDEF"}
    states = [world.get(Printer, printer.id).state for printer in (good, silent, weak)]
    assert states == [PrinterState.ACTIVE, PrinterState.REFUSED, PrinterState.REFUSED]


def test_nobody_is_asked_twice(world: World) -> None:
    keys = Keys({register(world, "http://good.local").url: KeyReport(NEEDED)})
    check(world, keys)
    check(world, keys)
    assert len(keys.asked) == 1


def test_of_one_maker_a_new_address_is_called_every_ten_seconds_at_most(world: World) -> None:
    with world.database.changing() as session:
        other = person(session, "Olga", (world.hub, Role.MAKER))
    mine = [register(world, f"http://192.168.1.{number}") for number in range(2, 5)]
    hers = register(world, "http://192.168.1.9", owner_id=other.id)
    keys = Keys(dict.fromkeys([printer.url for printer in (*mine, hers)], Trouble.UNREACHABLE))
    asked = []
    for seconds in (0, 9, 11, 12, 20, 22, 50):  # the world's printer was looked at 0 seconds ago
        check(world, keys, settings=Settings(), clock=lambda seconds=seconds: later(seconds=seconds))
        asked.append(len(keys.asked))
    assert asked == [1, 1, 2, 2, 2, 3, 4]
    assert keys.asked[0].url == hers.url


def test_a_key_that_can_not_be_read_holds_nobody_else_up(world: World, tmp_path: Any) -> None:
    good, copied = register(world, "http://good.local"), register(world, "http://copied.local")
    with world.database.changing() as session:
        session.get_one(Printer, copied.id).encrypted_key = good.encrypted_key
    check(world, Keys({good.url: KeyReport(NEEDED)}))
    assert world.get(Printer, good.id).state is PrinterState.ACTIVE
    assert world.get(Printer, copied.id).state is PrinterState.UNCHECKED
    assert KeyBox(tmp_path / "hub.key").open(good.encrypted_key, service.key_place(good.id))


def test_the_poll_loop_looks_at_checked_printers_whose_key_can_be_read(world: World) -> None:
    copied = world.add_printer("Copied")
    with world.database.changing() as session:
        session.get_one(Printer, copied.id).encrypted_key = world.printer.encrypted_key
    register(world, "http://unchecked.local")
    roster = Watch(world.database, world.key_box, lambda: None).roster()
    assert {printer_id: connection.url for printer_id, connection in roster.items()} == {
        world.printer.id: "http://octopi.local"
    }


def test_a_printer_that_does_something_new_is_told_of_once(world: World) -> None:
    told: list[int] = []
    watch = Watch(world.database, world.key_box, lambda: told.append(len(told)))
    for doing in (Doing.OPERATIONAL, Doing.OPERATIONAL, Doing.PRINTING, Doing.PRINTING, Doing.OPERATIONAL):
        watch.sink([Seen(world.printer.id, NOW, JobReport(doing))])
    assert told == [0, 1, 2]


def test_a_key_is_opened_once_until_its_row_has_another(world: World) -> None:
    opened: list[UUID] = []

    class Counting(KeyBox):
        def open(self, sealed: bytes, place: Place) -> str:
            opened.append(place.row)
            return super().open(sealed, place)

    watch = Watch(world.database, Counting(world.key_box.file), lambda: None)
    first = watch.roster()
    assert watch.roster() == first
    assert opened == [world.printer.id]
    with world.database.changing() as session:
        row = session.get_one(Printer, world.printer.id)
        row.encrypted_key = world.key_box.seal("another-key-of-32-characters-000", service.key_place(row.id))
        row.url = "http://moved.local"
    [moved] = watch.roster().values()
    assert (moved.url, moved.key) == ("http://moved.local", "another-key-of-32-characters-000")


def test_what_says_nothing_new_is_written_now_and_then(world: World) -> None:
    watch = Watch(world.database, world.key_box, lambda: None, refresh=timedelta(seconds=30))
    for seconds in (0, 10, 29, 30, 45):
        watch.sink([Seen(world.printer.id, later(seconds=seconds), JobReport(Doing.OPERATIONAL))])
    assert world.get(Observation, world.printer.id).seen_at == later(seconds=30)


def test_what_could_not_be_written_is_written_with_the_next_look(world: World) -> None:
    watch = Watch(world.database, world.key_box, lambda: None)
    with pytest.raises(IntegrityError):  # a printer that there is not
        watch.sink([Seen(one, NOW, JobReport(Doing.PRINTING)) for one in (world.printer.id, uuid4())])
    watch.sink([Seen(world.printer.id, NOW, JobReport(Doing.PRINTING))])
    assert world.get(Observation, world.printer.id).state == Doing.PRINTING
