"""Bringing a database to the tables of this version, by Alembic, on SQLite and PostgreSQL alike."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from makerhub.db import Database


def migrate(database: Database) -> None:
    """Upgrade the database to the newest revision; does nothing when it is there already."""
    command.upgrade(alembic_config(database), "head")


def is_current(database: Database) -> bool:
    """Whether the database is at the newest revision of this version of makerhub."""
    newest = ScriptDirectory.from_config(alembic_config(database)).get_current_head()
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == newest


def alembic_config(database: Database) -> Config:
    """Alembic's configuration for this database; the engine travels in `attributes`, so that its pragmas hold."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    config.attributes["engine"] = database.engine
    return config
