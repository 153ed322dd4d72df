"""The database: one engine, `reading()` and `changing()` sessions, and the conventions of every table.

SQLite needs care, and each line of it was measured (see docs/decisions): deferred transactions that upgrade
lose updates, so a changing session begins IMMEDIATE; WAL in SQLite below 3.51.3 can corrupt the file, so there
the journal is TRUNCATE; what a page confirmed must survive a power cut, so `synchronous` is FULL.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import Any

from sqlalchemy import Engine, Enum, create_engine, event, make_url
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import Session, SQLModel

from makerhub.errors import MovedMeanwhile

try:
    import pysqlite3.dbapi2 as sqlite  # type: ignore[import-untyped]
except ImportError:  # no wheel for this machine: the system's SQLite serves, see `journal_mode`
    import sqlite3 as sqlite

WAL_IS_SAFE_FROM = (3, 51, 3)
BUSY_TIMEOUT_MILLISECONDS = 15_000

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

__all__ = ["Database", "IntegrityError", "Session", "journal_mode", "sqlite_version", "state_type"]


def state_type(states: type[StrEnum]) -> Enum:
    """The column type of a state machine: text of up to 32 characters, values stored, no database enum.

    A native enum would clash where two classes share a name, and needs a migration for every new member.
    """
    return Enum(
        states,
        native_enum=False,
        create_constraint=False,
        length=32,
        values_callable=lambda members: [member.value for member in members],
    )


def sqlite_version() -> tuple[int, ...]:
    """The version of the SQLite in use."""
    return tuple(int(part) for part in sqlite.sqlite_version.split("."))


def journal_mode(version: tuple[int, ...]) -> str:
    """The journal mode that is safe with this version of SQLite."""
    return "WAL" if version >= WAL_IS_SAFE_FROM else "TRUNCATE"


_SERIALIZATION_FAILURE = "40001"


class Database:
    """A hub's database on SQLite or PostgreSQL.

    `reading()` and `changing()` give sessions; a changing session commits when its block ends well and rolls
    back when it raises. No network call and no child process belongs inside either.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = _engine(url)
        self._changing = self.engine.execution_options(makerhub_access="changing")
        self._deciding = self._changing
        self._reading = self.engine.execution_options(makerhub_access="reading")
        if not self.is_sqlite:
            self._deciding = self._changing.execution_options(isolation_level="REPEATABLE READ")
            self._reading = self._reading.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    @property
    def is_sqlite(self) -> bool:
        """Whether this is SQLite."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one state of the database; the database refuses every change in it."""
        with Session(self._reading, expire_on_commit=False, autoflush=False) as session:
            yield session

    @contextmanager
    def changing(self) -> Iterator[Session]:
        """A session whose changes are committed, durably, when the block ends well."""
        with Session(self._changing, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def deciding(self) -> Iterator[Session]:
        """As `changing()`, and all that is read is of one moment, as it is on SQLite anyhow.

        So nothing is missed that moves on from one table to the next between two reads. Raises `MovedMeanwhile` where
        a row to be changed was changed by somebody else since that moment.
        """
        try:
            with Session(self._deciding, expire_on_commit=False) as session, session.begin():
                yield session
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", "") == _SERIALIZATION_FAILURE:
                raise MovedMeanwhile from error
            raise

    def describe(self) -> str:
        """Which database this is, for the line that the hub prints at its start."""
        if not self.is_sqlite:
            return f"PostgreSQL at {self.engine.url.render_as_string(hide_password=True)}"
        version = ".".join(map(str, sqlite_version()))
        origin = "from PyPI" if sqlite.__name__.startswith("pysqlite3") else "of this system"
        return f"SQLite {version} ({origin}, journal {journal_mode(sqlite_version())}) at {self.engine.url.database}"

    def dispose(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def _engine(url: str) -> Engine:
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True, hide_parameters=True)
    module: ModuleType = sqlite
    file = make_url(url).database
    if file:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, module=module, hide_parameters=True)  # an error must not tell what was typed
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun by _begin_sqlite alone
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_MILLISECONDS}",
        f"journal_mode = {journal_mode(sqlite_version())}",
        "synchronous = FULL",
        "foreign_keys = ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Any) -> None:
    access = connection.get_execution_options().get("makerhub_access", "")
    connection.exec_driver_sql(f"PRAGMA query_only = {'ON' if access == 'reading' else 'OFF'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if access == "changing" else "BEGIN")


Clock = Callable[[], datetime]
"""Reads the time (aware, UTC). Only the edges hold one; rules are given `now`."""
