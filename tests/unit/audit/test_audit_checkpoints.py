"""The log that is only added to: what the database refuses, what is sealed, and how tampering is found."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from builders import NOW
from click.testing import CliRunner
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import select
from unit.test_migrations import _new_database

from makerhub.audit.checkpoints import breaches, last_seal, page_file, seal
from makerhub.audit.models import Checkpoint, Deed
from makerhub.audit.service import deeds_with, note
from makerhub.cli import main
from makerhub.db import Database
from makerhub.lifecycle import Transition
from makerhub.migrations import migrate
from makerhub.people import service as people
from makerhub.people.models import Membership, OrganisationKind, Person, Role

KEPT = ("transition", "deed", "checkpoint")


@pytest.fixture(params=["sqlite", "postgresql"])
def hub(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A migrated database: only the migrations make the triggers."""
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path / 'makerhub.sqlite'}")
        migrate(database)
        yield database
        database.dispose()
        return
    for database in _new_database(request.getfixturevalue("postgresql")):
        migrate(database)
        yield database


def live(database: Database, day: datetime, rows: int = 3) -> None:
    """Some rows of each log on a day."""
    with database.changing() as session:
        person = people.create_person(session, email=f"{uuid4().hex}@example.org", name="Ann", now=day)
        for number in range(rows):
            note(session, "looked at", person, now=day + timedelta(hours=number), by=person.id, why=f"look {number}")
            session.add(Transition(entity="lot", entity_id=person.id, after="passed", at=day, by=person.id, why="ok"))


def two_days(database: Database, folder: Path) -> None:
    for days in (0, 1):
        live(database, NOW + timedelta(days=days))
        assert seal(database, folder, NOW + timedelta(days=days + 1)) is not None


def found(database: Database, folder: Path) -> list[str]:
    with database.reading() as session:
        return [breach.what for breach in breaches(session, folder)]


def tamper(database: Database, *statements: str) -> None:
    """Change rows as somebody who owns the database can: triggers and all."""
    with database.engine.connect() as connection:
        for table in KEPT:
            if database.is_sqlite:
                for what in ("update", "delete"):
                    connection.execute(text(f"DROP TRIGGER IF EXISTS {table}_{what}_kept"))
            else:
                connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
        for statement in statements:
            connection.execute(text(statement))
        connection.commit()


@pytest.mark.parametrize("table", KEPT)
@pytest.mark.parametrize("change", ["UPDATE {} SET at = at", "DELETE FROM {}", "TRUNCATE {}"])
def test_no_row_of_the_log_is_changed_or_deleted(hub: Database, tmp_path: Path, table: str, change: str) -> None:
    if hub.is_sqlite and change.startswith("TRUNCATE"):
        change = "DELETE FROM {} WHERE 1"
    two_days(hub, tmp_path / "pages")
    with hub.engine.connect() as connection, pytest.raises(DBAPIError, match="the log is only added to"):
        connection.execute(text(change.format(table)))
    assert found(hub, tmp_path / "pages") == []


def test_days_are_sealed_once_an_hour_after_they_end(hub: Database, tmp_path: Path) -> None:
    live(hub, NOW)
    midnight = NOW.replace(hour=0) + timedelta(days=1)
    assert seal(hub, tmp_path, midnight + timedelta(minutes=59)) is None
    sealed = seal(hub, tmp_path, midnight + timedelta(minutes=61))
    assert sealed is not None
    assert (sealed.day, sealed.deeds) == (NOW.date(), 3)
    assert seal(hub, tmp_path, midnight + timedelta(hours=20)) is None
    page = page_file(tmp_path, sealed).read_text()
    assert page.splitlines()[0] == "after -"
    assert len(page.splitlines()) == 1 + 3 + 3
    with hub.reading() as session:
        assert last_seal(session) == f"2020-03-25 {sealed.sha256}"
    assert found(hub, tmp_path) == []


def test_a_page_that_was_not_written_is_written_later(hub: Database, tmp_path: Path) -> None:
    two_days(hub, tmp_path)
    file = tmp_path / "2020-03-25.txt"
    before = file.read_bytes()
    file.unlink()
    assert found(hub, tmp_path) == ["2020-03-25.txt is gone"]
    seal(hub, tmp_path, NOW + timedelta(days=2))
    assert file.read_bytes() == before
    assert found(hub, tmp_path) == []


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE deed SET why = 'nothing' WHERE number = 2", "row 2 of deed, sealed on 2020-03-25, was changed"),
        ("UPDATE transition SET by = NULL WHERE number = 5", "row 5 of transition, sealed on 2020-03-26, was changed"),
        ("DELETE FROM transition WHERE number = 3", "row 3 of transition, sealed on 2020-03-25, is gone"),
    ],
)
def test_the_first_row_that_was_tampered_with_is_named(
    hub: Database, tmp_path: Path, statement: str, said: str
) -> None:
    two_days(hub, tmp_path)
    tamper(hub, statement)
    assert found(hub, tmp_path) == [said]


