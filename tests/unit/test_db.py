import threading
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from builders import NOW, World, at_once, failures
from sqlalchemy import text, update
from sqlalchemy.exc import DBAPIError, StatementError
from sqlmodel import SQLModel, col, select

from makerhub.db import Database, IntegrityError, journal_mode, sqlite_version
from makerhub.demand.models import RequestLine, Urgency
from makerhub.errors import MovedMeanwhile
from makerhub.lifecycle import Transition
from makerhub.people.models import Organisation, OrganisationKind
from makerhub.printers.models import BuildPlate, PlateState


def hub(name: str = "Kingston Hub") -> Organisation:
    return Organisation(kind=OrganisationKind.HUB, name=name, time_zone="Europe/London")


def test_increments_of_many_threads_are_all_kept(database: Database) -> None:
    counter = hub("0")
    with database.changing() as session:
        session.add(counter)

    def increment() -> None:
        for _ in range(50):
            with database.changing() as session:
                row = session.exec(select(Organisation).where(Organisation.id == counter.id).with_for_update()).one()
                row.name = str(int(row.name) + 1)

    assert failures(at_once(*[increment] * 4)) == []
    with database.reading() as session:
        assert session.get_one(Organisation, counter.id).name == "200"


def test_a_changing_session_commits_when_its_block_ends_well(database: Database) -> None:
    with database.changing() as session:
        session.add(hub())
    with database.reading() as session:
        assert [row.name for row in session.exec(select(Organisation))] == ["Kingston Hub"]


def test_a_changing_session_takes_everything_back_when_its_block_raises(database: Database) -> None:
    def add_and_fail() -> None:
        with database.changing() as session:
            session.add(hub())
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        add_and_fail()
    with database.reading() as session:
        assert session.exec(select(Organisation)).all() == []


def test_rows_can_be_read_after_their_session_has_ended(database: Database) -> None:
    row = hub()
    with database.changing() as session:
        session.add(row)
    assert row.name == "Kingston Hub"


def test_a_reading_session_sees_one_state_of_the_database(database: Database) -> None:
    with database.reading() as session:
        before = session.exec(select(Organisation)).all()
        with database.changing() as other:
            other.add(hub())
        assert session.exec(select(Organisation)).all() == before
    with database.reading() as session:
        assert len(session.exec(select(Organisation)).all()) == 1


def test_a_reading_session_changes_nothing(database: Database) -> None:
    with database.reading() as session, pytest.raises(DBAPIError, match=r"read-?only"):
        session.execute(update(Organisation).values(name="changed"))
    with database.changing() as session:  # and what was refused there is allowed again here
        session.execute(update(Organisation).values(name="changed"))


def test_readers_wait_for_no_writer(database: Database) -> None:
    if database.is_sqlite and journal_mode(sqlite_version()) != "WAL":
        pytest.skip("without WAL a reader waits")
    with database.changing() as session:
        session.add(hub())
        session.flush()
        seen: list[int] = []
        reader = threading.Thread(target=lambda: seen.append(len(_all(database))))
        reader.start()
        reader.join(timeout=10)
        assert seen == [0]


def _all(database: Database) -> list[Organisation]:
    with database.reading() as session:
        return list(session.exec(select(Organisation)))


@pytest.mark.parametrize(
    ("version", "mode"),
    [
        ((3, 40, 1), "TRUNCATE"),
        ((3, 51, 2), "TRUNCATE"),
        ((3, 51, 3), "WAL"),
        ((3, 53, 0), "WAL"),
        ((4, 0, 0), "WAL"),
    ],
)
def test_the_journal_is_a_wal_only_where_that_can_not_corrupt_the_file(version: tuple[int, ...], mode: str) -> None:
    assert journal_mode(version) == mode


