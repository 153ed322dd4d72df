from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from alembic import command
from sqlalchemy import inspect, text
from sqlmodel import SQLModel, select

from makerhub.db import Database
from makerhub.designs.models import Kit
from makerhub.designs.service import kit_parts
from makerhub.migrations import alembic_config, migrate


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without any table, on either kind of server."""
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path / 'hub.sqlite'}")
        yield database
        database.dispose()
        return
    server: Database = request.getfixturevalue("postgresql")
    yield from _new_database(server)


def _new_database(server: Database) -> Iterator[Database]:
    with server.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("CREATE DATABASE to_migrate"))
        database = Database(server.engine.url.set(database="to_migrate").render_as_string(hide_password=False))
        yield database
        database.dispose()
        connection.execute(text("DROP DATABASE to_migrate"))


def test_an_empty_database_is_brought_to_the_tables_of_this_version(empty: Database) -> None:
    migrate(empty)
    assert set(inspect(empty.engine).get_table_names()) == {*SQLModel.metadata.tables, "alembic_version"}


def test_the_migrations_make_what_the_models_say(empty: Database) -> None:
    """`alembic check`: a model that was changed without a migration is found here."""
    migrate(empty)
    command.check(alembic_config(empty))


def test_migrated_and_created_tables_are_the_same(empty: Database, request: pytest.FixtureRequest) -> None:
    migrate(empty)
    created: Database = request.getfixturevalue("sqlite" if empty.is_sqlite else "postgresql")
    assert _details(empty) == _details(created)


def test_migrating_twice_changes_nothing(empty: Database) -> None:
    migrate(empty)
    migrate(empty)
    command.check(alembic_config(empty))


def test_every_migration_can_be_taken_back_and_applied_again(empty: Database) -> None:
    migrate(empty)
    command.downgrade(alembic_config(empty), "base")
    assert inspect(empty.engine).get_table_names() == ["alembic_version"]
    migrate(empty)
    command.check(alembic_config(empty))


def test_a_migrated_database_keeps_its_foreign_keys_and_checks(empty: Database) -> None:
    migrate(empty)
    with empty.engine.connect() as connection, pytest.raises(Exception, match=r"(?i)foreign key"):
        connection.execute(
            text("INSERT INTO build_plate (id, printer_id, state) VALUES (:id, :id, 'clear')"),
            {"id": "0" * 32},
        )


_A_DESIGN_OF_THE_FIRST_TABLES = (
    "INSERT INTO design (id, key) VALUES (:version, 'band')",
    """INSERT INTO design_version
    (id, design_id, version, content_hash, name, function, license, licensor, repo, readme, state, published_at) VALUES
    (:version, :version, '1.0.0', 'x', 'Band', '', '', '', '', '', 'published', '2020-03-25 09:00:00')""",
    """INSERT INTO part
    (id, version_id, name, quantity, mesh_sha256, picture_sha256, materials, settings, width_mm, depth_mm, height_mm,
    volume_mm3) VALUES (:part, :version, 'clip', 2, '', '', '[]', '{}', 1, 1, 1, 1)""",
)


def test_rows_of_the_first_tables_are_kept_and_become_kits(empty: Database) -> None:
    command.upgrade(alembic_config(empty), "0001")
    version, part = uuid4().hex, uuid4().hex
    with empty.engine.connect() as connection:
        for statement in _A_DESIGN_OF_THE_FIRST_TABLES:
            connection.execute(text(statement), {"version": version, "part": part})
        connection.commit()
    migrate(empty)
    with empty.reading() as session:
        kit = session.exec(select(Kit)).one()
        assert [(found.name, quantity) for found, quantity in kit_parts(session, kit.id)] == [("clip", 2)]
    command.downgrade(alembic_config(empty), "0001")
    with empty.engine.connect() as connection:
        assert connection.execute(text("SELECT name, quantity FROM part")).all() == [("clip", 2)]


def _details(database: Database) -> dict[str, Any]:
    """Columns, and what autogenerate does not compare: checks and the conditions of partial indexes."""
    looked_at = inspect(database.engine)
    return {
        name: (
            sorted((column["name"], str(column["type"]), column["nullable"]) for column in looked_at.get_columns(name)),
            sorted((str(check["name"]), check["sqltext"]) for check in looked_at.get_check_constraints(name)),
            sorted(
                (str(index["name"]), index["column_names"], index["unique"], _condition(index))
                for index in looked_at.get_indexes(name)
            ),
            sorted(
                (str(key["name"]), key["referred_table"], str(key["options"]))
                for key in looked_at.get_foreign_keys(name)
            ),
        )
        for name in SQLModel.metadata.tables
    }


def _condition(index: Any) -> str:
    return str(sorted((name, str(value)) for name, value in index.get("dialect_options", {}).items()))