def test_a_row_that_was_slipped_in_is_named(hub: Database, tmp_path: Path) -> None:
    two_days(hub, tmp_path)
    with hub.changing() as session:  # a gap, as a transaction that was rolled back leaves it
        session.add(Deed(number=9, what="left", entity="lot", entity_id=uuid4(), at=NOW + timedelta(days=2)))
    seal(hub, tmp_path, NOW + timedelta(days=3))
    with hub.changing() as session:
        session.add(Deed(number=8, what="made up", entity="lot", entity_id=uuid4(), at=NOW))
    assert found(hub, tmp_path) == ["row 8 of deed, sealed on 2020-03-27, was slipped in"]


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "UPDATE checkpoint SET sha256 = 'x' WHERE day = '2020-03-25'",
            "2020-03-25.txt and the checkpoint of 2020-03-25 in the database do not fit together",
        ),
        ("DELETE FROM checkpoint WHERE day = '2020-03-25'", "the checkpoint of 2020-03-25 is gone from the database"),
    ],
)
def test_checkpoints_that_were_tampered_with_are_found(
    hub: Database, tmp_path: Path, statement: str, said: str
) -> None:
    two_days(hub, tmp_path)
    tamper(hub, statement)
    assert said in found(hub, tmp_path)


def test_whoever_changes_rows_and_file_is_found_too(hub: Database, tmp_path: Path) -> None:
    two_days(hub, tmp_path)
    tamper(hub, "UPDATE deed SET why = 'nothing' WHERE number = 2")
    (tmp_path / "2020-03-25.txt").unlink()
    assert found(hub, tmp_path) == ["2020-03-25.txt is gone, and a row of 2020-03-25 was changed"]
    seal(hub, tmp_path, NOW + timedelta(days=2))
    assert not (tmp_path / "2020-03-25.txt").exists()


def test_the_doctor_says_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAKERHUB_DATA_DIRECTORY", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    database = Database(f"sqlite:///{tmp_path / 'makerhub.sqlite'}")
    migrate(database)
    two_days(database, tmp_path / "checkpoints")
    said = {one["detail"] for one in json.loads(CliRunner().invoke(main, ["doctor", "--audit", "--json"]).output)}
    assert any(detail.startswith("sealed up to 2020-03-26 ") for detail in said)
    tamper(database, "UPDATE deed SET why = 'nothing' WHERE number = 2")
    answer = CliRunner().invoke(main, ["doctor", "--audit"])
    assert "row 2 of deed, sealed on 2020-03-25, was changed" in answer.output
    assert answer.exit_code == 1
    database.dispose()


def test_roles_passwords_and_disabling_are_logged(database: Database) -> None:
    with database.changing() as session:
        hub = people.create_organisation(session, kind=OrganisationKind.HUB, name="North", time_zone="UTC")
        ann = people.create_person(session, email="ann@example.org", name="Ann", now=NOW)
        root = people.create_person(session, email="root@example.org", name="Root", now=NOW)
        membership = people.add_membership(session, ann, hub, Role.MAKER, now=NOW, by=root.id)
        people.add_membership(session, ann, hub, Role.MAKER, now=NOW, by=root.id)
        people.set_password(session, ann, "correct horse battery", now=NOW)
        people.disable(session, ann, now=NOW, by=root.id, why="blocked")
        people.enable(session, ann, now=NOW, by=root.id)
        people.take_membership(session, membership, now=NOW, by=root.id)
        assert session.exec(select(Membership)).all() == []
        said = [(deed.what, deed.by, deed.why) for deed in session.exec(select(Deed).order_by("number"))]
        role = f"maker of {ann.id} at {hub.id}"
        assert said == [
            ("role given", root.id, role),
            ("password changed", ann.id, ""),
            ("disabled", root.id, "blocked"),
            ("enabled", root.id, ""),
            ("role taken", root.id, role),
        ]
        assert [deed.what for deed in deeds_with(session, ann)] == ["password changed", "disabled", "enabled"]
        session.delete(session.get_one(Person, ann.id))


def test_nothing_is_sealed_where_nothing_was_done(database: Database, tmp_path: Path) -> None:
    assert seal(database, tmp_path, NOW) is None
    with database.reading() as session:
        assert session.exec(select(Checkpoint)).all() == []
        assert last_seal(session) == ""
        assert list(breaches(session, tmp_path)) == []