def test_sqlite_is_durable_and_keeps_foreign_keys(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'new' / 'hub.sqlite'}")
    with database.reading() as session:
        pragmas = {
            name: session.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("synchronous", "foreign_keys", "journal_mode", "busy_timeout")
        }
    database.dispose()
    assert pragmas == {
        "synchronous": 2,  # FULL
        "foreign_keys": 1,
        "journal_mode": journal_mode(sqlite_version()).lower(),
        "busy_timeout": 15_000,
    }


def test_a_foreign_key_must_point_to_a_row(database: Database) -> None:
    with pytest.raises(IntegrityError), database.changing() as session:
        session.add(BuildPlate(printer_id=uuid4()))


def test_enums_are_stored_by_value(world: World) -> None:
    world.request(urgency=Urgency.CRITICAL)
    with world.database.reading() as session:
        assert session.execute(text("SELECT urgency FROM request_line")).scalar_one() == "critical"
        assert set(session.execute(text("SELECT state FROM build_plate")).scalars()) == {PlateState.CLEAR.value}


def test_an_enum_reads_back_as_itself(world: World) -> None:
    line = world.line(world.request(urgency=Urgency.CRITICAL))
    assert world.get(RequestLine, line.id).urgency is Urgency.CRITICAL


def test_a_naive_time_is_refused(database: Database) -> None:
    naive = datetime(2020, 3, 25)  # noqa: DTZ001 - the very thing that is refused
    with pytest.raises(StatementError), database.changing() as session:
        session.add(Transition(entity="printer", entity_id=uuid4(), after="active", at=naive))


def test_times_come_back_aware_and_in_utc(world: World) -> None:
    needed_by = world.line(world.request(needed_by=datetime.fromisoformat("2020-04-01T12:00:00+02:00"))).needed_by
    read = world.all(RequestLine)[0].needed_by
    assert read == needed_by
    assert read.tzinfo is UTC


def test_constraints_guard_what_the_services_check(world: World) -> None:
    line = world.line(world.request())
    with pytest.raises(IntegrityError, match="quantity_positive"), world.database.changing() as session:
        session.execute(update(RequestLine).where(col(RequestLine.id) == line.id).values(quantity=0))


def test_every_constraint_has_a_name_that_a_migration_can_use() -> None:
    unnamed = [
        f"{table.name}: {constraint}"
        for table in SQLModel.metadata.sorted_tables
        for constraint in table.constraints
        if constraint.name is None
    ]
    assert unnamed == []


def test_the_database_describes_itself_without_its_password(database: Database) -> None:
    named = database.describe()
    assert named.startswith("SQLite 3." if database.is_sqlite else "PostgreSQL at postgresql+psycopg://")
    secret = Database("postgresql+psycopg://hub:top-secret@127.0.0.1/hub")
    assert "top-secret" not in secret.describe()


def test_times_are_kept_to_the_microsecond(database: Database) -> None:
    moment = NOW.replace(microsecond=123_456)
    with database.changing() as session:
        session.add(Transition(entity="printer", entity_id=uuid4(), after="active", at=moment))
    with database.reading() as session:
        assert session.exec(select(Transition.at)).one() == moment


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_what_is_decided_rests_on_one_moment_and_what_was_overtaken_is_told(database: Database) -> None:
    place = hub("Before")
    with database.changing() as session:
        session.add(place)

    def decide() -> None:
        with database.deciding() as session:
            mine = session.get_one(Organisation, place.id)
            with database.changing() as other:
                other.get_one(Organisation, place.id).name = "By somebody else"
                other.add(hub("Another"))
            assert [one.name for one in session.exec(select(Organisation))] == ["Before"]
            mine.name = "By me"

    with pytest.raises(MovedMeanwhile):
        decide()
    with database.reading() as session:
        assert session.get_one(Organisation, place.id).name == "By somebody else"


def test_what_is_decided_is_committed(database: Database) -> None:
    with database.deciding() as session:
        session.add(hub("Decided"))
    with database.reading() as session:
        assert [one.name for one in session.exec(select(Organisation))] == ["Decided"]
