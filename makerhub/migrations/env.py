"""Alembic's entry: runs the revisions on the engine that `alembic_config` hands over.

SQLite changes a table by making it anew, which its foreign keys would take for the deletion of all rows: so they rest
meanwhile, and are checked before the changes are committed.
"""

from alembic import context
from sqlalchemy import Connection
from sqlmodel import SQLModel

from makerhub.migrations import tables  # noqa: F401 (importing it is what fills the metadata)


def _rest_foreign_keys(connection: Connection, rest: bool) -> None:
    """A pragma that holds only outside of a transaction, so it goes past SQLAlchemy, which would begin one."""
    driver = connection.connection.driver_connection
    if connection.dialect.name == "sqlite" and driver is not None:
        driver.execute(f"PRAGMA foreign_keys = {'OFF' if rest else 'ON'}")


def _require_whole(connection: Connection) -> None:
    if connection.dialect.name == "sqlite" and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").all()):
        raise RuntimeError(f"the migration leaves rows that refer to nothing: {broken[:5]}")


with context.config.attributes["engine"].connect() as connection:
    _rest_foreign_keys(connection, rest=True)
    try:
        context.configure(
            connection=connection, target_metadata=SQLModel.metadata, render_as_batch=True, compare_server_default=True
        )
        with context.begin_transaction():
            context.run_migrations()
        _require_whole(connection)
        connection.commit()
    finally:
        connection.rollback()
        _rest_foreign_keys(connection, rest=False)
